//! `portreeve client`: writes the table of a new client and its secret, and shows the clients of the configuration; never a
//! secret of theirs, nor a hash. What a client may be is decided by `protocol::client_metadata`.

use crate::cli::ConfigOption;
use crate::cli::office;
use crate::cli::terminal::{Format, FormatOption, Usage, note, say, say_json};
use crate::config::{self, Environment};
use crate::model::client::{Client, ClientSecret, ConsentPolicy, PkcePolicy, RefreshTokenRotation};
use crate::model::entropy::{Entropy, SystemEntropy};
use crate::model::secret::Secret;
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::grant_type::GrantType;
use crate::protocol::identifiers::ClientId;
use crate::protocol::redirect_uri::Deployment;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::process::ExitCode;

/// The options of `client`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Prints the table of a new client, to paste into a file of the folder of clients; its secret goes to standard error
    New(New),
    /// Lists the clients of the configuration
    List(FormatOption),
    /// Shows one client of the configuration
    Show {
        /// Its client_id
        #[arg(value_name = "ID", value_parser = ClientId::parse)]
        id: ClientId,
        #[command(flatten)]
        output: FormatOption,
    },
    /// Prints a new secret, and the line with its hash to paste
    Secret,
}

#[derive(Debug, clap::Args)]
struct New {
    /// Its client_id
    #[arg(long, value_name = "ID", value_parser = ClientId::parse)]
    id: ClientId,
    /// What people read
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where people come back to; may be given several times
    #[arg(
        long = "redirect-uri",
        value_name = "URI",
        required_unless_present = "service",
        conflicts_with = "service"
    )]
    redirect_uris: Vec<String>,
    /// Where people may land after signing out; may be given several times
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", conflicts_with = "service")]
    post_logout_redirect_uris: Vec<String>,
    /// It can keep no secret: a single-page, mobile or desktop application
    #[arg(long, conflicts_with = "service")]
    public: bool,
    /// It acts for itself: client credentials, no people
    #[arg(long)]
    service: bool,
    /// It is installed on a device: loopback and private-use redirect URIs (RFC 8252)
    #[arg(long, requires = "public")]
    native: bool,
    /// The most that it may ask for
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
}

pub(super) fn run(options: Options) -> anyhow::Result<ExitCode> {
    match options.command {
        Command::New(new) => write_new(&options.config, new)?,
        Command::List(output) => list(&office::load(&options.config)?.config.clients, output.format)?,
        Command::Show { id, output } => {
            let clients = office::load(&options.config)?.config.clients;
            let client = clients.iter().find(|client| client.id == id);
            let client =
                client.ok_or_else(|| anyhow::anyhow!("there is no client {id} in the configuration"))?;
            show(client, output.format)?;
        }
        Command::Secret => {
            let (secret, hash) = new_secret(&SystemEntropy);
            say(secret.expose())?;
            say(&hash)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_new(option: &ConfigOption, new: New) -> anyhow::Result<()> {
    let deployment = match config::load(&option.config, &Environment::of_process()) {
        Ok(loaded) => {
            if loaded.config.clients.iter().any(|client| client.id == new.id) {
                anyhow::bail!("there is a client {} already: choose another --id", new.id);
            }
            loaded.config.deployment()
        }
        Err(_) => {
            note(
                "the configuration cannot be used, so the new client was not compared with it (`portreeve check` says why)",
            );
            Deployment::Production
        }
    };
    let confidential = !new.public;
    let members = members(new);
    ClientMetadata::from_members(&Map::from_iter(members.clone()), deployment).map_err(|problems| {
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| {
                let index = problem.index.map(|index| format!("[{index}]")).unwrap_or_default();
                format!("{}{index}: found {}, expected {}", problem.member, problem.found, problem.expected)
            })
            .collect();
        Usage(format!("no client can be like that\n{}", lines.join("\n")))
    })?;
    say("[[client]]")?;
    for (name, value) in &members {
        say(&format!("{name} = {}", toml::Value::try_from(value)?))?;
    }
    if !members.iter().any(|(name, _)| name == "scope") {
        say("# scope = \"…\"   # the most that it may ask for")?;
    }
    if confidential {
        let (secret, hash) = new_secret(&SystemEntropy);
        say(&hash)?;
        note(&format!("the client's secret, shown this once:\n{}", secret.expose()));
    }
    Ok(())
}

/// The members of the new client, in the order that the examples have.
fn members(new: New) -> Vec<(String, Value)> {
    let mut members = Vec::new();
    let mut put = |name: &str, value: Value| members.push((name.to_owned(), value));
    put("client_id", json!(new.id.as_str()));
    if let Some(name) = &new.name {
        put("client_name", json!(name));
    }
    if new.native {
        put("application_type", json!("native"));
    }
    if !new.redirect_uris.is_empty() {
        put("redirect_uris", json!(new.redirect_uris));
    }
    if !new.post_logout_redirect_uris.is_empty() {
        put("post_logout_redirect_uris", json!(new.post_logout_redirect_uris));
    }
    let grant_types = match new.service {
        true => vec![GrantType::ClientCredentials],
        false => vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
    };
    put("grant_types", grant_types.into_iter().map(GrantType::as_str).collect());
    put("token_endpoint_auth_method", json!(if new.public { "none" } else { "client_secret_basic" }));
    if let Some(scope) = new.scope.or_else(|| (!new.service).then(|| "openid profile email".to_owned())) {
        put("scope", json!(scope));
    }
    members
}

/// A secret of 256 random bits, and the line that its SHA-256 goes into the file of clients by.
fn new_secret(entropy: &dyn Entropy) -> (Secret, String) {
    let secret = Secret::new(entropy.text::<32>());
    let digest = Sha256::digest(secret.expose().as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    (secret, format!("client_secrets = [{{ sha256 = \"{hex}\" }}]"))
}

fn list(clients: &[Client], format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            let clients: Vec<Value> =
                clients.iter().map(|client| Value::Object(document(client).into_iter().collect())).collect();
            say_json(&json!({ "clients": clients }))
        }
        Format::Human => clients.iter().try_for_each(|client| {
            let kind = if client.metadata.is_public() { "public" } else { "confidential" };
            let grant_types = client.metadata.grant_types.iter().map(|grant_type| grant_type.as_str());
            let grant_types: Vec<&str> = grant_types.collect();
            say(&format!("{}  {kind}  {}  {}", client.id, grant_types.join(" "), client.shown_name()))
        }),
    }
}

fn show(client: &Client, format: Format) -> anyhow::Result<()> {
    let document = document(client);
    match format {
        Format::Json => say_json(&Value::Object(document.into_iter().collect())),
        Format::Human => document.iter().try_for_each(|(name, value)| say(&format!("{name} = {value}"))),
    }
}

/// All that may be known of a client: its metadata, and of its secrets only their kinds.
fn document(client: &Client) -> Vec<(String, Value)> {
    let kinds = client.secrets.iter().map(|secret| match secret {
        ClientSecret::Sha256(_) => "sha256",
        ClientSecret::Argon2(_) => "argon2",
    });
    let id = [("client_id".to_owned(), json!(client.id.as_str()))];
    let settings = [
        ("client_secrets", Value::from_iter(kinds)),
        ("require_pkce", json!(client.pkce == PkcePolicy::Required)),
        ("first_party", json!(client.consent == ConsentPolicy::FirstParty)),
        ("allowed_groups", json!(client.allowed_groups)),
        ("refresh_token_rotation", json!(client.refresh_token_rotation == RefreshTokenRotation::EveryUse)),
        ("client_assertion_audience", json!(client.assertion_audience.as_str())),
        ("allowed_origins", json!(client.allowed_origins)),
    ];
    let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
    id.into_iter().chain(client.metadata.to_members()).chain(settings).collect()
}
