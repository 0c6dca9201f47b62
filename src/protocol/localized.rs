//! A text that people read, in several languages: a member and its variants by language tag, `client_name` beside
//! `client_name#de` (RFC 7591 §2.2, OpenID Connect Registration §2.1, BCP 47).

use std::collections::BTreeMap;

/// A text, its variants by language tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localized {
    /// What stands without a tag.
    pub default: Option<String>,
    /// What stands with one; tags in lower case, as they compare without case.
    pub by_language: BTreeMap<String, String>,
}

/// A tag in the case that its registry writes it in: the language small, a script with a capital, a region in capitals
/// (RFC 5646 §2.1.1).
pub fn canonical_case(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    let mut after_singleton = false;
    let cased = lower.split('-').enumerate().map(|(index, subtag)| {
        let plain = index == 0 || after_singleton;
        after_singleton |= subtag.len() == 1;
        match subtag.len() {
            2 if !plain => subtag.to_ascii_uppercase(),
            4 if !plain && subtag.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                format!("{}{}", subtag[..1].to_ascii_uppercase(), &subtag[1..])
            }
            _ => subtag.to_owned(),
        }
    });
    cased.collect::<Vec<_>>().join("-")
}

impl Localized {
    /// A text without variants.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { default: Some(text.into()), by_language: BTreeMap::new() }
    }

    /// The variant that fits the first language that has one, then the text without a tag, then any.
    pub fn best(&self, languages: &[&str]) -> Option<&str> {
        self.of_any(languages)
            .or(self.default.as_deref())
            .or_else(|| self.by_language.values().next().map(String::as_str))
    }

    /// The variant that fits the first language that has one.
    pub fn of_any(&self, languages: &[&str]) -> Option<&str> {
        languages.iter().find_map(|language| self.of_language(language))
    }

    /// Whether nothing is said in any language.
    pub fn is_empty(&self) -> bool {
        self.default.is_none() && self.by_language.is_empty()
    }

    /// By lookup (RFC 4647 §3.4); failing that, a variant of the language for some region or script: who reads `ja` reads
    /// `ja-Jpan-JP`, the example of RFC 7591 §2.2 (RFC 4647 §3.3.1).
    fn of_language(&self, language: &str) -> Option<&str> {
        let closer = || {
            let narrower = format!("{}-", language.to_ascii_lowercase());
            let found = self.by_language.iter().find(|(tag, _)| tag.starts_with(&narrower));
            found.map(|(_, text)| text.as_str())
        };
        self.of_range(language).or_else(closer)
    }

    fn of_range(&self, language: &str) -> Option<&str> {
        let mut range = language.to_ascii_lowercase();
        loop {
            if let Some(text) = self.by_language.get(&range) {
                return Some(text);
            }
            range.truncate(range.rfind('-')?);
        }
    }
}

/// Whether `tag` has the form of a language tag: subtags of one to eight letters and digits, the first of letters
/// (RFC 5646 §2.1).
pub fn is_language_tag(tag: &str) -> bool {
    tag.len() <= 35
        && tag.split('-').enumerate().all(|(index, subtag)| {
            (1..=8).contains(&subtag.len())
                && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && (index > 0 || (subtag.len() >= 2 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic())))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_tag_falls_back_to_a_shorter_one_and_then_to_the_text_without_a_tag() {
        let mut name = Localized::plain("Photos");
        name.by_language.insert("de".into(), "Bilder".into());
        name.by_language.insert("pt-br".into(), "Fotos".into());
        assert_eq!(name.best(&["de-AT"]), Some("Bilder"));
        assert_eq!(name.best(&["fr", "pt-BR"]), Some("Fotos"));
        assert_eq!(
            name.best(&["pt"]),
            Some("Fotos"),
            "RFC 7591 §2.2 has such a tag, and browsers send the short one"
        );
        assert_eq!(name.best(&["pt-PT"]), Some("Photos"));
        assert_eq!(name.best(&["p"]), Some("Photos"));
        assert_eq!(name.best(&[]), Some("Photos"));
        assert_eq!(Localized::default().best(&["de"]), None);
    }

    #[test]
    fn a_tag_is_written_as_its_registry_writes_it() {
        for tag in
            ["de", "pt-BR", "zh-Hant-TW", "ja-Jpan-JP", "sl-rozaj-biske-1994", "en-a-bb-x-cc", "es-419"]
        {
            assert_eq!(canonical_case(&tag.to_ascii_lowercase()), tag);
            assert_eq!(canonical_case(&tag.to_ascii_uppercase()), tag);
        }
    }

    #[test]
    fn a_language_tag_has_subtags_of_one_to_eight_letters_and_digits() {
        for tag in ["de", "pt-BR", "zh-Hant-TW", "ja-Kana-JP"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in ["", "d", "de_AT", "de-", "-de", "1de", "abcdefghi", "de-\u{e9}", "a b"] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }
}
