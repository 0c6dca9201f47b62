use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The keys of a file with the variables of each text.
fn texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut texts = BTreeMap::new();
    let mut last = String::new();
    for line in language.source().lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with([' ', '}'])) {
            last = key.to_owned();
            assert!(texts.insert(last.clone(), BTreeSet::new()).is_none(), "{key} is there twice");
        }
        let names = line.split('$').skip(1);
        let name = |rest: &str| rest.chars().take_while(char::is_ascii_lowercase).collect::<String>();
        texts.entry(last.clone()).or_default().extend(names.map(name));
    }
    texts.remove("");
    texts
}

/// The files below the folder `path` of this crate that a page is made of.
fn sources(path: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| {
        path.extension().is_some_and(|ending| ["html", "rs", "txt"].iter().any(|known| ending == *known))
    });
    let files = files.filter(|path| !path.to_str().unwrap().ends_with("_tests.rs"));
    files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_file_is_well_formed_and_holds_no_stand_in_for_a_name() {
    for language in Language::ALL {
        let resource = FluentResource::try_new(language.source().to_owned());
        assert!(resource.is_ok(), "{language:?}: {:?}", resource.map_err(|(_, errors)| errors));
        assert!(!language.source().contains(NAME), "{language:?}");
        assert!(language.words().get_message("login-title").is_some(), "{language:?}");
    }
}

#[test]
fn every_language_has_exactly_the_texts_of_english_with_the_same_variables() {
    let english = texts(Language::English);
    assert!(english.len() > 50);
    for language in Language::ALL {
        assert_eq!(texts(language), english, "{language:?}");
    }
}

#[test]
fn every_text_is_said_in_every_language_whole() {
    for language in Language::ALL {
        for (key, names) in texts(language) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let said = match names.as_slice() {
                [] => vec![language.say(&key)],
                ["count"] => [0, 1, 2, 21, 1_000_000].map(|count| language.say_count(&key, count)).into(),
                [name] => {
                    assert!(NAMES.contains(name), "{language:?}: {key}: {name}");
                    let (before, after) = language.around(&key);
                    assert!(!after.contains(NAME), "{language:?}: {key} holds its name twice");
                    vec![format!("{before}Ada{after}")]
                }
                _ => panic!("{language:?}: {key} holds more than one name"),
            };
            for said in said {
                let broken = said.contains(['{', '}', '$', '\n', '\u{e000}', '\u{2068}', '\u{2069}']);
                assert!(!broken && !said.trim().is_empty() && said != key, "{language:?}: {key}: {said}");
            }
        }
    }
}

#[test]
fn no_translation_was_forgotten() {
    // the same in two languages by rights
    const ALIKE: [&str; 1] = ["error-code"];
    for key in texts(Language::English).keys().filter(|key| !ALIKE.contains(&key.as_str())) {
        let english = Language::English.around(key);
        for language in Language::ALL.into_iter().skip(1) {
            assert_ne!(language.around(key), english, "{language:?}: {key}");
        }
    }
}

#[test]
fn every_text_is_used_and_every_text_that_is_used_is_there() {
    let known = texts(Language::English);
    let sources = ["templates", "src/pages", "src/http"].map(sources).concat();
    for key in known.keys() {
        let quoted = format!("\"{key}\"");
        assert!(sources.iter().any(|(_, text)| text.contains(&quoted)), "{key} is not used");
    }
    for (path, text) in &sources {
        for call in [".say(\"", ".say_count(\"", ".before(\"", ".after(\"", "words: \"", "lead: \""] {
            for (at, _) in text.match_indices(call) {
                let key = text[at + call.len()..].split('"').next().unwrap();
                assert!(known.contains_key(key), "{}: {key}", path.display());
                if path.extension().is_some_and(|ending| ending != "rs") {
                    let with_name = call == ".before(\"" || call == ".after(\"";
                    assert_eq!(!known[key].is_empty(), with_name, "{}: {key}", path.display());
                }
            }
        }
    }
}

/// What is left of a template when its tags and all that askama fills in are gone; attributes that are read out or shown stay.
fn bare_text(template: &str) -> String {
    let mut text = template.to_owned();
    for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<script>", "</script>")] {
        while let Some(start) = text.find(open) {
            let end = start + text[start..].find(close).unwrap() + close.len();
            text.replace_range(start..end, "");
        }
    }
    let mut bare = String::new();
    for part in text.split('<') {
        let (tag, after) = part.split_once('>').unwrap_or(("", part));
        bare.push_str(after);
        for attribute in [" alt=\"", " title=\"", " placeholder=\"", " aria-label=\"", " aria-description=\""]
        {
            if let Some((_, value)) = tag.split_once(attribute) {
                bare.push_str(value.split('"').next().unwrap());
            }
        }
    }
    bare
}

#[test]
fn no_template_holds_a_word_of_its_own() {
    let templates = sources("templates");
    assert!(templates.len() > 8);
    for (path, text) in templates {
        // the playground is for developers, and stays English
        if path.file_name().unwrap() != "playground.html" {
            let words: String = bare_text(&text).chars().filter(|sign| sign.is_alphabetic()).collect();
            assert_eq!(words, "", "{}", path.display());
        }
    }
}

#[test]
fn a_word_in_a_template_is_found() {
    for (planted, words) in [
        ("<p>Hello</p>", "Hello"),
        ("<img src=\"x\" alt=\"A picture\">", "A picture"),
        ("<a title=\"More\">{{ layout.say(\"x\") }}</a>", "More"),
        ("{% if x %}yes{% endif %}", "yes"),
        ("<p>{{ name }}</p><script>run()</script>{# a note #} · ", " · "),
    ] {
        assert_eq!(bare_text(planted), words, "{planted}");
    }
}
