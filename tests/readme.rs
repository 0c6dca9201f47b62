//! The README keeps what it promises: its commands are commands, its files load, its links lead somewhere, the banner is the
//! one that `dev` prints, and the program that verifies tokens refuses what it should.

#[allow(dead_code, clippy::disallowed_methods)] // the program of a resource server, which is not this one
mod verify;

use crate::architecture::source::SOURCES;
use crate::support::browser::Browser;
use crate::support::clock::ManualClock;
use crate::support::configuration::TestConfiguration;
use crate::support::database::TestDatabase;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use portreeve::config::{self, Environment, Problem};
use portreeve::http::app::Mode;
use portreeve::model::clock::{Clock as _, SystemClock};
use portreeve::model::entropy::SystemEntropy;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const README: &str = include_str!("../README.md");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The fenced blocks: their language and their text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = README.split("```").collect();
    assert_eq!(parts.len() % 2, 1, "every fence is closed");
    parts.iter().skip(1).step_by(2).map(|block| block.split_once('\n').expect("a language, a text")).collect()
}

fn in_language(language: &str) -> Vec<&'static str> {
    blocks().into_iter().filter(|(name, _)| *name == language).map(|(_, text)| text).collect()
}

/// The text outside fenced blocks.
fn prose() -> String {
    README.split("```").step_by(2).collect()
}

/// A command line as a shell takes it apart, as far as the README goes: quotes, pipes, redirections.
fn commands_of(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word, mut quote) =
        (Vec::new(), Vec::new(), None::<String>, None::<char>);
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None if "|&;<>()".contains(c) => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
            }
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    commands.push(words);
    commands
}

/// What follows the program's name in a command, when it is one of ours: `sudo -u portreeve portreeve check` is.
fn arguments_of(command: &[String]) -> Option<Vec<String>> {
    let named = command.iter().rposition(|word| word == "portreeve");
    let cargo = command.starts_with(&["cargo".to_owned(), "run".to_owned(), "--release".to_owned()]);
    let at = if cargo { command.iter().position(|word| word == "--") } else { named }?;
    let arguments = &command[at + 1..];
    // `sudo -u portreeve sh -c …` is no command of ours, nor is the creation of a role of this name.
    let is_command = |word: &String| word != "sh" && word.chars().all(|c| c.is_ascii_lowercase());
    arguments.first().filter(|first| is_command(first)).map(|_| arguments.to_vec())
}

fn parse(arguments: &[String]) -> Result<(), clap::Error> {
    let words = std::iter::once("portreeve").chain(arguments.iter().map(String::as_str));
    match portreeve::cli::Arguments::command().try_get_matches_from(words) {
        Err(error) if error.kind() != ErrorKind::DisplayHelp => Err(error),
        _ => Ok(()),
    }
}

#[test]
fn every_command_that_can_be_pasted_is_one() {
    let lines = in_language("sh").into_iter().flat_map(str::lines).flat_map(commands_of);
    let ours: Vec<Vec<String>> = lines.filter_map(|command| arguments_of(&command)).collect();
    assert!(ours.len() > 10, "{ours:?}");
    for arguments in ours {
        parse(&arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }
}

#[test]
fn every_command_that_is_mentioned_exists() {
    let prose = prose();
    let spans = prose.split('`').skip(1).step_by(2);
    let ours: Vec<Vec<String>> =
        spans.flat_map(commands_of).filter_map(|command| arguments_of(&command)).collect();
    assert!(ours.len() > 10, "{ours:?}");
    for arguments in ours {
        // A mention may leave out what the command cannot do without, or say what goes there.
        if let Err(error) = parse(&arguments) {
            let incomplete = match error.kind() {
                ErrorKind::MissingRequiredArgument | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                    true
                }
                ErrorKind::ValueValidation => arguments.iter().any(|word| word == "ID"),
                _ => false,
            };
            assert!(incomplete, "{arguments:?}: {error}");
        }
    }
}

#[test]
fn every_metric_and_event_that_is_mentioned_exists() {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = README.split(|c: char| !is_part(c));
    let metrics: BTreeSet<&str> = words.filter(|word| word.starts_with("portreeve_")).collect();
    assert!(metrics.len() >= 5, "{metrics:?}");
    let is_told =
        |metric: &str| SOURCES.iter().any(|source| source.speech.contains(&format!("!(\"{metric}\"")));
    assert!(!is_told("portreeve_outbox_lost_total"));
    for metric in metrics {
        assert!(is_told(metric), "{metric}");
    }
    let prose = prose();
    let spans = prose.split('`').skip(1).step_by(2);
    for event in spans.filter(|span| span.starts_with("logout_token.") || span.starts_with("outbox.")) {
        let quoted = format!("\"{event}\"");
        assert!(SOURCES.iter().any(|source| source.speech.contains(&quoted)), "{event}");
    }
}

/// Loads a block as the configuration that it is a part of, or as a file of clients beside the example.
fn load(block: &str) -> Result<(), Vec<Problem>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("portreeve.toml");
    config::init::initialize(&path, None, &SystemEntropy).expect("written");
    let secret = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("closed");
    };
    secret("secret-2.key", &config::init::new_secret_key(&SystemEntropy));
    secret("mail.password", "the mail server's\n");
    secret("database.url", "postgres://portreeve:PASSWORD@localhost/portreeve\n");
    let made = rcgen::generate_simple_self_signed(["auth.example.com".to_owned()]).expect("a certificate");
    secret("server.pem", &made.cert.pem());
    secret("server.key", &made.signing_key.serialize_pem());
    if block.contains("[[client]]") {
        secret("clients/readme.toml", block);
    } else {
        let without = |what: &str, line: &'static str| if block.contains(what) { "" } else { line };
        let text = [
            "issuer = \"https://auth.example.com\"\n",
            without("secret_key =", "secret_key = { file = \"secret.key\" }\n"),
            block,
            without("[database]", "[database]\nurl = \"sqlite://data/portreeve.db\"\n"),
        ];
        std::fs::write(&path, text.concat()).expect("written");
    }
    config::load(&path, &Environment::new::<String, String>([], folder.path())).map(drop)
}

#[test]
fn every_file_in_toml_loads() {
    let blocks = in_language("toml");
    assert!(blocks.len() > 3);
    for block in blocks {
        // The client's redirect URI is on the loopback, for the issuer of the walk.
        let block = block.replace("http://localhost:3000", "https://photos.example.com");
        load(&block).unwrap_or_else(|problems| panic!("{block}\n{problems:#?}"));
    }
    assert!(load("[listen]\nadress = \"127.0.0.1:8080\"\n").is_err());
    assert!(load("[[client]]\nclient_id = \"x\"\ncolour = 1\n").is_err());
}

#[test]
fn links_and_pictures_lead_somewhere() {
    let prose = prose();
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let pictures: Vec<&str> =
        prose.split("<img src=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(pictures.len() > 3);
    let headings: Vec<String> =
        prose.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
    // Pictures come with the repository's dotfiles, which an archive of the sources may lack.
    let has_pictures = Path::new(ROOT).join(".github/pictures").is_dir();
    for link in links.chain(pictures.into_iter().filter(|_| has_pictures)) {
        match link.strip_prefix('#') {
            Some(heading) => assert!(headings.iter().any(|known| known == heading), "#{heading}"),
            None if link.starts_with("http://localhost:") || link.starts_with("https://") => {}
            None => assert!(Path::new(ROOT).join(link).exists(), "{link}"),
        }
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ')
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// A demo server, stopped when dropped.
struct Demo {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Demo {
    /// Starts one on a port that was free a moment ago, as was the next.
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = loop {
            let held = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = held.local_addr().expect("its address").port();
            if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
                break port;
            }
        };
        let process = Command::new(env!("CARGO_BIN_EXE_portreeve"))
            .args(["dev", "--port", &port.to_string()])
            .env_clear()
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        Self { process, port, _folder: folder }
    }

    /// What it prints from the line with the issuer to the last of the `curl`.
    fn banner(&mut self) -> Vec<String> {
        let lines = BufReader::new(self.process.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut banner: Vec<String> = Vec::new();
        for line in lines.skip_while(|line| !line.starts_with("issuer ")) {
            let is_last = line.trim_start().starts_with("http://") && line.ends_with("/token");
            banner.push(line);
            if is_last {
                return banner;
            }
        }
        panic!("the demo ended early: {banner:?}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A line of the banner with what is generated left out.
fn shape(line: &str) -> String {
    let secret = |line: &str, before: &str| {
        line.strip_prefix(before).map(|rest| format!("{before}…{}", rest.trim_start_matches(|c| c != ' ')))
    };
    let hidden = secret(line, "password    ").or_else(|| secret(line, "curl -u photo-backup:"));
    hidden.unwrap_or_else(|| line.to_owned())
}

#[tokio::test]
async fn dev_prints_what_the_tour_shows_and_its_curl_gets_a_token() {
    let mut demo = Demo::start();
    let banner = demo.banner();
    let usual = |line: &String| {
        let ports = [(demo.port, ":8080"), (demo.port + 1, ":8081")];
        ports.iter().fold(shape(line), |line, (port, usual)| line.replace(&format!(":{port}"), usual))
    };
    let block = in_language("").into_iter().find(|text| text.starts_with("issuer ")).expect("a banner");
    let shown: Vec<String> = block.lines().map(shape).collect();
    assert_eq!(banner.iter().map(usual).collect::<Vec<_>>(), shown);

    let curl: Vec<&str> =
        banner.iter().map(String::as_str).skip_while(|line| !line.starts_with("curl ")).collect();
    let curl = curl.join(" ").replace('\\', "");
    let words: Vec<&str> = curl.split_whitespace().collect();
    let ["curl", "-u", client, "-d", grant_type, "--data-urlencode", resource, url] = words[..] else {
        panic!("{words:?}");
    };
    let (id, secret) = client.split_once(':').expect("an id, a secret");
    let parameters: Vec<(&str, &str)> =
        [grant_type, resource].iter().filter_map(|pair| pair.split_once('=')).collect();
    let answer = reqwest::Client::new().post(url).basic_auth(id, Some(secret)).form(&parameters).send().await;
    let answer: serde_json::Value = answer.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["token_type"], "Bearer", "{answer}");
}

#[test]
fn the_program_in_rust_is_the_one_that_is_tested() {
    assert_eq!(in_language("rust"), [include_str!("readme/verify.rs")]);
}

/// RFC 9068 §4: what it opens, and what it refuses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_in_rust_takes_an_access_token_for_its_api_and_nothing_else() {
    // Its library asks the machine for the time.
    let clock = ManualClock::new();
    clock.set(SystemClock.now());
    let (database, another) = (TestDatabase::sqlite(), TestDatabase::sqlite());
    let server = |database, issuer| {
        let configuration = Arc::new(TestConfiguration::with(database, issuer, "", ""));
        TestServer::compose(configuration, clock.clone(), Mode::Serve)
    };
    let ours = server(&database, verify::ISSUER).await;
    let other = server(&another, "http://localhost:9999").await;
    ours.add_person("ada", json!({})).await;
    let keys = serde_json::from_value(ours.jwks().await).expect("keys");
    let service = async |server: &TestServer, scope| {
        let parameters = [("grant_type", "client_credentials"), ("scope", scope)];
        server.post_as("service", "/token", &parameters).await.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    };
    let good = service(&ours, "photos.read").await;
    let opened = verify::verify(&good, &keys).expect("it is good");
    assert_eq!(
        (opened.sub.as_str(), opened.client_id.as_str(), opened.scope.as_str()),
        ("service", "service", "photos.read")
    );

    let tokens = RelyingParty::new("web", "openid mail.read").tokens(&ours, &mut Browser::new()).await;
    let (head, signature) = good.rsplit_once('.').expect("a signature");
    let foreign = service(&other, "photos.read").await;
    clock.set(SystemClock.now().minus(Duration::from_secs(3600)));
    let expired = service(&ours, "photos.read").await;
    for (what, token) in [
        ("an ID token", tokens.id()),
        ("a token for another API", tokens.access()),
        ("a token of another server", &foreign),
        ("an expired token", &expired),
        ("a token without its signature", &format!("{head}.")),
        (
            "a token with another's signature",
            &format!("{}.{signature}", expired.rsplit_once('.').expect("parts").0),
        ),
        ("no token", "x.y.z"),
    ] {
        assert!(verify::verify(token, &keys).is_err(), "{what}");
    }
}
