//! What every page shares: the service's name and look, and the addresses of its own assets.

use super::{Language, assets, theme};

/// The frame around every page; a field of every view.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// The name of the service (`pages.name`): in the title and above the card.
    pub name: &'a str,
    /// The path of the issuer without its last slash, before `/assets/…`: empty for an issuer without a path.
    pub base: &'a str,
    /// The address of the operator's logo on our own origin (`/assets/logo`); without one the built-in mark is shown.
    pub logo: Option<&'a str>,
    /// The accent colour as configured (`#rgb` or `#rrggbb`); anything else counts as none.
    pub accent: Option<&'a str>,
    /// The language of the page.
    pub language: Language,
    /// The direction its text runs in.
    pub direction: Direction,
    /// Light, dark, or as the person's system says.
    pub theme: Theme,
}

impl<'a> Layout<'a> {
    /// The layout of a service called `name`, in English, with nothing configured.
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            base: "",
            logo: None,
            accent: None,
            language: Language::English,
            direction: Language::English.direction(),
            theme: Theme::System,
        }
    }

    /// This frame in another language.
    pub fn in_language(self, language: Language) -> Self {
        Self { language, direction: language.direction(), ..self }
    }

    /// A text without a name in it.
    pub fn say(&self, key: &str) -> String {
        self.language.say(key)
    }

    /// What stands before the one name of a text.
    pub fn before(&self, key: &str) -> String {
        self.language.before(key)
    }

    /// What stands after the one name of a text.
    pub fn after(&self, key: &str) -> String {
        self.language.after(key)
    }

    /// The address of the stylesheet; its query changes with its content, so it may be cached for ever.
    pub fn stylesheet_url(&self) -> String {
        format!("{}/assets/portreeve.css?v={}", self.base, *assets::STYLESHEET_VERSION)
    }

    /// The address of the accent's stylesheet; its query changes with its content.
    pub fn theme_url(&self) -> String {
        format!("{}/assets/theme.css?v={}", self.base, assets::version(&theme::theme_css(self.accent)))
    }

    /// The address of the built-in mark, which is the page's icon too.
    pub fn mark_url(&self) -> String {
        format!("{}/assets/mark.svg?v={}", self.base, assets::version(&theme::mark_svg(self.accent)))
    }

    /// The address of the playground's script.
    pub fn playground_script_url(&self) -> String {
        format!("{}/assets/playground.js?v={}", self.base, assets::version(assets::PLAYGROUND_SCRIPT.body))
    }
}

/// The direction text runs in (HTML's `dir`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As in English.
    LeftToRight,
    /// As in Arabic and Hebrew.
    RightToLeft,
}

impl Direction {
    /// The value of HTML's `dir` attribute.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

/// Whether a page is light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the person's system says (`prefers-color-scheme`).
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The value of the `data-theme` attribute, which the stylesheet reads.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
