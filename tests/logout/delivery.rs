//! threat 174: the news is written with the fact, and delivered at least once, whoever crashes in between; and what operators
//! see of it.

use super::{Receiver, app, deliver, start};
use crate::grants::sign_out;
use crate::support::browser::Browser;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::server::{TestServer, claims};
use portreeve::model::clock::Clock as _;
use portreeve::model::outbox::{HELD_FOR, HeldMessage, LOGOUT_TOKEN_PATIENCE, Message, MessageKind};
use portreeve::protocol::identifiers::{MessageId, RequestId, SessionId, UserId};
use portreeve::storage::{audit_events, outbox};
use portreeve::tasks::deliver_outbox::Report;
use portreeve::tasks::sweep_expired;
use serde_json::Value;
use std::time::Duration;

/// Signs Ada in at the app and out again: one message waits. Yields its session.
pub async fn one_waits(server: &TestServer) -> Value {
    let mut browser = Browser::new();
    let tokens = app("app").tokens(server, &mut browser).await;
    sign_out(server, &mut browser).await;
    claims(tokens.id())["sid"].clone()
}

/// Takes what is due, as a replica does that is about to die.
async fn hold(server: &TestServer) -> Vec<HeldMessage> {
    let now = server.clock.now();
    let until = now.plus(HELD_FOR);
    let claimed = server.app.store.write_one(move |connection| {
        Box::pin(outbox::claim(connection, MessageKind::LogoutToken, now, until, 100))
    });
    claimed.await.expect("claimed")
}

/// The request whose news waits; it is held by nobody afterwards.
pub async fn only_request_id(server: &TestServer) -> RequestId {
    let held = hold(server).await;
    assert_eq!(held.len(), 1);
    server.clock.advance(HELD_FOR);
    held[0].message.request_id.clone()
}

/// Puts messages for an app into the outbox.
pub async fn insert(server: &TestServer, client_id: &str, count: usize) {
    let now = server.clock.now();
    let messages: Vec<Message> = (0..count)
        .map(|_| Message {
            id: MessageId::from_random(server.app.entropy.bytes()),
            kind: MessageKind::LogoutToken,
            recipient: client_id.to_owned(),
            facts: [
                ("sub".to_owned(), Value::from(UserId::from_random(server.app.entropy.bytes()).as_str())),
                ("sid".to_owned(), Value::from(SessionId::from_random(server.app.entropy.bytes()).as_str())),
            ]
            .into_iter()
            .collect(),
            sealed: None,
            request_id: RequestId::from_random(server.app.entropy.bytes()),
            created_at: now,
            expires_at: now.plus(Duration::from_secs(86_400)),
        })
        .collect();
    let written = server.app.store.write(move |connection| {
        let messages = messages.clone();
        Box::pin(async move {
            for message in &messages {
                outbox::insert(connection, message).await?;
            }
            Ok(())
        })
    });
    written.await.expect("written");
}

async fn pending(database: &TestDatabase) -> i64 {
    database.number("SELECT COUNT(*) FROM outbox WHERE state = 'pending'").await
}

fn names(receiver: &Receiver) -> Vec<Value> {
    receiver.tokens().iter().map(|token| claims(token)["jti"].clone()).collect()
}

on_both_stores! {
    /// threat 174: the server dies after its answer, and another process finds the news
    async fn news_survives_a_crash_between_the_logout_and_its_delivery(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let sid = one_waits(&server).await;
        let restarted = server.replica().await;
        drop(server);
        assert_eq!(deliver(&restarted).await, Report { delivered: 1, ..Report::default() });
        assert_eq!(claims(&receiver.tokens()[0])["sid"], sid);
    }

    /// threat 174: the replica that held it dies in the middle
    async fn news_that_a_dead_replica_holds_is_delivered_by_another_under_the_same_name(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        one_waits(&server).await;
        let held = hold(&server).await;
        assert_eq!(held.len(), 1);
        assert_eq!(deliver(&server).await, Report::default(), "somebody else holds it");
        server.clock.advance(HELD_FOR - Duration::from_millis(1));
        assert_eq!(deliver(&server).await, Report::default(), "still");
        server.clock.advance(Duration::from_millis(1));
        assert_eq!(deliver(&server).await.delivered, 1);
        assert_eq!(names(&receiver), [held[0].message.id.as_str()]);
        // the dead replica comes back and says what it thinks: nothing changes
        let (late, now) = (held[0].clone(), server.clock.now());
        let written = server.app.store.write_one(move |connection| {
            let late = late.clone();
            Box::pin(async move { outbox::reschedule(connection, &late, now, "late").await })
        });
        written.await.expect("written");
        assert_eq!(deliver(&server).await, Report::default());
    }

    /// Back-Channel Logout §2.4, §2.8: every attempt has the same `jti`, and a fresh `iat` and `exp`
    async fn a_failed_attempt_is_repeated_under_the_same_name_later_and_later(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        one_waits(&server).await;
        for (attempt, status) in [500, 503, 400, 404, 302].into_iter().enumerate() {
            receiver.answer(status);
            assert_eq!(deliver(&server).await, Report { failed: 1, ..Report::default() }, "{status}");
            let pause = Duration::from_secs(10 << attempt);
            server.clock.advance(pause * 3 / 4 - Duration::from_millis(1));
            assert_eq!(deliver(&server).await, Report::default(), "not before {pause:?}");
            server.clock.advance(pause / 2 + Duration::from_millis(2));
        }
        receiver.answer(204);
        assert_eq!(deliver(&server).await, Report { delivered: 1, ..Report::default() });
        let tokens = receiver.tokens();
        assert_eq!(tokens.len(), 6);
        for pair in tokens.windows(2) {
            let (before, after) = (claims(&pair[0]), claims(&pair[1]));
            assert_eq!((&before["jti"], &before["sid"]), (&after["jti"], &after["sid"]));
            assert!(before["iat"].as_i64() < after["iat"].as_i64(), "signed anew");
            assert_eq!(after["exp"].as_i64().unwrap() - after["iat"].as_i64().unwrap(), 120);
        }
    }

    async fn an_app_that_never_takes_it_is_given_up_after_a_day_and_operators_can_see_it(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        one_waits(&server).await;
        receiver.answer(400);
        let mut rounds = 0;
        let last = loop {
            rounds += 1;
            let report = deliver(&server).await;
            if report.abandoned == 1 {
                break report;
            }
            server.clock.advance(Duration::from_secs(1800));
            assert!(rounds < 100, "given up at last");
        };
        assert_eq!(last, Report { abandoned: 1, ..Report::default() });
        assert!((20..60).contains(&receiver.tokens().len()), "{} attempts in a day", receiver.tokens().len());
        let waited = server.clock.now().since(crate::support::clock::BEGINNING);
        assert!((82_000..=86_400).contains(&waited.as_secs()), "{waited:?}");
        assert_eq!(database.number("SELECT COUNT(*) FROM outbox WHERE state = 'abandoned' AND last_error LIKE '%400%'").await, 1);
        assert_eq!(database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'logout_token.abandoned'").await, 1);
        server.clock.advance(Duration::from_secs(3600));
        assert_eq!(deliver(&server).await, Report::default(), "nobody tries any more");
        // threat 193: what is done with goes
        server.clock.advance(Duration::from_secs(2 * 86_400));
        sweep_expired::run_once(&server.app).await.expect("swept");
        assert_eq!(database.number("SELECT COUNT(*) FROM outbox").await, 0);
    }

    async fn news_that_comes_too_late_is_not_told(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        one_waits(&server).await;
        // nobody delivered for a day
        server.clock.advance(LOGOUT_TOKEN_PATIENCE);
        assert_eq!(deliver(&server).await, Report { abandoned: 1, ..Report::default() });
        assert!(receiver.tokens().is_empty());
        assert_eq!(database.number("SELECT attempts FROM outbox WHERE state = 'abandoned'").await, 0);
        assert_eq!(deliver(&server).await, Report::default());
        // what the last attempt failed for is still to be read
        one_waits(&server).await;
        receiver.answer(400);
        assert_eq!(deliver(&server).await.failed, 1);
        server.clock.advance(LOGOUT_TOKEN_PATIENCE);
        assert_eq!(deliver(&server).await.abandoned, 1);
        let told = "SELECT COUNT(*) FROM outbox WHERE attempts = 1 AND state = 'abandoned' AND last_error LIKE '%400%'";
        assert_eq!(database.number(told).await, 1);
    }

    /// `portreeve explain`: the delivery is told under the request that signed the person out
    async fn a_delivery_is_recorded_under_the_request_that_ended_the_session(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        one_waits(&server).await;
        let held = hold(&server).await;
        let request_id = held[0].message.request_id.clone();
        server.clock.advance(HELD_FOR);
        deliver(&server).await;
        let read = server.app.store.read(move |connection| {
            let request_id = request_id.clone();
            Box::pin(async move { audit_events::of_request(connection, request_id.as_str()).await })
        });
        let events = read.await.expect("events");
        let names: Vec<&str> = events.iter().map(|event| event.event.as_str()).collect();
        assert_eq!(names, ["session.signed_out", "logout_token.delivered"]);
        assert_eq!((events[1].client_id.as_str(), &events[1].session_id), ("app", &events[0].session_id));
    }

    /// threat 174: replicas share nothing but the database, and deliver each message once
    async fn two_replicas_deliver_each_message_once(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        insert(&server, "app", 40).await;
        insert(&server, "other", 40).await;
        let second = server.replica().await;
        for _ in 0..100 {
            tokio::join!(deliver(&server), deliver(&second));
            if pending(&database).await == 0 {
                break;
            }
            server.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(pending(&database).await, 0);
        let mut jtis: Vec<String> = names(&receiver).iter().map(Value::to_string).collect();
        assert_eq!(jtis.len(), 80);
        jtis.sort();
        jtis.dedup();
        assert_eq!(jtis.len(), 80, "no jti twice");
        assert_eq!(database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'logout_token.delivered'").await, 80);
    }

    /// A rolled-back end of a session tells nobody: news and fact are one transaction.
    async fn a_logout_that_fails_tells_nobody(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        database.execute("ALTER TABLE audit_events RENAME TO gone").await;
        let answer = crate::logout::logout(&server, &mut browser, &[("id_token_hint", tokens.id())]).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        database.execute("ALTER TABLE gone RENAME TO audit_events").await;
        assert_eq!(deliver(&server).await, Report::default());
        assert!(receiver.tokens().is_empty() && crate::logout::is_signed_in(&server, &mut browser).await);
        sign_out(&server, &mut browser).await;
        assert_eq!(deliver(&server).await.delivered, 1, "the next one counts");
    }
}
