//! The names a person signs in with, in the one form that is stored, compared and counted.
//!
//! Usernames follow the PRECIS profile UsernameCaseMapped (RFC 8265 §3.3): width-mapped, lower case, NFC. Beyond
//! it, on purpose stricter than the profile (Unicode Technical Standard 39 §5.1, "single script"):
//! - no `@`, so that usernames and e-mail addresses are two name spaces that cannot meet;
//! - one script to a name (the recommended scripts of UAX 31; Japanese and Korean writing count as one each), beside ASCII
//!   digits and punctuation. Combining marks that NFC leaves apart, other scripts' digits and joiners are refused;
//! - a name of another script, or of rare Latin letters, that consists wholly of ASCII's twins (`асе`, all Cyrillic; `admın`)
//!   is refused, so that any two names can be told apart by eye as well as ASCII ones can.
//!
//! E-mail addresses are canonical for finding a person only; mail goes to the address as it was typed. Which person a
//! name belongs to is left to `storage`, counting failures to `users::throttle`.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A username in canonical form, 1 to 64 characters; equal names are the same person's (RFC 8265 §3.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalUsername(String);

/// Why a text is no username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing is left, or nothing was there.
    #[error("a username is at least one character")]
    Empty,
    /// Longer than 64 characters in canonical form.
    #[error("a username is at most {MAX_USERNAME_CHARS} characters")]
    TooLong,
    /// It holds an `@`, the mark of an e-mail address.
    #[error("a username holds no @; e-mail addresses are a claim of the person (--email)")]
    AtSign,
    /// A space, control, invisible, unassigned or otherwise disallowed character (RFC 8264 §9), or a broken right-to-left order.
    #[error(
        "a username holds letters, digits and ASCII punctuation only: no spaces, no invisible characters (RFC 8265 §3.3)"
    )]
    Disallowed,
    /// Letters of two scripts, which can be mistaken for one another.
    #[error("a username keeps to one script, so that look-alikes cannot impersonate (Unicode TS 39 §5.1)")]
    MixedScripts,
    /// Every letter beyond ASCII is the twin of an ASCII one.
    #[error(
        "this username cannot be told from an ASCII one by eye; add a letter or a digit that sets it apart"
    )]
    LooksLikeAscii,
}

impl CanonicalUsername {
    /// The canonical form of `text`.
    ///
    /// # Errors
    /// Says what is wrong with it, for whoever creates a person; sign-in uses [`SignInName::parse`] instead.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        if text.is_empty() {
            return Err(UsernameError::Empty);
        }
        if text.len() > MAX_INPUT_BYTES {
            return Err(UsernameError::TooLong);
        }
        let name = case_mapped(text).ok_or(UsernameError::Disallowed)?;
        if name.contains('@') {
            return Err(UsernameError::AtSign);
        }
        if name.chars().count() > MAX_USERNAME_CHARS {
            return Err(UsernameError::TooLong);
        }
        refuse_look_alikes(&name)?;
        Ok(Self(name))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CanonicalUsername {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An e-mail address in the form by which a person is found: the local part case-mapped, the domain in ASCII (RFC 5321 §4.1.2,
/// RFC 5890); at most 254 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalEmail(String);

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// No `@` outside quotes, or more than one.
    #[error("an e-mail address has exactly one @ outside quotes (RFC 5321 §4.1.2)")]
    AtSign,
    /// Longer than 254 bytes.
    #[error("an e-mail address is at most {MAX_EMAIL_BYTES} bytes (RFC 5321 §4.5.3.1.3)")]
    TooLong,
    /// Empty, or with spaces, control or invisible characters.
    #[error("the part before the @ is empty or holds spaces, control or invisible characters")]
    LocalPart,
    /// Not a domain name.
    #[error("the part after the @ is not a domain name")]
    Domain,
}

impl CanonicalEmail {
    /// The canonical form of `text`; nothing is trimmed.
    ///
    /// # Errors
    /// Says which part of it is wrong.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        if text.len() > MAX_INPUT_BYTES {
            return Err(EmailError::TooLong);
        }
        let text = text.replace(FULLWIDTH_AT, "@");
        let (local, domain) = split_at_sign(&text).ok_or(EmailError::AtSign)?;
        let local = canonical_local_part(local).ok_or(EmailError::LocalPart)?;
        let domain = canonical_domain(domain).ok_or(EmailError::Domain)?;
        let address = format!("{local}@{domain}");
        if address.len() > MAX_EMAIL_BYTES {
            return Err(EmailError::TooLong);
        }
        Ok(Self(address))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CanonicalEmail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What someone typed into the login form. Every text is one; a malformed one takes the path of an unknown name (threat 139).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInName {
    /// A username.
    Username(CanonicalUsername),
    /// An e-mail address.
    Email(CanonicalEmail),
    /// Neither, so no person has it; the text is the key its failures are counted under.
    Nobody(String),
}

impl SignInName {
    /// Reads what was typed; spaces around it are a keyboard's, not the name's.
    pub fn parse(typed: &str) -> Self {
        let trimmed = typed.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        if trimmed.len() <= MAX_INPUT_BYTES
            && let Some(name) = Self::recognise(trimmed)
        {
            return name;
        }
        let folded = fold(truncate(trimmed));
        // What differs from a real name by invisible characters only shares that name's counter (threat 142).
        Self::Nobody(match Self::recognise(&folded) {
            Some(name) => name.throttle_key(),
            None => format!("nobody:{folded}"),
        })
    }

    /// The text under which failures for this name are counted while no person is known for it; once one is, count under
    /// the person's id, so that username and e-mail address share a counter (threat 142).
    pub fn throttle_key(&self) -> String {
        match self {
            Self::Username(name) => format!("name:{name}"),
            Self::Email(address) => format!("mail:{address}"),
            Self::Nobody(key) => key.clone(),
        }
    }

    fn recognise(text: &str) -> Option<Self> {
        match CanonicalUsername::parse(text) {
            Ok(name) => Some(Self::Username(name)),
            Err(_) => CanonicalEmail::parse(text).ok().map(Self::Email),
        }
    }
}

/// Most characters of a canonical username.
pub const MAX_USERNAME_CHARS: usize = 64;
/// Most bytes of a canonical e-mail address (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;
/// Most bytes of any name that is looked at.
const MAX_INPUT_BYTES: usize = 1024;
const FULLWIDTH_AT: char = '＠';

/// UsernameCaseMapped, applied until nothing changes (RFC 8264 §7: at most three times, else refused).
fn case_mapped(text: &str) -> Option<String> {
    let mut name = text.to_owned();
    for _ in 0..3 {
        // The profile maps letter by letter, so ΝΙΚΟΣ would not meet νικος: the final sigma is the sigma.
        let next = UsernameCaseMapped::enforce(name.as_str()).ok()?.replace('ς', "σ");
        if next == name {
            return Some(next);
        }
        name = next;
    }
    None
}

fn refuse_look_alikes(name: &str) -> Result<(), UsernameError> {
    let mut writing: Option<Script> = None;
    let mut previous = None;
    for c in name.chars() {
        let repeated_mark = is_combining_mark(c) && previous == Some(c);
        previous = Some(c);
        if repeated_mark || (c.is_numeric() && !c.is_ascii()) {
            return Err(UsernameError::Disallowed);
        }
        if c.is_ascii() && !c.is_ascii_alphabetic() {
            continue;
        }
        let script = script_of(c).ok_or(UsernameError::Disallowed)?;
        writing = match writing {
            None => Some(script),
            Some(so_far) => Some(so_far.together_with(script).ok_or(UsernameError::MixedScripts)?),
        };
    }
    let mut beyond_ascii = name.chars().filter(|c| !c.is_ascii()).peekable();
    if beyond_ascii.peek().is_some() && beyond_ascii.all(|c| TWINS_OF_ASCII.contains(c)) {
        return Err(UsernameError::LooksLikeAscii);
    }
    Ok(())
}

/// A script that names may be written in, or the writing system that several of them form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    /// One that stands alone, by its place in [`ALPHABETS`].
    Alphabet(usize),
    Han,
    Kana,
    Hangul,
    Bopomofo,
}

impl Script {
    /// The writing that both belong to, if one does (UTS 39 §5.1: Jpan, Kore, Hanb).
    fn together_with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, two) if one == two => Some(one),
            (Self::Han, east @ (Self::Kana | Self::Hangul | Self::Bopomofo))
            | (east @ (Self::Kana | Self::Hangul | Self::Bopomofo), Self::Han) => Some(east),
            _ => None,
        }
    }
}

fn script_of(c: char) -> Option<Script> {
    match c {
        '\u{3005}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{323AF}' => {
            Some(Script::Han)
        }
        '\u{3041}'..='\u{309F}' | '\u{30A0}'..='\u{30FF}' => Some(Script::Kana),
        '\u{AC00}'..='\u{D7A3}' => Some(Script::Hangul),
        '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' => Some(Script::Bopomofo),
        '\u{200C}' | '\u{200D}' => None,
        _ => ALPHABETS
            .iter()
            .position(|ranges| ranges.iter().any(|&(first, last)| (first..=last).contains(&c)))
            .map(Script::Alphabet),
    }
}

/// The recommended scripts of UAX 31 (table 5), a line each; optional vowel points of Hebrew and Arabic, clicks, phonetic letters
/// and historic extensions are left out, being hard to tell from their neighbours.
const ALPHABETS: &[&[(char, char)]] = &[
    &[('A', 'Z'), ('a', 'z'), ('·', '·'), ('ß', 'ö'), ('ø', 'ƿ'), ('Ǆ', 'ɏ'), ('Ḁ', 'ỿ')], // Latin
    &[('Ͱ', 'Ͽ'), ('ἀ', '῿')],                                                             // Greek
    &[('Ѐ', 'ҁ'), ('Ҋ', 'ԯ')],                                                             // Cyrillic
    &[('Ա', 'և')],                                                                         // Armenian
    &[('א', '״')],                                                                         // Hebrew
    &[('ؠ', 'ي'), ('ٮ', 'ۓ'), ('ە', 'ە'), ('ۮ', 'ۿ'), ('ݐ', 'ݿ')],                         // Arabic
    &[('\u{0780}', '\u{07B1}')],                                                           // Thaana
    &[('\u{0900}', '\u{097F}')],                                                           // Devanagari
    &[('\u{0980}', '\u{09FF}')],                                                           // Bengali
    &[('\u{0A00}', '\u{0A7F}')],                                                           // Gurmukhi
    &[('\u{0A80}', '\u{0AFF}')],                                                           // Gujarati
    &[('\u{0B00}', '\u{0B7F}')],                                                           // Oriya
    &[('\u{0B80}', '\u{0BFF}')],                                                           // Tamil
    &[('\u{0C00}', '\u{0C7F}')],                                                           // Telugu
    &[('\u{0C80}', '\u{0CFF}')],                                                           // Kannada
    &[('\u{0D00}', '\u{0D7F}')],                                                           // Malayalam
    &[('\u{0D80}', '\u{0DFF}')],                                                           // Sinhala
    &[('\u{0E00}', '\u{0E7F}')],                                                           // Thai
    &[('\u{0E80}', '\u{0EFF}')],                                                           // Lao
    &[('\u{0F00}', '\u{0FFF}')],                                                           // Tibetan
    &[('\u{1000}', '\u{109F}')],                                                           // Myanmar
    &[('\u{10A0}', '\u{10FF}'), ('\u{1C90}', '\u{1CBF}'), ('\u{2D00}', '\u{2D2F}')],       // Georgian
    &[('\u{1200}', '\u{137F}')],                                                           // Ethiopic
    &[('\u{1780}', '\u{17FF}')],                                                           // Khmer
];

/// Letters (in lower case) that the usual typefaces draw like an ASCII letter or digit (from UTS 39's confusables): Latin, Cyrillic, Greek,
/// Armenian, then the circles and strokes of further scripts.
const TWINS_OF_ASCII: &str = "ıȷƅƽƨƿȝаеорсухіјѕԁһԛԝӏѵүαγικνορσυχϳօհոսցզյռլѡסןاهഠଠဝ";

/// The local part and the domain, around the only `@` outside quotes.
fn split_at_sign(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.rsplit_once('@')?;
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    (quoted || !local.contains('@')).then_some((local, domain))
}

/// Unquoted text maps like a username; quoted text is printable ASCII, and loses quotes it does not need, so that one mailbox
/// has one form (RFC 5321 §4.1.2).
fn canonical_local_part(local: &str) -> Option<String> {
    let Some(inner) = local.strip_prefix('"') else {
        return (!local.contains('"')).then(|| case_mapped(local))?;
    };
    let mut content = String::new();
    let mut rest = inner.strip_suffix('"')?.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '\\' => rest.next()?,
            '"' => return None,
            _ => c,
        };
        if !(' '..='~').contains(&c) {
            return None;
        }
        content.push(c.to_ascii_lowercase());
    }
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if content.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext)) {
        return Some(content);
    }
    let escaped = content.replace('\\', "\\\\").replace('"', "\\\"");
    (!content.is_empty()).then(|| format!("\"{escaped}\""))
}

/// The domain in ASCII and lower case; no address literal.
fn canonical_domain(domain: &str) -> Option<String> {
    if domain.contains('%') {
        return None; // the parser below is a URL's and would decode it
    }
    let Ok(url::Host::Domain(ascii)) = url::Host::parse(domain) else {
        return None;
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    ascii.split('.').all(is_label).then_some(ascii)
}

/// The longest start of `text` that is no longer than what is looked at.
fn truncate(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_INPUT_BYTES)]
}

/// What is left of a text when case, width, composition, spaces and invisible characters do not count.
fn fold(text: &str) -> String {
    let visible = |c: &char| !c.is_whitespace() && !c.is_control() && !is_ignorable(*c);
    let lower: String = text.nfkc().filter(visible).flat_map(char::to_lowercase).collect();
    lower.replace('ς', "σ").nfkc().filter(visible).collect()
}

/// Default_Ignorable_Code_Point (UAX 44): what is drawn as nothing.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
#[path = "username_tests.rs"]
mod tests;
