//! The `typ` of a JWT: what keeps one kind of token from passing as another (RFC 8725 §3.11).

/// The kinds of JWT that this server signs or verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwtType {
    /// `JWT`: ID tokens, and what other standards leave untyped (RFC 7519 §5.1).
    Jwt,
    /// `at+jwt`: access tokens (RFC 9068 §2.1).
    AccessToken,
    /// `logout+jwt`: logout tokens (OpenID Connect Back-Channel Logout §2.4).
    LogoutToken,
    /// `token-introspection+jwt`: introspection answers (RFC 9701 §5).
    TokenIntrospection,
    /// `oauth-authz-req+jwt`: request objects (RFC 9101 §10.8).
    RequestObject,
    /// `client-authentication+jwt`: client assertions (RFC 7523bis §4.1).
    ClientAuthentication,
    /// `dpop+jwt`: proofs of possession (RFC 9449 §4.2).
    DpopProof,
}

impl JwtType {
    /// Every type, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Jwt,
        Self::AccessToken,
        Self::LogoutToken,
        Self::TokenIntrospection,
        Self::RequestObject,
        Self::ClientAuthentication,
        Self::DpopProof,
    ];

    /// The media type without `application/`, as the `typ` header carries it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::TokenIntrospection => "token-introspection+jwt",
            Self::RequestObject => "oauth-authz-req+jwt",
            Self::ClientAuthentication => "client-authentication+jwt",
            Self::DpopProof => "dpop+jwt",
        }
    }

    /// The type that `typ` names: media types compare without case, and `application/` may stand before them
    /// (RFC 7515 §4.1.9, RFC 9068 §4).
    pub fn parse(typ: &str) -> Option<Self> {
        const PREFIX: &str = "application/";
        let name = match typ.get(..PREFIX.len()) {
            Some(start) if start.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
            _ => typ,
        };
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_without_case_and_with_or_without_application() {
        for known in JwtType::ALL {
            let name = known.as_str();
            for spelling in [
                name.to_owned(),
                name.to_uppercase(),
                format!("application/{name}"),
                format!("Application/{name}"),
            ] {
                assert_eq!(JwtType::parse(&spelling), Some(known));
            }
        }
    }

    // threat 74
    #[test]
    fn what_only_resembles_a_type_is_none() {
        for spelling in [
            "",
            "at",
            "jwt ",
            " jwt",
            "at+jwt;a=b",
            "text/at+jwt",
            "application/",
            "application/application/jwt",
            "at+jwts",
            "ａt+jwt",
            "applicatioñ/jwt",
        ] {
            assert_eq!(JwtType::parse(spelling), None, "{spelling}");
        }
    }
}
