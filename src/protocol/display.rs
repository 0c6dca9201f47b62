//! `display` (OpenID Connect Core §3.1.2.1): how an app would like the pages shown. They are one and the same for every
//! screen, so whatever is asked for is honoured; a value that the standard does not name is an unknown hint and changes nothing.

/// A way of showing pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A full page.
    Page,
    /// A window of its own.
    Popup,
    /// A device that is touched.
    Touch,
}

impl Display {
    /// Every one that the pages fit.
    pub const ALL: [Self; 3] = [Self::Page, Self::Popup, Self::Touch];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Popup => "popup",
            Self::Touch => "touch",
        }
    }
}
