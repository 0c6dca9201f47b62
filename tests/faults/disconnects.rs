//! A client that hangs up drops its handler at whatever it awaits (security.md §0.2, threats 189, 197; F-07): work that changes
//! something runs to its end or leaves nothing, and the connection that it used carries nobody else's write away.

use super::{Slow, grants, post, post_form, revocation};
use crate::support::browser::{Browser, form};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, basic};
use axum::http::StatusCode;
use std::time::Duration;

/// How long a message takes to the database.
const DELAY: Duration = Duration::from_millis(20);
/// After which times clients hang up: steps shorter than a message, beyond the longest answer. Without a line to slow down
/// an answer takes a few milliseconds at most.
fn moments(database: &TestDatabase, messages: u32) -> Vec<Duration> {
    let (step, end) = match database.is_postgres() {
        true => (Duration::from_micros(7_300), DELAY * (messages + 1)),
        false => (Duration::from_micros(430), Duration::from_millis(12)),
    };
    (0..).map(|number| step * number).take_while(|moment| *moment <= end).collect()
}

/// What runs beside the hung-up requests, on the connections that they leave: revocations, each acknowledged.
struct Borrower {
    waiting: Vec<Tokens>,
    revoked: Vec<Tokens>,
}

impl Borrower {
    async fn new(slow: &Slow, count: usize) -> Self {
        Self { waiting: grants(&slow.straight, &mut Browser::new(), count).await, revoked: Vec::new() }
    }

    /// Revokes a grant and has it acknowledged.
    async fn revoke(&mut self, slow: &Slow) {
        let tokens = self.waiting.pop().expect("one for each moment");
        let answer = slow.ask(&revocation(&slow.server, "ours", tokens.refresh())).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "the next request is served: {answer}");
        self.revoked.push(tokens);
    }

    /// Nothing that was acknowledged was undone, as another replica sees it.
    async fn assert_all_revoked(&self, server: &TestServer) {
        for tokens in &self.revoked {
            assert_eq!(server.introspect_as("ours", tokens.refresh()).await["active"], false);
            server.assert_dead("ours", tokens.access()).await;
        }
    }
}

/// Hangs up on `request`, borrows what it leaves, and waits until all is quiet.
async fn disturb(
    slow: &Slow,
    database: &TestDatabase,
    borrower: &mut Borrower,
    request: &str,
    after: Duration,
) {
    slow.hang_up(request, after).await;
    borrower.revoke(slow).await;
    slow.settle(database).await;
}

on_both_stores! {
    /// RFC 6749 §4.1.2: a code is spent if and only if its grant is active, and is good for one answer at most.
    async fn a_redemption_that_nobody_waits_for_is_whole_or_has_not_happened(database: TestDatabase) {
        let slow = Slow::start(&database, DELAY).await;
        let (app, mut browser) = (RelyingParty::new("spa", "openid photos.read offline_access"), Browser::new());
        let moments = moments(&database, 3);
        let mut borrower = Borrower::new(&slow, moments.len()).await;
        let (mut spent, mut whole) = (0, 0);
        for after in moments {
            let code = app.code(&slow.straight, &mut browser).await;
            let request = post("/token", &[], &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &app.redirect_uri),
                ("code_verifier", &app.verifier),
                ("client_id", "spa"),
            ]);
            disturb(&slow, &database, &mut borrower, &request, after).await;
            let again = app.redeem(&slow.straight, &code, &[]).await;
            match again.status {
                StatusCode::OK => whole += 1,
                _ => {
                    assert_eq!(again.error(), "invalid_grant");
                    spent += 1;
                }
            }
        }
        borrower.assert_all_revoked(&slow.straight).await;
        assert_eq!(database.number("SELECT COUNT(*) FROM grants WHERE client_id = 'spa' AND state = 'code'").await, 0);
        let active = "SELECT COUNT(*) FROM grants WHERE client_id = 'spa' AND state = 'active' AND redeemed_at IS NOT NULL
                      AND salt_hash IS NOT NULL";
        assert_eq!(database.number(active).await, spent + whole);
        assert!(spent > 0, "hanging up late finds the code spent");
    }

    /// Threats 38, 41: whoever lost the answer presents the same token again, and the grant lives on in one branch.
    async fn a_refresh_that_nobody_waits_for_can_be_tried_again(database: TestDatabase) {
        let slow = Slow::start(&database, DELAY).await;
        let app = RelyingParty::new("spa", "openid offline_access");
        let moments = moments(&database, 3);
        let mut borrower = Borrower::new(&slow, moments.len()).await;
        let tokens = app.tokens(&slow.straight, &mut Browser::new()).await;
        let mut token = tokens.refresh().to_owned();
        for after in moments {
            let asked = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", "spa")];
            disturb(&slow, &database, &mut borrower, &post("/token", &[], &asked), after).await;
            let again = app.refresh(&slow.straight, &token, &[]).await;
            assert_eq!(again.status, StatusCode::OK, "{again:?}");
            token = Tokens(again.json()).refresh().to_owned();
        }
        borrower.assert_all_revoked(&slow.straight).await;
        assert_eq!(app.refresh(&slow.straight, tokens.refresh(), &[]).await.error(), "invalid_grant");
        assert_eq!(app.refresh(&slow.straight, &token, &[]).await.error(), "invalid_grant", "the replay ended the grant");
    }

    /// RFC 7009 §2.1, threat 184: a revocation and its event are one, and once more is as once.
    async fn a_revocation_that_nobody_waits_for_is_whole_or_has_not_happened(database: TestDatabase) {
        let slow = Slow::start(&database, DELAY).await;
        let moments = moments(&database, 6);
        let mut borrower = Borrower::new(&slow, moments.len()).await;
        let prepared = grants(&slow.straight, &mut Browser::new(), moments.len()).await;
        let borrowed = borrower.waiting.len();
        for (after, tokens) in moments.into_iter().zip(&prepared) {
            disturb(&slow, &database, &mut borrower, &revocation(&slow.server, "ours", tokens.refresh()), after).await;
            let revoked = database.number("SELECT COUNT(*) FROM grants WHERE state = 'revoked' AND revoked_at IS NOT NULL").await;
            assert_eq!(revoked, database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'grant.revoked'").await);
            // Two messages along, the work has begun, and what has begun is not cancelled.
            if database.is_postgres() && after >= DELAY * 2 {
                assert_eq!(slow.straight.introspect_as("ours", tokens.refresh()).await["active"], false, "{after:?}");
            }
        }
        borrower.assert_all_revoked(&slow.straight).await;
        for tokens in &prepared {
            let answer = slow.straight.post_as("ours", "/revoke", &[("token", tokens.refresh())]).await;
            assert_eq!(answer.status, StatusCode::OK);
            slow.straight.assert_dead("ours", tokens.access()).await;
        }
        let events = database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'grant.revoked'").await;
        assert_eq!(usize::try_from(events).ok(), Some(prepared.len() + borrowed), "each was revoked once");
    }

    /// OpenID Connect Core §3.1.2.4, invariant 13: consent, code and event are one.
    async fn a_consent_that_nobody_waits_for_is_whole_or_has_not_happened(database: TestDatabase) {
        let slow = Slow::start(&database, DELAY).await;
        let (app, mut browser) = (RelyingParty::new("web", "openid photos.read"), Browser::new());
        let moments = moments(&database, 9);
        let mut borrower = Borrower::new(&slow, moments.len()).await;
        let page = browser.get(&slow.straight, &app.authorize(&[])).await;
        let page = browser.follow(&slow.straight, page).await;
        browser.sign_in(&slow.straight, &page, "ada").await;
        let mut happened = 0;
        for after in moments {
            database.execute("DELETE FROM consents").await;
            let page = browser.get(&slow.straight, &app.authorize(&[])).await;
            let page = browser.follow(&slow.straight, page).await;
            let form = form(&page);
            let mut fields: Vec<(&str, &str)> =
                form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            fields.extend([("decision", "allow"), ("scope", "photos.read")]);
            let request = post_form(&browser, &slow.server.issuer(), &form.action, &fields);
            let before = database.number("SELECT COUNT(*) FROM grants WHERE client_id = 'web'").await;
            disturb(&slow, &database, &mut borrower, &request, after).await;
            let codes = database.number("SELECT COUNT(*) FROM grants WHERE client_id = 'web'").await - before;
            assert_eq!(database.number("SELECT COUNT(*) FROM consents").await, codes);
            assert_eq!(
                database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'consent.given'").await,
                before + codes
            );
            happened += codes;
        }
        borrower.assert_all_revoked(&slow.straight).await;
        assert!(happened > 0, "hanging up late finds the consent given");
        assert!(app.visit(&slow.straight, &mut browser, &[]).await.parameter("code").is_some());
    }

    /// OpenID Connect Core §3.1.2.3: a session and its event are one; the password opens the next door as it did this one.
    async fn a_sign_in_that_nobody_waits_for_is_whole_or_has_not_happened(database: TestDatabase) {
        let slow = Slow::start(&database, DELAY).await;
        let app = RelyingParty::new("ours", "openid");
        let moments = moments(&database, 10);
        let mut borrower = Borrower::new(&slow, moments.len()).await;
        for after in moments {
            let mut browser = Browser::new();
            let page = browser.get(&slow.straight, &app.authorize(&[])).await;
            let form = form(&browser.follow(&slow.straight, page).await);
            let mut fields: Vec<(&str, &str)> =
                form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            fields.extend([("username", "ada"), ("password", crate::support::server::PASSWORD)]);
            let request = post_form(&browser, &slow.server.issuer(), &form.action, &fields);
            disturb(&slow, &database, &mut borrower, &request, after).await;
            assert_eq!(
                database.number("SELECT COUNT(*) FROM sessions").await,
                database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'session.signed_in'").await
            );
        }
        borrower.assert_all_revoked(&slow.straight).await;
        assert!(app.visit(&slow.straight, &mut Browser::new(), &[]).await.parameter("code").is_some());
    }

    /// RP-Initiated Logout §2: the session, what does not outlive it, and the event end together.
    async fn a_sign_out_that_nobody_waits_for_is_whole_or_has_not_happened(database: TestDatabase) {
        let slow = Slow::start(&database, DELAY).await;
        let app = RelyingParty::new("ours", "openid");
        let moments = moments(&database, 8);
        let mut borrower = Borrower::new(&slow, moments.len()).await;
        let mut happened = 0;
        for after in moments {
            let mut browser = Browser::new();
            let tokens = app.tokens(&slow.straight, &mut browser).await;
            let form = form(&browser.get(&slow.straight, "/logout").await);
            let fields: Vec<(&str, &str)> =
                form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let request = post_form(&browser, &slow.server.issuer(), &form.action, &fields);
            disturb(&slow, &database, &mut borrower, &request, after).await;
            let ended = database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NOT NULL").await;
            assert_eq!(ended, database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'session.signed_out'").await);
            assert_eq!(ended, database.number("SELECT COUNT(*) FROM grants WHERE state = 'revoked' AND NOT offline").await);
            let refreshed = app.refresh(&slow.straight, tokens.refresh(), &[]).await;
            assert_eq!(refreshed.status == StatusCode::OK, ended == happened, "{refreshed:?}");
            happened = ended;
        }
        borrower.assert_all_revoked(&slow.straight).await;
        assert!(happened > 0, "hanging up late finds the session ended");
    }
}

/// The sweep is worth something only while it meets requests in the middle of their statements: at most of its moments a
/// redemption over the slow line has begun and not ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slow_line_is_slow() {
    let database = TestDatabase::postgres().await;
    let slow = Slow::start(&database, DELAY).await;
    let tokens = grants(&slow.straight, &mut Browser::new(), 1).await;
    let authorization = basic("ours", slow.server.secret());
    let asked = [("token", tokens[0].access())];
    let request = post("/introspect", &[("authorization", authorization.as_str())], &asked);
    let early = tokio::time::timeout(DELAY, slow.ask(&request)).await;
    assert!(early.is_err(), "answered before a message could have come through: {early:?}");
    assert!(slow.ask(&request).await.contains("\"active\":true"));
}
