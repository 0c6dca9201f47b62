//! `portreeve revoke`: ends grants, and for a client or a person also notes the moment before which nothing counts, for tokens
//! that no grant stands behind. Sessions here go on: whoever should be out is disabled. The apps of a person's sessions are told
//! that theirs are over (Back-Channel Logout §2.5).

use crate::audit;
use crate::cli::ConfigOption;
use crate::cli::office::Office;
use crate::cli::terminal::{note, say};
use crate::model::audit_event::{About, AuditEvent, EventName};
use crate::model::grant::RevocationReason;
use crate::model::username::CanonicalUsername;
use crate::protocol::identifiers::{ClientId, GrantId};
use crate::storage::revoked_tokens::{NotBefore, set_not_before};
use crate::storage::{consents, grants, registered_clients, users};
use crate::users::ending;
use std::process::ExitCode;

/// The options of `revoke`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    #[command(flatten)]
    target: Target,
}

/// Whose grants; exactly one of them.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// Every grant that this person gave
    #[arg(long, value_name = "NAME", value_parser = CanonicalUsername::parse)]
    user: Option<CanonicalUsername>,
    /// Every grant that this client has, and every token that it got for itself
    #[arg(long, value_name = "ID", value_parser = ClientId::parse)]
    client: Option<ClientId>,
    /// This one grant
    #[arg(long, value_name = "ID", value_parser = GrantId::parse, allow_hyphen_values = true)]
    grant: Option<GrantId>,
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let office = Office::open(&options.config).await?;
    let Target { user, client, grant } = options.target;
    let ended = match (user, client, grant) {
        (Some(name), ..) => of_user(&office, &name).await?,
        (_, Some(client), _) => of_client(&office, client).await?,
        (.., Some(grant)) => one(&office, grant).await?,
        (None, None, None) => 0,
    };
    say(&format!("{ended} {} ended", if ended == 1 { "grant" } else { "grants" }))?;
    office.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn of_user(office: &Office, name: &CanonicalUsername) -> anyhow::Result<u64> {
    let (name, now) = (name.as_str().to_owned(), office.circumstances.now);
    let unknown = format!("nobody has the username {name:?}");
    let event = event(office, About::default());
    let circumstances = office.circumstances.clone();
    let ended = office.store.write(move |connection| {
        let (name, mut event, circumstances) = (name.clone(), event.clone(), circumstances.clone());
        Box::pin(async move {
            let Some(user) = users::find_by_username(connection, &name).await? else { return Ok(None) };
            set_not_before(connection, NotBefore::User(&user.id), now).await?;
            let reason = RevocationReason::Administration;
            let ended = grants::revoke_of_user(connection, &user.id, now, reason).await?;
            ending::tell_apps_of_user(connection, &user.id, &circumstances).await?;
            event.about.user_id = Some(user.id);
            audit::record(connection, &event).await?;
            Ok(Some(ended))
        })
    });
    ended.await?.ok_or_else(|| anyhow::anyhow!(unknown))
}

async fn of_client(office: &Office, client: ClientId) -> anyhow::Result<u64> {
    if !office.config.clients.iter().any(|known| known.id == client) && !registered(office, &client).await? {
        note(&format!(
            "the client {client} is not in the configuration; what it left behind is ended all the same"
        ));
    }
    let now = office.circumstances.now;
    let event = event(office, About { client_id: Some(client.clone()), ..About::default() });
    let ended = office.store.write(move |connection| {
        let (client, event) = (client.clone(), event.clone());
        Box::pin(async move {
            set_not_before(connection, NotBefore::Client(&client), now).await?;
            let reason = RevocationReason::Administration;
            let ended = grants::revoke_of_client(connection, &client, now, reason).await?;
            // a client that nobody vouches for gets nothing back without asking
            if client.may_be_registered() {
                consents::forget_client(connection, &client).await?;
            }
            audit::record(connection, &event).await?;
            Ok(ended)
        })
    });
    Ok(ended.await?)
}

/// Whether the client registered itself.
async fn registered(office: &Office, client: &ClientId) -> anyhow::Result<bool> {
    let client = client.clone();
    let found = office.store.read(move |connection| {
        let client = client.clone();
        Box::pin(async move { registered_clients::find(connection, &client).await })
    });
    Ok(found.await?.is_some())
}

async fn one(office: &Office, grant: GrantId) -> anyhow::Result<u64> {
    let now = office.circumstances.now;
    let unknown = format!("there is no grant {grant} (any more)");
    let event = event(office, About { grant_id: Some(grant.clone()), ..About::default() });
    let ended = office.store.write(move |connection| {
        let (grant, mut event) = (grant.clone(), event.clone());
        Box::pin(async move {
            let Some(standing) = grants::find_standing(connection, &grant, "", now).await? else {
                return Ok(None);
            };
            let ended = grants::revoke(connection, &grant, now, RevocationReason::Administration).await?;
            if ended {
                event.about.user_id = Some(standing.user.id);
                event.about.client_id = Some(standing.grant.client_id);
                audit::record(connection, &event).await?;
            }
            Ok(Some(u64::from(ended)))
        })
    });
    ended.await?.ok_or_else(|| anyhow::anyhow!(unknown))
}

fn event(office: &Office, about: About) -> AuditEvent {
    let (event, reason) = (EventName::AdministrationRevoked, "the operator revoked");
    office.trail.event(&office.circumstances, event, about, reason, "RFC 9700 §4.14.2")
}
