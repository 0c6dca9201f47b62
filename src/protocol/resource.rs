//! Resource indicators (RFC 8707 §2): absolute URIs without a fragment, compared byte for byte.

use std::fmt;
use url::Url;

/// The identifier of a resource server: the `aud` of its access tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(String);

/// Why a text is not a resource indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an absolute URI without fragment (RFC 8707 §2)")]
pub struct ResourceError;

impl Resource {
    /// Reads a resource indicator.
    pub fn parse(text: &str) -> Result<Self, ResourceError> {
        let url = Url::parse(text).map_err(|_| ResourceError)?;
        let visible = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if url.fragment().is_some() || !visible || text.len() > 2000 {
            return Err(ResourceError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        for wrong in
            ["", "/photos", "photos", "https://a.example/x#y", "https://a.example/x y", "https://ä.example"]
        {
            assert!(Resource::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Resource::parse("https://api.example.com/photos?v=1").is_ok());
        assert!(Resource::parse("urn:example:photos").is_ok());
    }
}
