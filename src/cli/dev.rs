//! `dev`: the whole server on the loopback, with the demo's clients and person, an embedded store and secrets of its own.

use crate::cli::DevOptions;
use crate::cli::composition::{Ingredients, compose};
use crate::cli::log;
use crate::cli::server::{self, Process};
use crate::cli::signals::Signals;
use crate::config::demo::{self, DemoSecrets};
use crate::http::app::{App, Mode};
use crate::model::claims::PersonClaims;
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::entropy::{SharedEntropy, SystemEntropy};
use crate::model::username::CanonicalUsername;
use crate::storage::{Store, users};
use crate::users::lifecycle::{NewPassword, NewPerson, People};
use anyhow::Context as _;
use serde_json::Value;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

/// Serves the demo until told to stop.
pub async fn run(options: DevOptions) -> anyhow::Result<ExitCode> {
    let entropy: SharedEntropy = Arc::new(SystemEntropy);
    let secrets = demo::prepare_demo_secrets(&options.data, entropy.as_ref())
        .with_context(|| format!("{} cannot be prepared", options.data.display()))?;
    let loaded = match demo::demo(options.port, &options.data, &secrets) {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems {
                eprintln!("{problem}");
            }
            return Ok(ExitCode::from(2));
        }
    };
    let config = loaded.config;
    let signals = Signals::listen().context("the signals cannot be heard")?;
    let log = log::start(&config).context("the log cannot be started")?;
    let metrics = server::start_metrics()?;
    let _lock = server::lock_embedded_store(&config)?;
    let bound = server::bind(&config).await?;
    let store = Store::open(config.database.url.expose(), config.database.max_connections).await?;
    store.migrate(SystemClock.now()).await?;
    make_private(&options.data)?;
    let ingredients = Ingredients { store, clock: Arc::new(SystemClock), entropy, mode: Mode::Dev, config };
    let composition = compose(ingredients).await?;
    seed(&composition.app, &secrets).await?;
    // whoever read the banner may have closed the pipe: the server goes on
    let _ = writeln!(std::io::stdout(), "{}", banner(&composition.app, &options, &secrets)?);
    server::run(composition, bound, Process { signals, log, metrics }, None).await?;
    Ok(ExitCode::SUCCESS)
}

/// Every file of the data folder is for its owner alone, those of the store among them.
fn make_private(folder: &std::path::Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Adds the demo's person at the first start; later ones leave them as they have become.
async fn seed(app: &App, secrets: &DemoSecrets) -> anyhow::Result<()> {
    let person: Value = serde_json::from_str(demo::PERSON).context("the demo's person cannot be read")?;
    let username = CanonicalUsername::parse(demo_name(&person))?;
    let wanted = username.as_str().to_owned();
    let known = app.store.read(move |connection| {
        let wanted = wanted.clone();
        Box::pin(async move { users::find_by_username(connection, &wanted).await })
    });
    if known.await?.is_some() {
        return Ok(());
    }
    let people = People {
        store: app.store.clone(),
        entropy: app.entropy.clone(),
        passwords: app.passwords.clone(),
        trail: app.trail.clone(),
    };
    let claims = person.get("claims").and_then(Value::as_object).cloned().unwrap_or_default();
    let claims = PersonClaims::from_object(claims).map_err(|why| anyhow::anyhow!("{why:?}"))?;
    let password = NewPassword::Clear(secrets.ada_password.clone());
    let person = NewPerson { username, claims, password, must_change_password: false };
    people.add(person, &app.circumstances("")).await?;
    Ok(())
}

fn demo_name(person: &Value) -> &str {
    person.get("username").and_then(Value::as_str).unwrap_or("ada")
}

fn banner(app: &App, options: &DevOptions, secrets: &DemoSecrets) -> anyhow::Result<String> {
    let snapshot = app.snapshot.load();
    let issuer = &snapshot.config.issuer;
    let person: Value = serde_json::from_str(demo::PERSON)?;
    let resource = snapshot.config.resources.first().map(|known| known.resource.as_str()).unwrap_or_default();
    Ok(format!(
        "\nPortreeve is up, with the demo's clients and people. Everything it keeps is in {data}.\n\n\
         issuer      {issuer}\n\
         person      {person}\n\
         password    {password}\n\
         playground  {playground}\n\
         operations  http://{operations}/health/ready\n\n\
         A token for the demo's service:\n\n\
         curl -u photo-backup:{secret} \\\n     -d grant_type=client_credentials --data-urlencode resource={resource} \\\n     {token}\n",
        data = options.data.display(),
        issuer = issuer.as_str(),
        person = demo_name(&person),
        password = secrets.ada_password.expose(),
        playground = issuer.endpoint("/playground"),
        operations = snapshot.config.operations.address,
        secret = secrets.photo_backup.expose(),
        token = issuer.endpoint("/token"),
    ))
}
