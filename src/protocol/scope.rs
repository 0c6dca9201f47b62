//! Scopes (RFC 6749 §3.3): a list without order of case-sensitive tokens.

use std::fmt;

/// One scope-token: visible ASCII without `"` and `\`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(String);

/// Why a text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope-token (RFC 6749 §3.3)")]
pub struct ScopeError(String);

impl ScopeToken {
    /// Reads one scope-token.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if text.is_empty() || text.len() > 200 || !text.bytes().all(fits) {
            return Err(ScopeError(text.chars().filter(|c| !c.is_control()).take(80).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The token's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Several scope-tokens, each once, in the order in which they were named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<ScopeToken>);

/// The scopes that every client may be registered for without their being declared (OpenID Connect Core §5.4, §11).
pub const BUILT_IN: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

impl Scopes {
    /// Reads a `scope` value: tokens parted by single spaces; nothing at all is the empty list.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        text.split(' ').filter(|token| !token.is_empty()).map(ScopeToken::parse).collect()
    }

    /// Whether `token` is among them.
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|scope| scope.0 == token)
    }

    /// Whether each of these is among `others`.
    pub fn is_subset(&self, others: &Self) -> bool {
        self.0.iter().all(|scope| others.contains(&scope.0))
    }

    /// Those for which `keep` says yes.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(&scope.0)).cloned().collect())
    }

    /// These and `others`.
    pub fn union(&self, others: &Self) -> Self {
        self.iter().chain(others.iter()).cloned().collect()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, ScopeToken> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<ScopeToken> for Scopes {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        let mut scopes = Vec::new();
        for token in tokens {
            if !scopes.contains(&token) {
                scopes.push(token);
            }
        }
        Self(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(&scope.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_token_has_no_quote_backslash_control_or_foreign_letter() {
        for wrong in ["a\"b", "a\\b", "a\tb", "ä", "a\u{7f}", "a\nb"] {
            assert!(Scopes::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_scope_named_twice_counts_once() {
        let scopes = Scopes::parse("a b a").expect("valid");
        assert_eq!(scopes.to_string(), "a b");
        assert!(scopes.is_subset(&Scopes::parse("b c a").expect("valid")));
        assert!(!Scopes::parse("a d").expect("valid").is_subset(&scopes));
        assert!(!scopes.contains("A"));
    }
}
