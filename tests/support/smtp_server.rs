//! A mail server that nobody here wrote (Debian's `python3-aiosmtpd`), on a free port of the loopback, and the mails that it took.

use crate::support::configuration::random_secret;
use crate::support::https_server::write_identity;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How the server is to be.
#[derive(Clone, Copy, Debug)]
pub struct SmtpSetting {
    /// `none`, `starttls` or `implicit`.
    pub security: &'static str,
    /// Whether it asks for a password.
    pub asks_for_password: bool,
    /// The names in its certificate.
    pub names: &'static [&'static str],
    /// What it answers to every recipient, if it takes none.
    pub refusal: Option<&'static str>,
}

impl Default for SmtpSetting {
    fn default() -> Self {
        Self { security: "none", asks_for_password: false, names: &["localhost"], refusal: None }
    }
}

/// A server that runs until it is dropped.
pub struct SmtpServer {
    /// Its port.
    pub port: u16,
    /// The certificate of its authority, in PEM.
    pub authority: PathBuf,
    /// The password that it asks for.
    pub password: String,
    mails: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
    _standard_input: ChildStdin,
    _child: Child,
}

/// A mail that was taken.
#[derive(Debug)]
pub struct Mail(pub Value);

impl Mail {
    /// A member of what the server says of it.
    pub fn fact(&self, name: &str) -> &Value {
        &self.0[name]
    }

    /// Its text as it travelled, quoted-printable undone.
    pub fn text(&self) -> String {
        let data = self.0["data"].as_str().expect("text").replace("\r\n", "\n");
        data.replace("=\n", "").replace("=3D", "=")
    }

    /// The one link in it.
    pub fn link(&self) -> String {
        let text = self.text();
        let links: Vec<&str> = text.split_whitespace().filter(|word| word.starts_with("http")).collect();
        assert_eq!(links.len(), 1, "{text}");
        links[0].to_owned()
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

impl SmtpServer {
    /// Starts one.
    pub async fn start(setting: SmtpSetting) -> Self {
        let folder = tempfile::Builder::new().prefix("portreeve-test-smtp-").tempdir().expect("a folder");
        let [authority, certificate, private_key] = write_identity(folder.path(), setting.names);
        let password = if setting.asks_for_password { random_secret() } else { String::new() };
        let settings = json!({
            "security": setting.security, "password": password, "refusal": setting.refusal,
            "certificate": certificate, "private_key": private_key,
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/smtp_server.py");
        let mut child = Command::new("/usr/bin/python3")
            .args([script, &settings.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("/usr/bin/python3 with aiosmtpd: run ./tests/run, which installs it");
        let mails = BufReader::new(child.stdout.take().expect("its output")).lines();
        let standard_input = child.stdin.take().expect("its input");
        let mut server = Self {
            port: 0,
            authority,
            password,
            mails,
            folder,
            _standard_input: standard_input,
            _child: child,
        };
        let first = server.line().await;
        server.port = first["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        server
    }

    /// The next mail that it takes.
    pub async fn mail(&mut self) -> Mail {
        Mail(self.line().await)
    }

    /// The settings under which a server under test sends by this one.
    pub fn settings(&self, security: &str) -> String {
        let mut text = format!(
            "[outbound]\ntrusted_certificates = [\"{}\"]\n[mail]\nserver = \"localhost\"\nport = {}\n\
             security = \"{security}\"\nfrom = \"Example <no-reply@example.com>\"\n",
            self.authority.display(),
            self.port,
        );
        if !self.password.is_empty() {
            let path = self.folder.path().join("password");
            std::fs::write(&path, &self.password).expect("the file can be written");
            text += &format!(
                "username = \"portreeve\"\npassword = {{ file = \"{}\", allow_readable = true }}\n",
                path.display()
            );
        }
        text
    }

    async fn line(&mut self) -> Value {
        let line = timeout(PATIENCE, self.mails.next_line()).await.expect("in time").expect("text");
        serde_json::from_str(&line.expect("it runs; is aiosmtpd installed?")).expect("JSON")
    }
}
