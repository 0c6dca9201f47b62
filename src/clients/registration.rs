//! Dynamic Client Registration and its management (RFC 7591, RFC 7592, OpenID Connect Registration 1.0): who may register, and
//! what a client is told. Secret and registration access token are shown to the client alone and kept as digests; the secret
//! is shown once. What metadata may say is judged by `registration_policy`.

use crate::audit::{Circumstances, Trail, record};
use crate::clients::registered::{RegisteredClients, read};
use crate::clients::registration_error::RegistrationError;
use crate::clients::registration_policy::{Policy, has_secret, metadata_of, origins_of};
use crate::clients::registry::Registry;
use crate::config::Config;
use crate::model::address_pace::AddressPace;
use crate::model::audit_event::{About, AuditEvent, EventName};
use crate::model::entropy::SharedEntropy;
use crate::model::grant::RevocationReason;
use crate::model::registered_client::RegisteredClient;
use crate::model::secret::{Secret, constant_time_eq};
use crate::protocol::client_metadata::{ClientMetadata, SubjectType};
use crate::protocol::identifiers::ClientId;
use crate::protocol::server_metadata::path;
use crate::storage::{Store, consents, grants, registered_clients, registered_origins};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// How many clients may be registered at once.
pub const MOST_CLIENTS: i64 = 10_000;
/// How often a change is tried again because somebody else's came between.
const ATTEMPTS: usize = 3;

/// The rule and what it leans on.
pub struct Registrations<'a> {
    /// The store.
    pub store: &'a Store,
    /// The clients.
    pub registry: &'a Registry,
    /// Those that registered themselves.
    pub registered: &'a RegisteredClients,
    /// What metadata is judged by.
    pub policy: Policy<'a>,
    /// How often one address may.
    pub pace: &'a AddressPace,
    /// Chance.
    pub entropy: &'a SharedEntropy,
    /// Takes events.
    pub trail: &'a Trail,
}

/// What a client reads of its registration (RFC 7591 §3.2.1, RFC 7592 §3).
pub type ClientInformation = Map<String, Value>;

impl Registrations<'_> {
    /// Registers a client (RFC 7591 §3).
    pub async fn register(
        &self,
        initial_access_token: Option<&Secret>,
        members: Map<String, Value>,
        address_key: &str,
        circumstances: &Circumstances,
    ) -> Result<ClientInformation, RegistrationError> {
        let now = circumstances.now;
        self.admit(initial_access_token)?;
        if self.policy.registration.is_open() {
            self.pace.admit(address_key, now).map_err(RegistrationError::TooMany)?;
        }
        let metadata = self.policy.judge(members).await?;
        let secret = has_secret(&metadata).then(|| self.new_secret());
        let token = self.new_secret();
        let client = RegisteredClient {
            id: ClientId::from_random(self.entropy.bytes()),
            members: metadata.to_members(),
            secret_hash: secret.as_ref().map(digest),
            token_hash: digest(&token),
            created_at: now,
            used_at: now,
        };
        let about = About { client_id: Some(client.id.clone()), ..About::default() };
        let how = match self.policy.registration.is_open() {
            true => "registration is open to everybody",
            false => "by an initial access token",
        };
        let how = format!("{how}; {}", summary(&metadata));
        let event =
            self.trail.event(circumstances, EventName::ClientRegistered, about, how, "RFC 7591 §3.2.1");
        let (kept, origins) = (client.clone(), origins_of(&metadata));
        let fits = self
            .store
            .write(move |connection| {
                let (client, origins, event) = (kept.clone(), origins.clone(), event.clone());
                Box::pin(async move {
                    if registered_clients::count(connection).await? >= MOST_CLIENTS {
                        return Ok(false);
                    }
                    registered_clients::insert(connection, &client).await?;
                    registered_origins::replace(connection, &client.id, &origins).await?;
                    record(connection, &event).await?;
                    Ok(true)
                })
            })
            .await?;
        if !fits {
            return Err(RegistrationError::Full);
        }
        Ok(self.information(&client, &metadata, &token, secret.as_ref()))
    }

    /// What is known of a client (RFC 7592 §2.1). The secret is not: it was shown once (threat 118).
    pub async fn read(
        &self,
        client_id: &str,
        token: Option<&Secret>,
    ) -> Result<ClientInformation, RegistrationError> {
        let (client, token) = self.authorize(client_id, token).await?;
        let metadata = self.in_force(&client)?;
        Ok(self.information(&client, &metadata, token, None))
    }

    /// Replaces all that a client says of itself (RFC 7592 §2.2): what is left out is back at its default. No more comes of it
    /// than a new registration would get.
    pub async fn update(
        &self,
        client_id: &str,
        token: Option<&Secret>,
        members: Map<String, Value>,
        circumstances: &Circumstances,
    ) -> Result<ClientInformation, RegistrationError> {
        let (client, token) = self.authorize(client_id, token).await?;
        let matter = format!("PUT {}", client.id);
        self.pace.admit(&matter, circumstances.now).map_err(RegistrationError::TooMany)?;
        agree(&client, &members)?;
        let metadata = self.policy.judge(members.clone()).await?;
        let mut before = client;
        for _ in 0..ATTEMPTS {
            let fresh = (has_secret(&metadata) && before.secret_hash.is_none()).then(|| self.new_secret());
            let secret_hash = match (&fresh, has_secret(&metadata)) {
                (Some(fresh), _) => Some(digest(fresh)),
                (None, true) => before.secret_hash,
                (None, false) => None,
            };
            let after = RegisteredClient { members: metadata.to_members(), secret_hash, ..before.clone() };
            let is_same = after.members == before.members && after.secret_hash == before.secret_hash;
            if is_same || self.replace(&before, &after, &metadata, circumstances).await? {
                return Ok(self.information(&after, &metadata, token, fresh.as_ref()));
            }
            // Deleted meanwhile, or given another secret by a request beside this one.
            before = self.authorize(client_id, Some(token)).await?.0;
            agree(&before, &members)?;
        }
        Err(RegistrationError::Changed)
    }

    /// Deletes a client and all that it had (RFC 7592 §2.3, threat 119).
    pub async fn delete(
        &self,
        client_id: &str,
        token: Option<&Secret>,
        circumstances: &Circumstances,
    ) -> Result<(), RegistrationError> {
        let (client, _) = self.authorize(client_id, token).await?;
        let event = self.event(circumstances, EventName::ClientDeleted, &client.id, "RFC 7592 §2.3");
        let (id, token_hash) = (client.id.clone(), client.token_hash);
        let deleted = self
            .store
            .write(move |connection| {
                let (id, event) = (id.clone(), event.clone());
                Box::pin(async move {
                    let deleted = registered_clients::delete(connection, &id, &token_hash).await?;
                    if deleted {
                        record(connection, &event).await?;
                    }
                    Ok(deleted)
                })
            })
            .await?;
        self.registered.forget(&client.id);
        if deleted { Ok(()) } else { Err(RegistrationError::InvalidToken) }
    }

    async fn replace(
        &self,
        before: &RegisteredClient,
        after: &RegisteredClient,
        metadata: &ClientMetadata,
        circumstances: &Circumstances,
    ) -> Result<bool, RegistrationError> {
        let mut event = self.event(circumstances, EventName::ClientUpdated, &after.id, "RFC 7592 §2.2");
        event.reason = format!("{}; {}", event.reason, summary(metadata));
        let (client, secret_before, now) = (after.clone(), before.secret_hash, circumstances.now);
        let changed = Changed::between(before, metadata, self.policy.config);
        let origins = origins_of(metadata);
        let replaced = self
            .store
            .write(move |connection| {
                let (client, origins, event) = (client.clone(), origins.clone(), event.clone());
                Box::pin(async move {
                    let secret_before = secret_before.as_ref();
                    if !registered_clients::update(connection, &client, secret_before, now).await? {
                        return Ok(false);
                    }
                    registered_origins::replace(connection, &client.id, &origins).await?;
                    if changed.face {
                        consents::forget_client(connection, &client.id).await?;
                    }
                    if changed.sector {
                        let reason = RevocationReason::SubjectChanged;
                        grants::revoke_of_client(connection, &client.id, now, reason).await?;
                    }
                    record(connection, &event).await?;
                    Ok(true)
                })
            })
            .await?;
        self.registered.forget(&after.id);
        Ok(replaced)
    }

    /// Whether whoever presents this may register (RFC 7591 §3).
    fn admit(&self, token: Option<&Secret>) -> Result<(), RegistrationError> {
        let admitted = &self.policy.registration.initial_access_tokens;
        if admitted.is_empty() {
            return Ok(());
        }
        let presented = digest(token.ok_or(RegistrationError::TokenMissing)?);
        let mut matched = false;
        for one in admitted {
            matched |= constant_time_eq(&one.0, &presented);
        }
        if matched { Ok(()) } else { Err(RegistrationError::InvalidToken) }
    }

    /// The client, when the token is its own; an unknown client costs and tells what a wrong token does (RFC 7592 §2).
    async fn authorize<'t>(
        &self,
        client_id: &str,
        token: Option<&'t Secret>,
    ) -> Result<(RegisteredClient, &'t Secret), RegistrationError> {
        let token = token.ok_or(RegistrationError::TokenMissing)?;
        let id = ClientId::parse(client_id).ok().filter(ClientId::may_be_registered);
        let found = match &id {
            Some(id) => read(self.store, id).await?,
            None => None,
        };
        let known = found.as_ref().map_or([0; 32], |client| client.token_hash);
        let genuine = constant_time_eq(&known, &digest(token));
        let client = found.filter(|_| genuine).ok_or(RegistrationError::InvalidToken)?;
        match self.registry.is_in_files(&client.id) {
            true => Err(RegistrationError::Shadowed),
            false => Ok((client, token)),
        }
    }

    /// What a registration says today; one that is not lawful any more can only be replaced or deleted.
    fn in_force(&self, client: &RegisteredClient) -> Result<ClientMetadata, RegistrationError> {
        let unlawful =
            || RegistrationError::Metadata("the registration is not lawful any more; replace it".into());
        metadata_of(client, self.policy.config).ok_or_else(unlawful)
    }

    fn information(
        &self,
        client: &RegisteredClient,
        metadata: &ClientMetadata,
        token: &Secret,
        secret: Option<&Secret>,
    ) -> ClientInformation {
        let mut information = Map::new();
        let mut say = |name: &str, value: Value| information.insert(name.to_owned(), value);
        let uri = format!("{}/{}", self.policy.config.issuer.endpoint(path::REGISTRATION), client.id);
        say("client_id", json!(client.id.as_str()));
        say("client_id_issued_at", json!(client.created_at.seconds()));
        if let Some(secret) = secret {
            say("client_secret", json!(secret.expose()));
            // RFC 7591 §3.2.1: 0 is never
            say("client_secret_expires_at", json!(0));
        }
        say("registration_client_uri", json!(uri));
        say("registration_access_token", json!(token.expose()));
        information.extend(metadata.to_members());
        information
    }

    /// 256 random bits.
    fn new_secret(&self) -> Secret {
        Secret::new(self.entropy.text::<32>())
    }

    fn event(
        &self,
        circumstances: &Circumstances,
        event: EventName,
        id: &ClientId,
        section: &'static str,
    ) -> AuditEvent {
        let about = About { client_id: Some(id.clone()), ..About::default() };
        self.trail.event(circumstances, event, about, "by its registration access token", section)
    }
}

/// What a change of a registration changes for people and for those who had consented.
#[derive(Clone, Copy, Debug)]
struct Changed {
    /// What the consent page shows: the name, or where it leads. What they agreed to was another client, as far as they saw.
    face: bool,
    /// By which `sub` it knows people: a grant's tokens always say the same (OpenID Connect Core §12.2, threat 137).
    sector: bool,
}

impl Changed {
    fn between(before: &RegisteredClient, after: &ClientMetadata, config: &Config) -> Self {
        let Ok(before) = ClientMetadata::from_members(&before.members, config.deployment()) else {
            return Self { face: true, sector: true };
        };
        let subjects = |metadata: &ClientMetadata| (metadata.subject_type, metadata.sector_host());
        let is_pairwise = [&before, after].iter().any(|one| one.subject_type == SubjectType::Pairwise);
        Self {
            face: before.redirect_uris != after.redirect_uris || before.client_name != after.client_name,
            sector: is_pairwise && subjects(&before) != subjects(after),
        }
    }
}

/// What a registration says, for whoever reads the audit trail when it is gone: in bounded length.
fn summary(metadata: &ClientMetadata) -> String {
    let uris: Vec<String> =
        metadata.redirect_uris.iter().take(3).map(|uri| uri.as_str().chars().take(120).collect()).collect();
    let name = metadata.client_name.best(&[]).unwrap_or("none").escape_debug();
    format!("client_name: {name}; redirect_uris: {}", uris.join(" "))
}

fn digest(secret: &Secret) -> [u8; 32] {
    Sha256::digest(secret.expose().as_bytes()).into()
}

/// RFC 7592 §2.2: the request names the client, and a secret in it is the one that the client has.
fn agree(client: &RegisteredClient, members: &Map<String, Value>) -> Result<(), RegistrationError> {
    let refuse = |why: &str| Err(RegistrationError::Metadata(why.to_owned()));
    if members.get("client_id").and_then(Value::as_str) != Some(client.id.as_str()) {
        return refuse("client_id: expected that of the client");
    }
    match members.get("client_secret") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(secret)) => {
            let presented = digest(&Secret::new(secret.as_str()));
            match client.secret_hash {
                Some(known) if constant_time_eq(&known, &presented) => Ok(()),
                _ => refuse("client_secret: expected the one that the client has, or none"),
            }
        }
        Some(_) => refuse("client_secret: expected text"),
    }
}
