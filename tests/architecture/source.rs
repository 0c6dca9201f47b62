//! A source file as the rules read it: without comments, without what strings say, knowing which lines are tests.
//! Offsets are bytes and the same in every view of a file, because what is left out is replaced by spaces.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

/// One Rust file.
pub struct SourceFile {
    /// From the top of the repository, with slashes: `src/grants/mod.rs`.
    pub path: String,
    /// As it was written.
    pub text: String,
    /// Without comments and without the insides of strings.
    pub code: String,
    /// Without comments only.
    pub speech: String,
    tests: Vec<Range<usize>>,
}

/// A place that breaks a rule: where, and what was found there.
pub type Finding = (usize, String);

/// Every file of `src/` and `tests/`, read once.
pub static SOURCES: LazyLock<Vec<SourceFile>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        collect(root, &root.join(folder), &mut files);
    }
    files.sort_by(|a: &SourceFile, b| a.path.cmp(&b.path));
    files
});

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push(SourceFile::new(&name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

impl SourceFile {
    pub fn new(path: &str, text: &str) -> Self {
        let (code, speech) = views(text);
        let tests = if path.ends_with("_tests.rs") || path.starts_with("tests/") {
            std::iter::once(0..text.len()).collect()
        } else {
            test_items(&code)
        };
        Self { path: path.into(), text: text.into(), code, speech, tests }
    }

    /// The folder below `src/`, or the file's name without its ending right below it; nothing for other folders.
    pub fn room(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        Some(below.split_once('/').map_or_else(|| below.trim_end_matches(".rs"), |(room, _)| room))
    }

    /// The module's path from the crate's root: `["grants", "error"]`, and `["grants"]` for its mod.rs.
    pub fn module(&self) -> Vec<&str> {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path).trim_end_matches(".rs");
        let mut path: Vec<&str> = below.split('/').collect();
        if matches!(path.last(), Some(&("mod" | "lib" | "main"))) {
            path.pop();
        }
        path
    }

    /// The number of the line, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// Whether this place is compiled for tests only.
    pub fn is_test(&self, offset: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&offset))
    }

    /// Where an identifier stands outside comments, strings and tests.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        words(&self.code, word).filter(|offset| !self.is_test(*offset))
    }
}

/// Where `word` stands as a whole identifier.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(offset, _)| offset).filter(move |offset| {
        let before = code.as_bytes()[..*offset].last();
        let after = code.as_bytes().get(offset + word.len());
        ![before, after].into_iter().flatten().any(|byte| is_identifier(*byte))
    })
}

/// What lies between the bracket at `open` and the one that closes it.
pub fn bracketed(code: &str, open: usize) -> Range<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return open + 1..offset;
        }
    }
    (open + 1).min(code.len())..code.len()
}

pub fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The items under `#[cfg(test)]`.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let starts = ["#[cfg(test)]", "#[cfg(all(test"].into_iter().flat_map(|mark| code.match_indices(mark));
    let item = |(start, mark): (usize, &str)| {
        let rest = start + mark.len();
        let Some(end) = code[rest..].find(['{', ';']).map(|found| rest + found) else {
            return start..code.len();
        };
        if code.as_bytes()[end] == b'{' { start..bracketed(code, end).end + 1 } else { start..end + 1 }
    };
    starts.map(item).collect()
}

/// `text` without comments and strings, and without comments only.
fn views(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut code, mut speech) = (bytes.to_vec(), bytes.to_vec());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let after_identifier = at > 0 && is_identifier(bytes[at - 1]);
        if rest.starts_with(b"//") {
            let end = at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            blank(&mut code, at..end);
            blank(&mut speech, at..end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = at + block_comment(rest);
            blank(&mut code, at..end);
            blank(&mut speech, at..end);
            at = end;
        } else if let Some(hashes) = raw_string(rest).filter(|_| !after_identifier) {
            let open = at + rest.iter().position(|byte| *byte == b'"').unwrap_or_default() + 1;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = text[open..].find(&close).map_or(text.len(), |found| open + found);
            blank(&mut code, open..end);
            at = (end + close.len()).min(text.len());
        } else if rest[0] == b'"' {
            let end = at + 1 + quoted(&rest[1..], b'"');
            blank(&mut code, at + 1..end);
            at = end + 1;
        } else if rest[0] == b'\'' && is_character(&text[at + 1..]) {
            let end = at + 1 + quoted(&rest[1..], b'\'');
            blank(&mut code, at + 1..end);
            at = end + 1;
        } else {
            at += 1;
        }
    }
    (String::from_utf8(code).unwrap(), String::from_utf8(speech).unwrap())
}

fn blank(bytes: &mut [u8], range: Range<usize>) {
    let end = range.end.min(bytes.len());
    bytes[range.start.min(end)..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The number of hashes when a raw string begins here.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = [b"br".as_slice(), b"cr", b"r"].into_iter().find(|prefix| rest.starts_with(prefix))?;
    let rest = &rest[prefix.len()..];
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    (rest.get(hashes) == Some(&b'"')).then_some(hashes)
}

/// The length up to the quote that ends it.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at.min(rest.len())
}

/// Tells `'a'` from the lifetime `'a`.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars();
    characters.next().is_some_and(|first| first == '\\' || characters.next() == Some('\''))
}

mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let text = "a // q\n/* c /* d */ e */ f \"g // \\\" h\" 'i' '\\'' x::<'j>() r#\"k \" l\"# b\"m\" n";
        let file = SourceFile::new("src/model/x.rs", text);
        for (word, in_code, in_speech) in [
            ("a", true, true),
            ("q", false, false),
            ("c", false, false),
            ("d", false, false),
            ("e", false, false),
            ("f", true, true),
            ("g", false, true),
            ("h", false, true),
            ("i", false, true),
            ("j", true, true),
            ("k", false, true),
            ("l", false, true),
            ("m", false, true),
            ("n", true, true),
        ] {
            let found = |view: &str| words(view, word).next().is_some();
            assert_eq!((found(&file.code), found(&file.speech)), (in_code, in_speech), "{word}");
        }
        assert_eq!((file.code.len(), file.speech.len()), (text.len(), text.len()));
    }

    #[test]
    fn an_item_under_cfg_test_is_a_test_and_what_follows_is_not() {
        let file = SourceFile::new(
            "src/model/x.rs",
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { if c {} }\n}\nfn d() {}\n#[cfg(test)]\nmod e;\nfn f() {}\n",
        );
        let tested = |word| file.is_test(words(&file.code, word).next().unwrap());
        assert_eq!(["a", "b", "c", "d", "e", "f"].map(tested), [false, true, true, false, true, false]);
        assert!(SourceFile::new("src/model/x_tests.rs", "fn a() {}").is_test(0));
    }

    #[test]
    fn a_file_knows_its_room_and_its_module() {
        let module = |path| SourceFile::new(path, "").module().join("::");
        assert_eq!(module("src/clients/authentication/mod.rs"), "clients::authentication");
        assert_eq!(module("src/grants/error.rs"), "grants::error");
        assert_eq!(module("src/lib.rs"), "");
        assert_eq!(SourceFile::new("src/grants/error.rs", "").room(), Some("grants"));
        assert_eq!(SourceFile::new("src/main.rs", "").room(), Some("main"));
        assert_eq!(SourceFile::new("tests/main.rs", "").room(), None);
    }
}
