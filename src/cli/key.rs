//! `portreeve key`: which keys sign, their successors, and taking one out in an emergency. When a key signs is told by
//! `keys::rotation`.

use crate::cli::ConfigOption;
use crate::cli::office::Office;
use crate::cli::terminal::{Format, FormatOption, moment, note, say, say_json};
use crate::keys::rotation::{Due, Rotation};
use crate::keys::{Keys, SecretPurposes};
use crate::model::signing_key::{KeyState, StoredSigningKey, states};
use crate::protocol::identifiers::KeyId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::signing_keys;
use anyhow::Context as _;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;

/// The options of `key`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows every signing key and where it stands
    List(FormatOption),
    /// Announces a successor for every algorithm; it signs once everyone can know it
    Rotate,
    /// Takes a key out at once: what it signed is refused from now on
    Retire {
        /// The key, as `key list` names it
        #[arg(value_name = "KID", value_parser = KeyId::parse, allow_hyphen_values = true)]
        kid: KeyId,
    },
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let office = Office::open(&options.config).await?;
    match options.command {
        Command::List(output) => list(&office, output.format).await?,
        Command::Rotate => rotate(&office).await?,
        Command::Retire { kid } => retire(&office, &kid).await?,
    }
    office.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(office: &Office, format: Format) -> anyhow::Result<()> {
    let keys = keys(office).await?;
    let states = states(&keys, office.circumstances.now);
    let mut documents = Vec::new();
    for (key, state) in keys.iter().zip(states) {
        let (since, signs_from) = (moment(since(key, state)), moment(key.signs_from));
        let (kid, algorithm, state) = (&key.id, key.algorithm.as_str(), state.as_str());
        match format {
            Format::Human => {
                say(&format!("{kid}  {algorithm:<5}  {state:<9}  since {since}  signs from {signs_from}"))?;
            }
            Format::Json => documents.push(json!({
                "kid": kid.as_str(), "algorithm": algorithm, "state": state, "since": since, "signs_from": signs_from,
            })),
        }
    }
    match format {
        Format::Human if keys.is_empty() => {
            note("there are no keys yet: the server makes them when it starts");
            Ok(())
        }
        Format::Human => Ok(()),
        Format::Json => say_json(&json!({ "keys": documents })),
    }
}

async fn rotate(office: &Office) -> anyhow::Result<()> {
    let rotation = rotation(office).await?;
    let algorithms = &office.config.signing_keys.algorithms;
    let made = rotation.ensure(algorithms, Due::Now, &office.circumstances).await?;
    let keys = keys(office).await?;
    for key in keys.iter().filter(|key| made.contains(&key.id)) {
        say(&signs_from(key, office.circumstances.now))?;
    }
    let now = office.circumstances.now;
    let waiting = keys.iter().zip(states(&keys, now)).filter(|(key, state)| {
        *state == KeyState::Announced && !made.contains(&key.id) && algorithms.contains(&key.algorithm)
    });
    for (key, _) in waiting {
        let (kid, algorithm) = (&key.id, key.algorithm.as_str());
        let moment = moment(key.signs_from);
        note(&format!("{algorithm}: the successor {kid} is announced already, and signs from {moment}"));
    }
    Ok(())
}

async fn retire(office: &Office, kid: &KeyId) -> anyhow::Result<()> {
    let rotation = rotation(office).await?;
    let before = keys(office).await?;
    let was_out = before.iter().zip(states(&before, office.circumstances.now));
    let was_out = was_out.filter(|(key, _)| key.id == *kid).any(|(_, state)| state == KeyState::Removed);
    let made = rotation.retire(kid, &office.circumstances).await;
    let made =
        made.with_context(|| format!("{kid} was not taken out (`portreeve key list` shows the keys)"))?;
    if was_out {
        note(&format!("{kid} was out already"));
    } else {
        say(&format!(
            "{kid} is out: what it signed is refused as soon as every replica has read the keys again"
        ))?;
    }
    for key in keys(office).await?.iter().filter(|key| made.contains(&key.id)) {
        say(&signs_from(key, office.circumstances.now))?;
    }
    Ok(())
}

/// Opens the rotation, once it is sure that the secret key of the configuration is the one of the server.
async fn rotation(office: &Office) -> anyhow::Result<Rotation> {
    let sealing = SecretPurposes::derive(&office.config.secret_keys).sealing;
    let now = office.circumstances.now;
    let opened = Keys::open(&office.store, Arc::clone(&sealing), &office.entropy, now).await;
    opened.context("the secret_key of this configuration does not open the keys of the store")?;
    Ok(Rotation {
        store: office.store.clone(),
        sealing,
        entropy: Arc::clone(&office.entropy),
        trail: office.trail.clone(),
        token_life: office.config.lifetimes.longest_token(),
    })
}

async fn keys(office: &Office) -> anyhow::Result<Vec<StoredSigningKey>> {
    Ok(office.store.read(|connection| Box::pin(signing_keys::list(connection))).await?)
}

fn since(key: &StoredSigningKey, state: KeyState) -> Timestamp {
    match state {
        KeyState::Announced => key.announced_at,
        KeyState::Signing => key.signs_from,
        KeyState::Retired { since } => since,
        KeyState::Removed => key.removed_at.unwrap_or(key.signs_from),
    }
}

fn signs_from(key: &StoredSigningKey, now: Timestamp) -> String {
    let (kid, algorithm) = (&key.id, key.algorithm.as_str());
    if key.signs_from <= now {
        return format!("{kid} ({algorithm}) is new, and signs from now on");
    }
    format!("{kid} ({algorithm}) is announced, and signs from {}", moment(key.signs_from))
}
