//! `portreeve user`: the people of the store, by the name they sign in with. What a step changes and ends is decided by
//! `users::lifecycle`; passwords are never arguments (threat 179).

use crate::cli::ConfigOption;
use crate::cli::office::Office;
use crate::cli::terminal::{
    Format, FormatOption, PasswordSource, Usage, moment, new_password, say, say_json,
};
use crate::cli::user_import;
use crate::model::claims::{ClaimError, PersonClaims, parse_assignment};
use crate::model::user::User;
use crate::model::username::CanonicalUsername;
use crate::storage::{grants, users};
use crate::users::lifecycle::{Change, Ended, LifecycleError, NewPassword, NewPerson};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// The options of `user`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Adds a person; asks for their password unless told where it comes from
    Add {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        claims: Claims,
        #[command(flatten)]
        password: PasswordOption,
        /// Without a password: nobody signs in by one
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
        /// They have to choose another password at their first sign-in
        #[arg(long, conflicts_with = "no_password")]
        must_change_password: bool,
    },
    /// Changes a person's claims; a new address is unverified unless --email-verified says otherwise
    Set {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        claims: Claims,
        /// Take a claim away; may be given several times
        #[arg(long, value_name = "CLAIM")]
        unset: Vec<String>,
        #[command(flatten)]
        password: PasswordOption,
        /// They have to choose another password at their next sign-in
        #[arg(long)]
        must_change_password: bool,
    },
    /// Lists everybody
    List(FormatOption),
    /// Shows a person and the grants they gave
    Show {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        output: FormatOption,
    },
    /// Sets a person's password, and ends their sessions and grants
    Password {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        password: PasswordOption,
    },
    /// Keeps a person out, and ends their sessions and grants
    Disable(Name),
    /// Lets a person in again; what ended stays ended
    Enable(Name),
    /// Deletes a person and everything of theirs, without asking
    Delete(Name),
    /// Adds the people of a file of JSON lines, all of them or nobody
    Import {
        /// The file, one JSON object a line: username, password or password_hash, claims; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Clone, Debug, clap::Args)]
struct Name {
    /// The name they sign in with
    #[arg(value_name = "NAME", value_parser = CanonicalUsername::parse)]
    name: CanonicalUsername,
}

#[derive(Clone, Debug, clap::Args)]
struct Claims {
    /// Their e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The address is known to be theirs: they sign in with it too
    #[arg(long)]
    email_verified: bool,
    /// A claim, as text or JSON; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_assignment)]
    claims: Vec<(String, Value)>,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct PasswordOption {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

impl Claims {
    /// Everything that is to be set, `--email` and `--email-verified` among it.
    fn assignments(self) -> Vec<(String, Value)> {
        let mut assignments = self.claims;
        assignments.extend(self.email.map(|email| ("email".to_owned(), Value::from(email))));
        if self.email_verified {
            assignments.push(("email_verified".to_owned(), Value::Bool(true)));
        }
        assignments
    }
}

impl PasswordOption {
    fn source(self) -> PasswordSource {
        if self.password_stdin { PasswordSource::StandardInput } else { PasswordSource::Terminal }
    }
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let config = options.config;
    match options.command {
        Command::Add { name, claims, password, no_password, must_change_password } => {
            let claims = new_claims(claims)?;
            // The store first: nobody should type a password for nothing.
            let office = Office::open(&config).await?;
            let password = match no_password {
                true => NewPassword::Absent,
                false => NewPassword::Clear(new_password(password.source())?),
            };
            let person = NewPerson { username: name.name, claims, password, must_change_password };
            let user = office.people().add(person, &office.circumstances).await.map_err(refused)?;
            say(&format!("{} is added: {}", user.username, user.id))?;
            office.store.close().await;
        }
        Command::Set { name, claims, unset, password, must_change_password } => {
            let mut change =
                Change { unset, set: claims.assignments(), password: None, must_change_password };
            let changes_claims = !(change.set.is_empty() && change.unset.is_empty());
            if !changes_claims && !password.password_stdin && !must_change_password {
                let why = "nothing to set: --email, --email-verified, --claim, --unset, --password-stdin or \
                           --must-change-password";
                return Err(Usage(why.into()).into());
            }
            let office = Office::open(&config).await?;
            if password.password_stdin {
                change.password = Some(new_password(password.source())?);
            }
            let has_password = change.password.is_some();
            let changed = office.people().change(&name.name, change, &office.circumstances).await;
            let (user, ended) = changed.map_err(refused)?;
            say(&format!(
                "{} is changed{}",
                user.username,
                if has_password { told(ended) } else { String::new() }
            ))?;
            office.store.close().await;
        }
        Command::List(output) => list(&Office::open(&config).await?, output.format).await?,
        Command::Show { name, output } => {
            show(&Office::open(&config).await?, &name.name, output.format).await?
        }
        Command::Password { name, password } => {
            let office = Office::open(&config).await?;
            // Whether there is such a person comes before asking for the password of nobody.
            find(&office, &name.name).await?;
            let password = new_password(password.source())?;
            let ended = office.people().set_password(&name.name, password, &office.circumstances).await;
            say(&format!("{} has a new password{}", name.name, told(ended.map_err(refused)?)))?;
            office.store.close().await;
        }
        Command::Disable(Name { name }) => {
            let office = Office::open(&config).await?;
            let ended = office.people().disable(&name, &office.circumstances).await?;
            say(&format!("{name} is disabled{}", told(ended)))?;
            office.store.close().await;
        }
        Command::Enable(Name { name }) => {
            let office = Office::open(&config).await?;
            office.people().enable(&name, &office.circumstances).await?;
            say(&format!("{name} is enabled"))?;
            office.store.close().await;
        }
        Command::Delete(Name { name }) => {
            let office = Office::open(&config).await?;
            let id = office.people().delete(&name, &office.circumstances).await?;
            say(&format!("{name} is deleted: {id} is never given again"))?;
            office.store.close().await;
        }
        Command::Import { file } => {
            let people = user_import::open(&file)?;
            let office = Office::open(&config).await?;
            user_import::run(&office, people).await?;
            office.store.close().await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The claims of a new person; everything that is wrong with them is a fault of the command line.
fn new_claims(claims: Claims) -> anyhow::Result<PersonClaims> {
    let mut set = PersonClaims::default();
    let wrong: Vec<ClaimError> =
        claims.assignments().into_iter().filter_map(|(name, value)| set.set(&name, value).err()).collect();
    if wrong.is_empty() { Ok(set) } else { Err(refused(LifecycleError::Claims(wrong))) }
}

/// What the command line itself got wrong exits with 2, everything else with 1.
fn refused(why: LifecycleError) -> anyhow::Error {
    match why {
        LifecycleError::Claims(_) | LifecycleError::VerifiedWithoutEmail | LifecycleError::Email(_) => {
            Usage(why.to_string()).into()
        }
        other => other.into(),
    }
}

fn told(ended: Ended) -> String {
    let count = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    format!("; {} and {} ended", count(ended.sessions, "session"), count(ended.grants, "grant"))
}

async fn list(office: &Office, format: Format) -> anyhow::Result<()> {
    let mut documents = Vec::new();
    let mut after = String::new();
    loop {
        let from = after.clone();
        let page = office.store.read(move |connection| {
            let after = from.clone();
            Box::pin(async move { users::list(connection, &after, PAGE).await })
        });
        let page = page.await?;
        let Some(last) = page.last() else { break };
        after = last.username.clone();
        for user in &page {
            match format {
                Format::Json => documents.push(Value::Object(document(user))),
                Format::Human => {
                    let email = user.claims.get("email").and_then(Value::as_str).unwrap_or("-");
                    let verified = if user.verified_email.is_some() { "" } else { " (unverified)" };
                    let email = if email == "-" { email.to_owned() } else { format!("{email}{verified}") };
                    let standing = if user.disabled_at.is_some() { "disabled" } else { "enabled" };
                    say(&format!("{}  {standing}  {email}", user.username))?;
                }
            }
        }
    }
    match format {
        Format::Json => say_json(&json!({ "users": documents })),
        Format::Human => Ok(()),
    }
}

async fn show(office: &Office, name: &CanonicalUsername, format: Format) -> anyhow::Result<()> {
    let user = find(office, name).await?;
    let id = user.id.clone();
    let grants = office.store.read(move |connection| {
        let id = id.clone();
        Box::pin(async move { grants::active_of_user(connection, &id).await })
    });
    let grants: Vec<Value> = grants
        .await?
        .iter()
        .map(|grant| {
            json!({
                "id": grant.id.as_str(), "client_id": grant.client_id.as_str(), "scope": grant.scopes.to_string(),
                "issued_at": moment(grant.issued_at), "expires_at": moment(grant.expires_at),
            })
        })
        .collect();
    let mut document = document(&user);
    match format {
        Format::Json => {
            document.insert("claims".to_owned(), Value::Object(user.claims.clone()));
            document.insert("grants".to_owned(), Value::from(grants));
            say_json(&Value::Object(document))
        }
        Format::Human => {
            document.iter().try_for_each(|(name, value)| say(&format!("{name} = {value}")))?;
            user.claims.iter().try_for_each(|(name, value)| say(&format!("claims.{name} = {value}")))?;
            grants.iter().try_for_each(|grant| say(&format!("grant = {grant}")))
        }
    }
}

async fn find(office: &Office, name: &CanonicalUsername) -> anyhow::Result<User> {
    let wanted = name.as_str().to_owned();
    let found = office.store.read(move |connection| {
        let wanted = wanted.clone();
        Box::pin(async move { users::find_by_username(connection, &wanted).await })
    });
    Ok(found.await?.ok_or_else(|| LifecycleError::Unknown(name.as_str().to_owned()))?)
}

/// What is known of a person beside their claims; of the password only whether there is one.
fn document(user: &User) -> Map<String, Value> {
    let members = [
        ("username", json!(user.username)),
        ("sub", json!(user.id.as_str())),
        ("email", json!(user.claims.get("email"))),
        ("email_verified", json!(user.verified_email.is_some())),
        ("password", json!(user.password_hash.is_some())),
        ("must_change_password", json!(user.must_change_password.then_some(true))),
        ("enabled", json!(user.disabled_at.is_none())),
        ("created_at", json!(moment(user.created_at))),
        ("updated_at", json!(moment(user.updated_at))),
        ("disabled_at", json!(user.disabled_at.map(moment))),
    ];
    let known = members.into_iter().filter(|(_, value)| !value.is_null());
    known.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How many people are read at once.
const PAGE: i64 = 500;
