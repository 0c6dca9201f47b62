//! Mails leave by the operator's own server (RFC 6409), over TLS unless it is on the loopback. What a mail says is decided by those
//! who write it; that it arrives is the next server's.

use crate::config::{self, MailSecurity, TrustedCertificate};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use std::time::{Duration, SystemTime};
use tokio::sync::OnceCell;

/// What sends mails, under one configuration.
pub struct Mailer {
    settings: config::Mail,
    trusted: Vec<TrustedCertificate>,
    transport: OnceCell<AsyncSmtpTransport<Tokio1Executor>>,
}

/// A mail, in plain text.
#[derive(Clone)]
pub struct Letter<'a> {
    /// To whom.
    pub to: &'a str,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// Its name; the same for every attempt, so that two copies can be told to be one (RFC 5322 §3.6.4).
    pub id: String,
    /// The tag of the language it is in (RFC 3282).
    pub language: &'static str,
    /// When it was written.
    pub written_at: SystemTime,
}

/// Why a mail did not leave; holds nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It cannot be written so, and never will be.
    #[error("the mail cannot be written: {0}")]
    Unwritable(String),
    /// The server will not take it, now or later.
    #[error("the mail server refused it: {0}")]
    Refused(String),
    /// The server will not take this one now.
    #[error("the mail server put it off: {0}")]
    Deferred(String),
    /// The server did not answer, or takes nothing for now.
    #[error("the mail server did not take it: {0}")]
    Unreached(String),
}

/// How long the server may take for one step.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a mail may take.
const LONGEST: Duration = Duration::from_secs(45);

impl Mailer {
    /// What sends by these settings; the certificates are believed beside the system's.
    pub fn new(settings: &config::Mail, trusted: &[TrustedCertificate]) -> Self {
        Self { settings: settings.clone(), trusted: trusted.to_vec(), transport: OnceCell::new() }
    }

    /// The server's name, for the pace of deliveries.
    pub fn server(&self) -> String {
        format!("smtp {}:{}", self.settings.server, self.settings.port)
    }

    /// Hands a mail to the server.
    ///
    /// # Errors
    /// `Unwritable` and `Refused` are for good, `Unreached` is not.
    pub async fn send(&self, letter: &Letter<'_>) -> Result<(), MailError> {
        let message = self.write(letter)?;
        let transport = self.transport.get_or_try_init(|| self.connect()).await?;
        // less than a message is held for, whatever the server's steps add up to
        let Ok(sent) = tokio::time::timeout(LONGEST, transport.send(message)).await else {
            return Err(MailError::Unreached("it does not answer in time".to_owned()));
        };
        match sent {
            Ok(_) => Ok(()),
            Err(why) if why.is_permanent() => Err(MailError::Refused(status(&why))),
            // RFC 5321 §3.8: 421 closes the door to everybody; any other answer is about this mail, from a server that is there
            Err(why) if why.is_transient() && why.status().is_some_and(|code| code.to_string() != "421") => {
                Err(MailError::Deferred(status(&why)))
            }
            Err(why) => Err(MailError::Unreached(status(&why))),
        }
    }

    fn write(&self, letter: &Letter<'_>) -> Result<Message, MailError> {
        let unwritable = |why: &dyn std::fmt::Display| MailError::Unwritable(why.to_string());
        let from: Mailbox = self.settings.from.parse().map_err(|why| unwritable(&why))?;
        let to: Address =
            letter.to.parse().map_err(|_| unwritable(&"the address is none that mail goes to"))?;
        // RFC 3834 §5: nobody's holiday notice is to answer
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let language =
            HeaderValue::new(HeaderName::new_from_ascii_str("Content-Language"), letter.language.to_owned());
        Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .message_id(Some(letter.id.clone()))
            .date(letter.written_at)
            .raw_header(automatic)
            .raw_header(language)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.clone())
            .map_err(|why| unwritable(&why))
    }

    async fn connect(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
        let config::Mail { server, port, security, credentials, .. } = &self.settings;
        let host = server.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match security {
            MailSecurity::None => Tls::None,
            MailSecurity::StartTls => Tls::Required(self.trust(host.clone()).await?),
            MailSecurity::Implicit => Tls::Wrapper(self.trust(host.clone()).await?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(*port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        Ok(match credentials {
            Some(known) => {
                let password = known.password.expose().to_owned();
                builder.credentials(Credentials::new(known.username.clone(), password)).build()
            }
            None => builder.build(),
        })
    }

    /// Reads the system's certificates, which takes a moment, off the runtime's threads.
    async fn trust(&self, host: String) -> Result<TlsParameters, MailError> {
        let trusted = self.trusted.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut builder = TlsParameters::builder(host).certificate_store(CertificateStore::Default);
            for certificate in trusted {
                builder = builder.add_root_certificate(Certificate::from_der(certificate.0)?);
            }
            builder.build()
        });
        let read = reading.await.map_err(|_| MailError::Unreached("the server is stopping".to_owned()))?;
        read.map_err(|why| MailError::Unreached(why.to_string()))
    }
}

/// What went wrong, without the server's own words: they may repeat the mail's.
fn status(why: &lettre::transport::smtp::Error) -> String {
    match why.status() {
        Some(code) => format!("status {code}"),
        None if why.is_timeout() => "it does not answer in time".to_owned(),
        None if why.is_tls() => format!("TLS: {why}"),
        None => why.to_string(),
    }
}
