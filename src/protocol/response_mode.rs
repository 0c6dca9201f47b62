//! How an authorization response travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).

/// A response mode that may carry a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResponseMode {
    /// In the query of the redirect URI; the default for codes.
    Query,
    /// In the body of a POST that the browser makes.
    FormPost,
}

impl ResponseMode {
    /// Every one; metadata, configuration, registration and tests follow from this list.
    pub const ALL: [Self; 2] = [Self::Query, Self::FormPost];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }

    /// The one that `name` is, exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}
