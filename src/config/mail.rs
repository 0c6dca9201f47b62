//! `[mail]`: the server that mails leave by, and from whom they are. Its presence turns "forgot password" on.

use super::reader::{Reader, Section, Site};
use super::secrets::{ClearText, secret_of};
use super::tree::shown;
use crate::model::secret::{Secret, constant_time_eq};
use url::Host;

/// How mails leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The host of the server that takes them (RFC 6409).
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the way there is closed to others.
    pub security: MailSecurity,
    /// From whom they are (RFC 5322 §3.6.2).
    pub from: String,
    /// Who this server is to that one, where it asks.
    pub credentials: Option<MailCredentials>,
}

/// A name and a password.
#[derive(Clone, Debug)]
pub struct MailCredentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

impl PartialEq for MailCredentials {
    fn eq(&self, other: &Self) -> bool {
        let same = constant_time_eq(self.password.expose().as_bytes(), other.password.expose().as_bytes());
        self.username == other.username && same
    }
}

impl Eq for MailCredentials {}

/// How the way to the mail server is closed to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// By STARTTLS, without which nothing is said (RFC 3207).
    StartTls,
    /// By TLS from the beginning (RFC 8314 §3.3).
    Implicit,
    /// Not at all: on the loopback only.
    None,
}

impl MailSecurity {
    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
            Self::None => "none",
        }
    }

    /// The port that goes with it (RFC 6409 §3.1, RFC 8314 §3.3).
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// Reads `[mail]`; nothing when it is not there, or not whole.
pub(super) fn mail(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Option<Mail> {
    root.get("mail")?;
    let mut section = reader.section(root, "mail");
    if !section.is_table() {
        return None;
    }
    let server = match section.get("server") {
        Some(_) => reader.text(&mut section, "server"),
        None => missing(reader, &section, "server", "`server = \"smtp.example.com\"`"),
    };
    let server = server.and_then(|(text, site)| {
        let host = is_host(&text).then(|| text.to_ascii_lowercase());
        if host.is_none() {
            reader.refuse(&site, "invalid-value", shown(&text), "a host, such as \"smtp.example.com\"");
        }
        host.map(|host| (host, site))
    });
    let expected = "`starttls`, `implicit` or, on the loopback, `none`";
    let security = reader.parsed(&mut section, "security", expected, |text| match text {
        "starttls" => Some(MailSecurity::StartTls),
        "implicit" => Some(MailSecurity::Implicit),
        "none" => Some(MailSecurity::None),
        _ => None,
    });
    let security = security.unwrap_or(MailSecurity::StartTls);
    if let Some((host, site)) = &server
        && security == MailSecurity::None
        && !is_loopback(host)
    {
        let found = format!("`security = \"none\"` for {}", shown(host));
        reader.refuse(site, "contradiction", found, "it on localhost, 127.0.0.1 or [::1] only").hint =
            "a link in a mail opens an account: use starttls or implicit".into();
    }
    let port = reader.integer(&mut section, "port", 1..=65_535).and_then(|port| u16::try_from(port).ok());
    let expected = "an address, such as \"Example <no-reply@example.com>\"";
    let from = match section.get("from") {
        Some(_) => reader.parsed(&mut section, "from", expected, |text| {
            text.parse::<lettre::message::Mailbox>().is_ok().then(|| text.to_owned())
        }),
        None => missing(reader, &section, "from", "`from = \"Example <no-reply@example.com>\"`")
            .map(|(text, _)| text),
    };
    let credentials = credentials(reader, &mut section);
    reader.finish(&section);
    let ((server, _), from) = (server?, from?);
    Some(Mail { server, port: port.unwrap_or(security.usual_port()), security, from, credentials })
}

fn credentials(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<MailCredentials> {
    let username = reader.text(section, "username");
    let password = reader.take(section, "password").map(|(node, site)| {
        let hint = "write it into a file of its own, mode 0600, and `password = { file = \"…\" }` here";
        (secret_of(reader, node, &site, ClearText::Refused(hint)), site)
    });
    match (username, password) {
        (Some((username, _)), Some((password, _))) => Some(MailCredentials { username, password: password? }),
        (Some((_, site)), None) => {
            reader.refuse(&site, "missing-key", "`username` without `password`", "both or neither");
            None
        }
        (None, Some((_, site))) => {
            reader.refuse(&site, "missing-key", "`password` without `username`", "both or neither");
            None
        }
        (None, None) => None,
    }
}

fn missing(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &'static str,
    expected: &str,
) -> Option<(String, Site)> {
    let site = Site { place: section.site.place.clone(), key: section.path(key) };
    reader.refuse(&site, "missing-key", format!("no `{key}`"), expected);
    None
}

fn is_host(text: &str) -> bool {
    Host::parse(text).is_ok_and(|host| host.to_string().eq_ignore_ascii_case(text))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
