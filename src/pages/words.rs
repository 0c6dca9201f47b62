//! What the pages say, in every language: `templates/words/*.ftl` (Fluent), compiled in and read once, at the first page in that
//! language. A name never goes through a sentence: the page asks for what stands before it and after it, and writes
//! the name itself, escaped and isolated like every other foreign text (threats 26, 152).

use super::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::sync::LazyLock;
use unic_langid::LanguageIdentifier;

type Words = FluentBundle<FluentResource>;

impl Language {
    /// A text without a name in it.
    pub fn say(self, key: &str) -> String {
        self.format(key, None)
    }

    /// A text with a number in it: `$count`.
    pub fn say_count(self, key: &str, count: u64) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set("count", count);
        self.format(key, Some(&arguments))
    }

    /// What stands before the one name of a text.
    pub fn before(self, key: &str) -> String {
        self.around(key).0
    }

    /// What stands after the one name of a text.
    pub fn after(self, key: &str) -> String {
        self.around(key).1
    }

    /// What a built-in scope lets a client do (OpenID Connect Core §5.4, §11); nothing for any other.
    pub fn built_in_scope(self, token: &str) -> Option<String> {
        Some(self.say(match token {
            "openid" => "scope-openid",
            "profile" => "scope-profile",
            "email" => "scope-email",
            "address" => "scope-address",
            "phone" => "scope-phone",
            "offline_access" => "scope-offline-access",
            _ => return None,
        }))
    }

    fn around(self, key: &str) -> (String, String) {
        let mut arguments = FluentArgs::new();
        for name in NAMES {
            arguments.set(name, NAME);
        }
        let whole = self.format(key, Some(&arguments));
        let (before, after) = whole.split_once(NAME).unwrap_or((&whole, ""));
        (before.to_owned(), after.to_owned())
    }

    fn format(self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let words = self.words();
        match words.get_message(key).and_then(|message| message.value()) {
            Some(pattern) => words.format_pattern(pattern, arguments, &mut Vec::new()).into_owned(),
            // no text is missing in any language, which a test sees to
            None => key.to_owned(),
        }
    }

    fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::French => &FRENCH,
            Self::Spanish => &SPANISH,
            Self::Portuguese => &PORTUGUESE,
            Self::Japanese => &JAPANESE,
        }
    }

    /// The file as it is compiled in.
    const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../../templates/words/en.ftl"),
            Self::German => include_str!("../../templates/words/de.ftl"),
            Self::French => include_str!("../../templates/words/fr.ftl"),
            Self::Spanish => include_str!("../../templates/words/es.ftl"),
            Self::Portuguese => include_str!("../../templates/words/pt.ftl"),
            Self::Japanese => include_str!("../../templates/words/ja.ftl"),
        }
    }
}

static ENGLISH: LazyLock<Words> = LazyLock::new(|| read(Language::English));
static GERMAN: LazyLock<Words> = LazyLock::new(|| read(Language::German));
static FRENCH: LazyLock<Words> = LazyLock::new(|| read(Language::French));
static SPANISH: LazyLock<Words> = LazyLock::new(|| read(Language::Spanish));
static PORTUGUESE: LazyLock<Words> = LazyLock::new(|| read(Language::Portuguese));
static JAPANESE: LazyLock<Words> = LazyLock::new(|| read(Language::Japanese));

fn read(language: Language) -> Words {
    let identifier: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut words = Words::new_concurrent(vec![identifier]);
    // the pages isolate names themselves, with <bdi>
    words.set_use_isolating(false);
    let resource = FluentResource::try_new(language.source().to_owned());
    words.add_resource_overriding(resource.unwrap_or_else(|(understood, _)| understood));
    words
}

/// What a name may be called in a text.
const NAMES: [&str; 5] = ["client", "host", "moment", "person", "service"];

/// Stands for a name while a text is put together; a private-use character, in no text of ours.
const NAME: &str = "\u{e000}";

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
