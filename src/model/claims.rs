//! What is known of a person, as OpenID Connect Core §5.1 names and types it.
//!
//! A claim that exists here is valid, and none can stand for something that the server alone may say (issuer, subject,
//! audience, session …): the reserved names cannot be set by operator, import or attribute (threat 75). Which claims leave the
//! server, and where, is left to `tokens::claims`; `sub` and `updated_at` come from the person's record.

use crate::model::username::CanonicalEmail;
use serde_json::{Map, Value};

/// A person's claims, each checked when it was set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PersonClaims(Map<String, Value>);

/// Why a claim cannot be set. The claim's name is in it, its value never is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The server alone says this (RFC 7519 §4.1, OpenID Connect Core §2 and its neighbours).
    #[error("claim {0:?} is reserved: the server alone sets it")]
    Reserved(String),
    /// The server keeps this one up to date itself (OpenID Connect Core §5.1).
    #[error("claim {0:?} is kept by the server: it is the time of the last change")]
    Computed(String),
    /// Not a name: empty, too long, or with characters other than visible ASCII.
    #[error(
        "claim name {0:?} is not 1 to {MAX_NAME_BYTES} visible ASCII characters without quotes, backslash and ="
    )]
    Name(String),
    /// Differs from a standard claim by case only, so that lenient readers would take it for that.
    #[error("claim {found:?} would be taken for {standard:?}: write it like that")]
    Case {
        /// The name as given.
        found: String,
        /// The name it is too close to.
        standard: &'static str,
    },
    /// The value does not fit the claim.
    #[error("claim {name:?} wants {expected}")]
    Value {
        /// The claim.
        name: String,
        /// What would fit.
        expected: &'static str,
    },
    /// Not `NAME=VALUE`.
    #[error("a claim is written NAME=VALUE")]
    Assignment,
}

impl PersonClaims {
    /// The claims of a JSON object, from an import or the store.
    ///
    /// # Errors
    /// Every claim that cannot be set, not the first alone.
    pub fn from_object(object: Map<String, Value>) -> Result<Self, Vec<ClaimError>> {
        let mut claims = Self::default();
        let errors: Vec<_> =
            object.into_iter().filter_map(|(name, value)| claims.set(&name, value).err()).collect();
        if errors.is_empty() { Ok(claims) } else { Err(errors) }
    }

    /// Sets one claim.
    ///
    /// # Errors
    /// When the name is reserved or malformed, or the value does not fit (OpenID Connect Core §5.1); nothing is changed then.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), ClaimError> {
        check_claim_name(name)?;
        let kind = kind_of(name);
        if !within_limits(&value) || !kind.fits(&value) {
            return Err(ClaimError::Value { name: name.to_owned(), expected: kind.expected() });
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    /// Takes one claim away, and tells what it was.
    pub fn unset(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// The claim of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All claims, as the JSON object that is stored.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The claims of these names that have something to say: absent, null and empty ones are left out, as are empty members of an
    /// object (OpenID Connect Core §5.3.2).
    pub fn select<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Map<String, Value> {
        let said = |name: &str| Some((name.to_owned(), without_empty_members(self.0.get(name)?)?));
        names.into_iter().filter_map(said).collect()
    }
}

/// Refuses a name that no person's claim and no scope's `claims` may have.
///
/// # Errors
/// [`ClaimError::Reserved`], [`ClaimError::Computed`], [`ClaimError::Name`] or [`ClaimError::Case`].
pub fn check_claim_name(name: &str) -> Result<(), ClaimError> {
    let visible = |b: u8| b.is_ascii_graphic() && !b"\"\\=".contains(&b);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(visible) {
        return Err(ClaimError::Name(name.chars().take(MAX_NAME_BYTES).collect()));
    }
    // Readers exist that match members without regard to case (Go's encoding/json), so neither does this.
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(ClaimError::Reserved(name.to_owned()));
    }
    if name.eq_ignore_ascii_case("updated_at") {
        return Err(ClaimError::Computed(name.to_owned()));
    }
    match STANDARD.iter().map(|(standard, _)| *standard).find(|standard| standard.eq_ignore_ascii_case(name))
    {
        Some(standard) if standard != name => Err(ClaimError::Case { found: name.to_owned(), standard }),
        _ => Ok(()),
    }
}

/// Reads `NAME=VALUE` as the command line has it. A standard claim that is a string takes the text as it stands (`phone_number=+44…`,
/// `birthdate=1815`); any other takes JSON when the text is JSON, else the text.
///
/// # Errors
/// [`ClaimError::Assignment`] without `=`, or what [`check_claim_name`] says; the value is judged by [`PersonClaims::set`].
pub fn parse_assignment(text: &str) -> Result<(String, Value), ClaimError> {
    let (name, text) = text.split_once('=').ok_or(ClaimError::Assignment)?;
    check_claim_name(name)?;
    let value = if kind_of(name).is_text() { None } else { serde_json::from_str::<Value>(text).ok() };
    Ok((
        name.to_owned(),
        match value {
            // A number that does not come back as it was typed (0042, 1e9, twenty digits) was an identifier, not a quantity.
            Some(Value::Number(number)) if number.to_string() != text => Value::from(text),
            Some(Value::Null) | None => Value::from(text),
            Some(value) => value,
        },
    ))
}

/// The claims that a built-in scope stands for (OpenID Connect Core §5.4).
pub fn standard_claims_of(scope: &str) -> Option<&'static [&'static str]> {
    match scope {
        "profile" => Some(PROFILE_CLAIMS),
        "email" => Some(&["email", "email_verified"]),
        "address" => Some(&["address"]),
        "phone" => Some(&["phone_number", "phone_number_verified"]),
        _ => None,
    }
}

/// Names that the server alone says: of JWT, ID token, logout token, security event, access token, introspection and confirmation.
#[rustfmt::skip]
pub const RESERVED: &[&str] = &[
    // RFC 7519 §4.1
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti",
    // OpenID Connect Core §2, §3.3.2.11, §5.6.2, §7
    "azp", "nonce", "auth_time", "acr", "amr", "at_hash", "c_hash", "s_hash", "sub_jwk", "_claim_names", "_claim_sources",
    // Logout, CIBA, security events (RFC 8417), subject identifiers (RFC 9493), RFC 9701
    "sid", "events", "txn", "toe", "sub_id", "rt_hash", "urn:openid:params:jwt:claim:rt_hash",
    "urn:openid:params:jwt:claim:auth_req_id", "token_introspection",
    // RFC 7800, 7662, 8693, 9068, 9396, 9449
    "cnf", "client_id", "scope", "token_type", "active", "username", "act", "may_act", "authorization_details",
    "htm", "htu", "ath",
    // This server's own
    "grant", "grant_id",
];

#[rustfmt::skip]
const PROFILE_CLAIMS: &[&str] = &[
    "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
    "gender", "birthdate", "zoneinfo", "locale", "updated_at",
];
const MAX_NAME_BYTES: usize = 128;
const MAX_VALUE_BYTES: usize = 16 * 1024;
const MAX_TEXT_BYTES: usize = 2048;
const MAX_DEPTH: usize = 8;
const ADDRESS_MEMBERS: [&str; 6] =
    ["formatted", "street_address", "locality", "region", "postal_code", "country"];

/// The standard claims that can be set, with their types (OpenID Connect Core §5.1; `groups` as RFC 9068 §2.2.3.1 has it).
const STANDARD: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("given_name", Kind::Text),
    ("family_name", Kind::Text),
    ("middle_name", Kind::Text),
    ("nickname", Kind::Text),
    ("preferred_username", Kind::Text),
    ("profile", Kind::Url),
    ("picture", Kind::Url),
    ("website", Kind::Url),
    ("email", Kind::Email),
    ("email_verified", Kind::Boolean),
    ("gender", Kind::Text),
    ("birthdate", Kind::Birthdate),
    ("zoneinfo", Kind::Zone),
    ("locale", Kind::Locale),
    ("phone_number", Kind::Phone),
    ("phone_number_verified", Kind::Boolean),
    ("address", Kind::Address),
    ("groups", Kind::Groups),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Url,
    Email,
    Birthdate,
    Zone,
    Locale,
    Phone,
    Boolean,
    Address,
    Groups,
    /// Any JSON but null.
    Custom,
}

fn kind_of(name: &str) -> Kind {
    STANDARD.iter().find(|(standard, _)| *standard == name).map_or(Kind::Custom, |(_, kind)| *kind)
}

impl Kind {
    fn is_text(self) -> bool {
        !matches!(self, Self::Boolean | Self::Address | Self::Groups | Self::Custom)
    }

    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Boolean, value) => value.is_boolean(),
            (Self::Custom, value) => !value.is_null(),
            (Self::Address, Value::Object(members)) => {
                let is_member = |(name, value): (&String, &Value)| {
                    ADDRESS_MEMBERS.contains(&name.as_str()) && value.as_str().is_some_and(is_paragraph)
                };
                !members.is_empty() && members.iter().all(is_member)
            }
            (Self::Groups, Value::Array(groups)) => {
                groups.iter().all(|group| group.as_str().is_some_and(is_line))
            }
            (kind, Value::String(text)) if kind.is_text() => is_line(text) && kind.fits_text(text),
            _ => false,
        }
    }

    fn fits_text(self, text: &str) -> bool {
        match self {
            Self::Url => url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http")),
            Self::Email => CanonicalEmail::parse(text).is_ok(),
            Self::Birthdate => is_birthdate(text),
            Self::Zone => is_zone(text),
            Self::Locale => is_locale(text),
            Self::Phone => is_phone(text),
            _ => true,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string that is not empty, not \"null\", and of one line (2 KiB at most)",
            Self::Url => "an http or https URL",
            Self::Email => "an e-mail address",
            Self::Birthdate => "a date as YYYY-MM-DD, 0000-MM-DD or YYYY",
            Self::Zone => "a time zone name such as Europe/Paris",
            Self::Locale => "a language tag such as en-GB (RFC 5646)",
            Self::Phone => "a phone number, best as +1 (425) 555-1212 (E.164, RFC 3966)",
            Self::Boolean => "true or false",
            Self::Address => {
                "an object of strings: formatted, street_address, locality, region, postal_code, country"
            }
            Self::Groups => "an array of strings",
            Self::Custom => "a JSON value that is not null, at most 16 KiB and 8 levels deep, without NUL",
        }
    }
}

fn is_line(text: &str) -> bool {
    is_paragraph(text) && !text.contains(['\n', '\r'])
}

fn is_paragraph(text: &str) -> bool {
    let forbidden = |c: char| c.is_control() && c != '\n' && c != '\r';
    !text.trim().is_empty() && text != "null" && text.len() <= MAX_TEXT_BYTES && !text.contains(forbidden)
}

/// `YYYY-MM-DD`, `0000-MM-DD` (the year is not told) or `YYYY` (OpenID Connect Core §5.1).
fn is_birthdate(text: &str) -> bool {
    let digits = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())?
    };
    let mut parts = text.split('-');
    let Some(year) = parts.next().and_then(|year| digits(year, 4)) else {
        return false;
    };
    let (month, day) = (parts.next(), parts.next());
    match (month, day, parts.next()) {
        (None, ..) => year > 0,
        (Some(month), Some(day), None) => {
            let leap = year == 0 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
            let last = match digits(month, 2) {
                Some(1 | 3 | 5 | 7 | 8 | 10 | 12) => 31,
                Some(4 | 6 | 9 | 11) => 30,
                Some(2) if leap => 29,
                Some(2) => 28,
                _ => 0,
            };
            digits(day, 2).is_some_and(|day| (1..=last).contains(&day))
        }
        _ => false,
    }
}

fn is_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    text.len() <= 64 && text.split('/').all(is_part)
}

/// A language tag; an underscore in place of the hyphen is tolerated (OpenID Connect Core §5.1).
fn is_locale(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let is_language =
        |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let is_subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 64 && parts.next().is_some_and(is_language) && parts.all(is_subtag)
}

fn is_phone(text: &str) -> bool {
    let (number, extension) =
        text.split_once(";ext=").map_or((text, None), |(number, ext)| (number, Some(ext)));
    let separators = |b: u8| b.is_ascii_digit() || b" -.()".contains(&b);
    let count = number.bytes().filter(u8::is_ascii_digit).count();
    number.strip_prefix('+').unwrap_or(number).bytes().all(separators)
        && (3..=20).contains(&count)
        && extension
            .is_none_or(|ext| (1..=10).contains(&ext.len()) && ext.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether `value` is of a size, a depth and characters that every store and reader bears.
fn within_limits(value: &Value) -> bool {
    fn bears(value: &Value, depth: usize) -> bool {
        let text = |text: &str| !text.contains('\0');
        depth > 0
            && match value {
                Value::String(content) => text(content),
                Value::Array(items) => items.iter().all(|item| bears(item, depth - 1)),
                Value::Object(members) => {
                    members.iter().all(|(name, item)| text(name) && bears(item, depth - 1))
                }
                _ => true,
            }
    }
    bears(value, MAX_DEPTH) && value.to_string().len() <= MAX_VALUE_BYTES
}

/// The value without its empty members; nothing when nothing is left (OpenID Connect Core §5.3.2).
pub fn without_empty_members(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(members) => {
            let members: Map<_, _> = members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), without_empty_members(value)?)))
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        value => Some(value.clone()),
    }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
