//! The paths that a file names: `crate::a::{b, c::d}`, `super::super::a::b`, `axum::Router`, in `use` or in line.

use super::source::{SourceFile, is_identifier};

/// A path without its root, and where its last segment stands.
pub type NamedPath = (usize, Vec<String>);

/// Every path of non-test code that starts with `root`.
pub fn paths_from(file: &SourceFile, root: &str) -> Vec<NamedPath> {
    let mut found = Vec::new();
    for start in file.words(root) {
        if is_inside_a_path(file.code.as_bytes(), start) {
            continue;
        }
        let after = skip_space(&file.code, start + root.len());
        if file.code[after..].starts_with("::") {
            tree(&file.code, after + 2, &[], &mut found);
        }
    }
    found
}

/// Every path from the crate's root, whether it was written from there or upwards from the file's own module.
pub fn paths_in_the_crate(file: &SourceFile) -> Vec<NamedPath> {
    let mut found = paths_from(file, "crate");
    let module = file.module();
    for (offset, path) in paths_from(file, "super") {
        let more = path.iter().take_while(|segment| *segment == "super").count();
        let kept = module.len().saturating_sub(1 + more);
        let whole =
            module[..kept].iter().map(|segment| (*segment).to_owned()).chain(path.into_iter().skip(more));
        found.push((offset, whole.collect()));
    }
    found
}

/// Where a crate is named: `axum::…`, `use axum;`, `extern crate axum`.
pub fn uses_of_crate(file: &SourceFile, name: &str) -> Vec<usize> {
    let code = &file.code;
    let names_it = |start: &usize| {
        let before = code[..*start].trim_end();
        let imported = ["use", "extern crate"].iter().any(|word| before.ends_with(word));
        let continued = code[skip_space(code, start + name.len())..].starts_with("::");
        !is_inside_a_path(code.as_bytes(), *start) && (continued || imported)
    };
    file.words(name).filter(names_it).collect()
}

/// `b` in `a::b`, but not in `::b`.
fn is_inside_a_path(code: &[u8], start: usize) -> bool {
    code[..start].ends_with(b"::")
        && code[..start - 2].last().is_some_and(|byte| is_identifier(*byte) || *byte == b'>')
}

/// Follows one branch of a `use` tree from `at` and returns where it ends.
fn tree(code: &str, at: usize, prefix: &[String], found: &mut Vec<NamedPath>) -> usize {
    let bytes = code.as_bytes();
    let at = skip_space(code, at);
    if bytes.get(at) == Some(&b'{') {
        let mut next = at + 1;
        loop {
            next = skip_space(code, next);
            match bytes.get(next) {
                None => return next,
                Some(b'}') => return next + 1,
                Some(b',') => next += 1,
                Some(_) => {
                    let end = tree(code, next, prefix, found);
                    // `as x`, and whatever else does not belong to the path
                    next = code[end..].find([',', '}']).map_or(code.len(), |rest| end + rest);
                }
            }
        }
    }
    let end = at + bytes[at..].iter().take_while(|byte| is_identifier(**byte) || **byte == b'*').count();
    let path: Vec<String> = prefix.iter().cloned().chain([code[at..end].to_owned()]).collect();
    let after = skip_space(code, end);
    if end > at && code[after..].starts_with("::") && !code[after + 2..].trim_start().starts_with('<') {
        return tree(code, after + 2, &path, found);
    }
    found.push((at, path));
    end
}

fn skip_space(code: &str, at: usize) -> usize {
    code.len() - code[at..].trim_start().len()
}

mod tests {
    use super::*;

    fn named(path: &str, text: &str) -> Vec<String> {
        paths_in_the_crate(&SourceFile::new(path, text))
            .into_iter()
            .map(|(_, path)| path.join("::"))
            .collect()
    }

    #[test]
    fn nested_uses_and_inline_paths_are_named_in_full() {
        let text =
            "use crate::{a::x, b::{c, d::*, e as f},\n g};\nfn h() { crate::i::j::<u8>(crate :: k::L) }";
        let expected = ["a::x", "b::c", "b::d::*", "b::e", "g", "i::j", "k::L"];
        assert_eq!(named("src/http/x.rs", text), expected);
    }

    #[test]
    fn a_path_upwards_is_named_from_the_root() {
        assert_eq!(
            named("src/http/x.rs", "use super::y; use super::super::{a::b, c};"),
            ["http::y", "a::b", "c"]
        );
        assert_eq!(named("src/http/mod.rs", "super::pages::login()"), ["pages::login"]);
    }

    #[test]
    fn a_crate_is_not_taken_for_a_module_or_a_field_of_the_same_name() {
        let file =
            SourceFile::new("src/http/x.rs", "rustls::crypto::axum::x(); a.axum; let axum = 1; // axum::y\n");
        assert_eq!(uses_of_crate(&file, "axum"), Vec::<usize>::new());
        let file = SourceFile::new("src/http/x.rs", "use axum; ::axum::x(); #[axum::y] fn z() {}");
        assert_eq!(uses_of_crate(&file, "axum").len(), 3);
    }
}
