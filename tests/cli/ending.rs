//! What commands end: sessions and grants that really are in the store, and the events that tell of it.

use super::{Operator, PASSWORD};
use crate::support::database::{TestDatabase, on_both_stores};
use portreeve::audit::{Circumstances, Trail};
use portreeve::model::clock::{Clock as _, SystemClock};
use portreeve::model::entropy::{SharedEntropy, SystemEntropy};
use portreeve::model::grant::{Access, Grant, GrantState, RedirectUriInRequest};
use portreeve::model::secret::Secret;
use portreeve::model::session::{Authentication, Session};
use portreeve::model::username::CanonicalUsername;
use portreeve::protocol::claims_request::ClaimsRequest;
use portreeve::protocol::identifiers::{ClientId, GrantId, RequestId, SessionId, UserId};
use portreeve::protocol::scope::Scopes;
use portreeve::protocol::timestamp::Timestamp;
use portreeve::storage::{Store, audit_events, grants, revoked_tokens, sessions, users};
use portreeve::users::lifecycle::{Change, LifecycleError, NewPassword, NewPerson, People};
use portreeve::users::password::PasswordHasher;
use std::sync::Arc;
use std::time::Duration;

/// A person with a session and an unspent grant, as the store has them.
struct Visit {
    store: Store,
    secret: [u8; 32],
    grant: GrantId,
    now: Timestamp,
}

impl Visit {
    async fn begin(database: &TestDatabase, operator: &Operator, name: &str, client: &str) -> Self {
        let sub = operator.document(&["user", "show", name])["sub"].as_str().unwrap().to_owned();
        let store = Store::open(database.url(), 2).await.unwrap();
        let (now, entropy) = (SystemClock.now(), entropy());
        let (user_id, secret) = (UserId::parse(&sub).unwrap(), entropy.bytes::<32>());
        let until = now.plus(Duration::from_secs(3600));
        let person = {
            let id = user_id.clone();
            let found = store.read(move |connection| {
                let id = id.clone();
                Box::pin(async move { users::find(connection, &id).await })
            });
            found.await.unwrap().unwrap()
        };
        let signed_in_by = person.password_hash;
        let session = Session {
            id: SessionId::from_random(entropy.bytes()),
            user_id: user_id.clone(),
            authentication: Authentication::by_password(now),
            selected_at: now,
            last_seen_at: now,
            absolute_until: until,
        };
        let grant = Grant {
            id: GrantId::from_random(entropy.bytes()),
            client_id: ClientId::parse(client).unwrap(),
            user_id,
            session_id: session.id.clone(),
            scopes: Scopes::parse("openid").unwrap(),
            resources: Vec::new(),
            redirect_uri: "https://shop.example/cb".to_owned(),
            redirect_uri_in_request: RedirectUriInRequest::Present,
            code_challenge: None,
            nonce: None,
            claims: ClaimsRequest::default(),
            authentication: Authentication::by_password(now),
            access: Access::Offline,
            request_id: RequestId::from_random(entropy.bytes()),
            issued_at: now,
            expires_at: until,
            state: GrantState::CodeIssued { until },
        };
        let id = grant.id.clone();
        let written = store.write(move |connection| {
            let (session, grant, signed_in_by) = (session.clone(), grant.clone(), signed_in_by.clone());
            Box::pin(async move {
                sessions::insert(connection, &session, &secret, until, signed_in_by.as_ref()).await?;
                grants::insert_code(connection, &grant, until).await
            })
        });
        written.await.unwrap();
        Self { store, secret, grant: id, now }
    }

    async fn session_lives(&self) -> bool {
        let (secret, now) = (self.secret, self.now);
        let found = self.store.read(move |connection| {
            Box::pin(async move { sessions::find_living(connection, &secret, now).await })
        });
        found.await.unwrap().is_some()
    }

    /// Nothing when the grant is gone.
    async fn grant_state(&self) -> Option<GrantState> {
        let (grant, now) = (self.grant.clone(), self.now);
        let found = self.store.read(move |connection| {
            let grant = grant.clone();
            Box::pin(async move { grants::find_standing(connection, &grant, "", now).await })
        });
        found.await.unwrap().map(|standing| standing.grant.state)
    }

    async fn grant_lives(&self) -> bool {
        matches!(self.grant_state().await, Some(GrantState::CodeIssued { .. }))
    }
}

fn entropy() -> SharedEntropy {
    Arc::new(SystemEntropy)
}

on_both_stores! {
    /// threat 45
    async fn a_new_password_ends_sessions_and_grants(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        for arguments in [
            &["user", "password", "ada", "--password-stdin"][..],
            &["user", "set", "ada", "--password-stdin"],
        ] {
            let visit = Visit::begin(&database, &operator, "ada", "shop").await;
            let said = operator.done_with(PASSWORD, arguments);
            assert!(said.contains("1 session and 1 grant ended"), "{said}");
            assert!(!visit.session_lives().await && !visit.grant_lives().await);
        }
    }

    /// Back-Channel Logout §2.5: the session here goes on, the apps hear that theirs are over
    async fn a_revocation_of_a_persons_grants_tells_the_apps(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        let visit = Visit::begin(&database, &operator, "ada", "shop").await;
        let join = "INSERT INTO session_clients SELECT id, 'shop', 'AAAAAAAAAAAAAAAAAAAAAA', 0 FROM sessions";
        database.execute(join).await;
        operator.done(&["revoke", "--user", "ada"]);
        assert!(visit.session_lives().await && !visit.grant_lives().await);
        let news = "SELECT COUNT(*) FROM outbox WHERE recipient = 'shop' AND state = 'pending'";
        assert_eq!(database.number(news).await, 1);
        operator.done(&["revoke", "--user", "ada"]);
        assert_eq!(database.number("SELECT COUNT(*) FROM outbox").await, 1, "once");
    }

    /// threat 45
    async fn a_password_that_is_refused_ends_nothing(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done_with(PASSWORD, &["user", "add", "ada", "--password-stdin"]);
        let visit = Visit::begin(&database, &operator, "ada", "shop").await;
        operator.refused_with("short", 1, &["user", "password", "ada", "--password-stdin"]);
        operator.refused(2, &["user", "password", "ada", "--password-stdin"]);
        operator.refused_with(PASSWORD, 2, &["user", "password", "ada"]);
        operator.done(&["user", "set", "ada", "--claim", "nickname=Countess"]);
        assert!(visit.session_lives().await && visit.grant_lives().await);
    }

    /// threat 45
    async fn whoever_is_enabled_again_has_to_begin_anew(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        operator.done(&["user", "add", "bob", "--no-password"]);
        let visit = Visit::begin(&database, &operator, "ada", "shop").await;
        let other = Visit::begin(&database, &operator, "bob", "shop").await;
        assert!(operator.done(&["user", "disable", "ada"]).contains("1 session and 1 grant ended"));
        assert!(!visit.session_lives().await);
        assert!(operator.done(&["user", "list"]).starts_with("ada  disabled"));
        operator.done(&["user", "disable", "ada"]);
        operator.done(&["user", "enable", "ada"]);
        operator.done(&["user", "enable", "ada"]);
        assert!(operator.done(&["user", "list"]).starts_with("ada  enabled"));
        assert!(!visit.session_lives().await && !visit.grant_lives().await);
        assert!(other.session_lives().await && other.grant_lives().await);
    }

    async fn everything_of_whoever_is_deleted_is_gone(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        let visit = Visit::begin(&database, &operator, "ada", "shop").await;
        operator.done(&["user", "delete", "ada"]);
        assert!(!visit.session_lives().await);
        assert_eq!(visit.grant_state().await, None);
    }

    async fn revoke_ends_the_grants_it_names_and_no_session(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        for target in ["user", "client", "grant"] {
            let visit = Visit::begin(&database, &operator, "ada", "shop").await;
            let other = Visit::begin(&database, &operator, "ada", "other").await;
            let argument = match target {
                "user" => "ada",
                "client" => "shop",
                _ => visit.grant.as_str(),
            };
            let ended = operator.done(&["revoke", &format!("--{target}"), argument]);
            assert_eq!(ended, if target == "user" { "2 grants ended\n" } else { "1 grant ended\n" });
            assert!(!visit.grant_lives().await && visit.session_lives().await, "{target}");
            assert_eq!(other.grant_lives().await, target != "user", "{target}");
            let again = operator.done(&["revoke", &format!("--{target}"), argument]);
            assert_eq!(again, "0 grants ended\n");
            operator.done(&["revoke", "--user", "ada"]);
        }
    }

    /// RFC 7662 §2.2: `/introspect` holds the moment against tokens that no grant stands behind.
    async fn what_a_client_got_for_itself_counts_no_more_after_its_revocation(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["revoke", "--client", "robot"]);
        let store = Store::open(database.url(), 2).await.unwrap();
        let now = SystemClock.now();
        let revoked = async |client: &'static str, issued_at: Timestamp| {
            let read = store.read(move |connection| {
                let client = ClientId::parse(client).unwrap();
                Box::pin(async move { revoked_tokens::is_revoked(connection, "jti", &client, issued_at).await })
            });
            read.await.unwrap()
        };
        assert!(revoked("robot", now.minus(Duration::from_secs(60))).await);
        assert!(!revoked("robot", now.plus(Duration::from_secs(60))).await);
        assert!(!revoked("other", now.minus(Duration::from_secs(60))).await);
    }

    async fn a_revocation_of_nothing_that_is_there_is_refused(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.refused(1, &["revoke", "--grant", GrantId::from_random([7; 24]).as_str()]);
        for arguments in [
            &["revoke"][..],
            &["revoke", "--grant", "short"],
            &["revoke", "--user", "a@b"],
            &["revoke", "--client", "usr_x"],
            &["revoke", "--user", "ada", "--client", "shop"],
        ] {
            operator.refused(2, arguments);
        }
    }

    /// Threat 45; what is recorded names claims and never says them.
    async fn every_step_of_a_persons_life_is_recorded_with_its_fact(database: TestDatabase) {
        let store = Store::open(database.url(), 4).await.unwrap();
        store.migrate(SystemClock.now()).await.unwrap();
        let (trail, _queue) = Trail::new(entropy());
        let passwords = PasswordHasher::new(entropy());
        let people = People { store: store.clone(), entropy: entropy(), passwords, trail };
        let request_id = RequestId::from_random(entropy().bytes());
        let circumstances =
            Circumstances { request_id: request_id.clone(), address: String::new(), now: SystemClock.now() };
        let ada = CanonicalUsername::parse("ada").unwrap();
        let person = NewPerson { username: ada.clone(), claims: Default::default(), password: NewPassword::Absent, must_change_password: false };
        let user = people.add(person.clone(), &circumstances).await.unwrap();
        let taken = people.add(person, &circumstances).await;
        assert_eq!(taken, Err(LifecycleError::UsernameTaken("ada".to_owned())));
        let set = vec![("nickname".to_owned(), "canary-1".into())];
        people.change(&ada, Change { set, ..Change::default() }, &circumstances).await.unwrap();
        people.set_password(&ada, Secret::new("canary-2 canary"), &circumstances).await.unwrap();
        people.disable(&ada, &circumstances).await.unwrap();
        people.enable(&ada, &circumstances).await.unwrap();
        people.enable(&ada, &circumstances).await.unwrap();
        people.delete(&ada, &circumstances).await.unwrap();
        assert!(people.delete(&ada, &circumstances).await.is_err());
        let id = request_id.as_str().to_owned();
        let recorded = store.read(move |connection| {
            let id = id.clone();
            Box::pin(async move { audit_events::of_request(connection, &id).await })
        });
        let recorded = recorded.await.unwrap();
        let mut names: Vec<&str> = recorded.iter().map(|event| event.event.as_str()).collect();
        names.sort_unstable();
        let expected =
            ["user.added", "user.changed", "user.deleted", "user.disabled", "user.enabled", "user.password_set"];
        assert_eq!(names, expected);
        assert!(recorded.iter().all(|event| event.user_id == user.id.as_str()));
        assert!(!format!("{recorded:?}").contains("canary"));
    }
}
