//! Keys at a `jwks_uri`: how long they count, when they are asked for again, and what a server that does not answer can do
//! (threats 68, 90, 91, 183; OpenID Connect Core §10.1.1).

use super::*;
use crate::races::together;
use crate::support::assertion::client;
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the app's server answers now, and how often it was asked.
#[derive(Default)]
struct Shelf {
    document: Mutex<Document>,
    asked: AtomicUsize,
}

#[derive(Clone, Default)]
struct Document {
    status: StatusCode,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    delay: Duration,
}

impl Shelf {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn say(&self, document: Document) {
        *self.document.lock().expect("whole") = document;
    }

    /// Shows these keys, for as long as `cache_control` says.
    fn show(&self, keys: &[&Signer], cache_control: &'static str) {
        let keys: Vec<&Value> = keys.iter().map(|key| key.jwk()).collect();
        self.say(Document {
            headers: vec![("content-type", "application/jwk-set+json"), ("cache-control", cache_control)],
            body: json!({ "keys": keys }).to_string(),
            ..Document::default()
        });
    }

    fn fail(&self) {
        self.say(Document { status: StatusCode::INTERNAL_SERVER_ERROR, ..Document::default() });
    }
}

/// A server whose client `fetched` has its keys at an app's server.
struct Fetched {
    server: TestServer,
    shelf: Arc<Shelf>,
    _app: HttpsServer,
}

impl Fetched {
    async fn start(database: &TestDatabase) -> Self {
        let shelf = Arc::new(Shelf::default());
        let answering = shelf.clone();
        let answer = move || {
            let shelf = answering.clone();
            async move {
                shelf.asked.fetch_add(1, Ordering::SeqCst);
                let document = shelf.document.lock().expect("whole").clone();
                tokio::time::sleep(document.delay).await;
                let mut response: Response = (document.status, document.body).into_response();
                response.headers_mut().remove(header::CONTENT_TYPE);
                for (name, value) in document.headers {
                    response.headers_mut().insert(name, value.parse().expect("a value"));
                }
                response
            }
        };
        let app = HttpsServer::start(Router::new().route("/jwks", get(answer))).await;
        let clients = client("fetched", &format!("jwks_uri = \"{}\"", app.url("/jwks")), "");
        let server = TestServer::start_with(database, &app.settings(), &clients).await;
        Self { server, shelf, _app: app }
    }

    async fn status(&self, signer: &Signer) -> StatusCode {
        let answer = present(&self.server, "/token", &signer.assertion(&self.server, "fetched")).await;
        if answer.status != StatusCode::OK {
            assert_unknown(&answer, "not known");
        }
        answer.status
    }

    fn wait(&self, seconds: u64) {
        self.server.clock.advance(Duration::from_secs(seconds));
    }
}

const YES: StatusCode = StatusCode::OK;
const NO: StatusCode = StatusCode::UNAUTHORIZED;

on_both_stores! {
    /// OpenID Connect Core §10.1.1: a new key works within the minute.
    async fn a_new_key_is_asked_for_when_it_is_first_named(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let (old, new) = (Signer::new("old"), Signer::new("new"));
        app.shelf.show(&[&old], "max-age=3600");
        for _ in 0..3 {
            assert_eq!(app.status(&old).await, YES);
        }
        assert_eq!(app.shelf.asked(), 1, "asked once");
        app.shelf.show(&[&old, &new], "max-age=3600");
        app.wait(10);
        for signer in [&new, &old, &new] {
            assert_eq!(app.status(signer).await, YES);
        }
        assert_eq!(app.shelf.asked(), 2, "asked again for the new name");
    }

    /// RFC 7517 §4.5: `kid` is optional. Nothing but its signature tells the new key from the old.
    async fn a_new_key_without_a_name_is_asked_for_when_a_signature_does_not_fit(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let unnamed = || Signer::of(portreeve::protocol::verification_algorithm::VerificationAlgorithm::Es256, None);
        let (old, new, stranger) = (unnamed(), unnamed(), unnamed());
        app.shelf.show(&[&old], "max-age=3600");
        assert_eq!(app.status(&old).await, YES);
        app.shelf.show(&[&new], "max-age=3600");
        assert_eq!((app.status(&new).await, app.shelf.asked()), (NO, 1), "the address is left alone for a moment");
        app.wait(10);
        assert_eq!((app.status(&new).await, app.shelf.asked()), (YES, 2));
        assert_eq!((app.status(&old).await, app.shelf.asked()), (NO, 2));
        for _ in 0..2 {
            assert_eq!(app.status(&stranger).await, NO);
        }
        assert_eq!(app.shelf.asked(), 2, "whatever strangers send");
        app.wait(10);
        assert_eq!(app.status(&stranger).await, NO);
        assert_eq!((app.status(&new).await, app.shelf.asked()), (YES, 3));
    }

    /// Threats 90, 183: whatever strangers send, an address is asked once in ten seconds.
    async fn strangers_do_not_make_the_server_ask_again_and_again(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let known = Signer::new("known");
        app.shelf.show(&[&known], "max-age=3600");
        assert_eq!(app.status(&known).await, YES);
        for number in 0..20 {
            assert_eq!(app.status(&Signer::new(&format!("unknown {number}"))).await, NO);
        }
        assert_eq!(app.shelf.asked(), 1, "just asked");
        for asked in 2..5 {
            app.wait(10);
            for number in 0..5 {
                assert_eq!(app.status(&Signer::new(&format!("unknown {number}"))).await, NO);
                assert_eq!(app.status(&known).await, YES);
            }
            assert_eq!(app.shelf.asked(), asked);
        }
        // What cannot be an assertion of this client is no reason to ask.
        app.wait(10);
        let other = Signer::new("other");
        for assertion in ["a.b.c".to_owned(), other.assertion(&app.server, "nobody"), other.assertion(&app.server, "web")] {
            assert_unknown(&present(&app.server, "/token", &assertion).await, "not the client's");
        }
        assert_eq!(app.shelf.asked(), 4);
    }

    /// Threat 183: a key that was taken away is refused as soon as the document is too old, an hour at the latest.
    async fn a_key_that_was_taken_away_is_refused_within_the_life_of_the_document(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        for (cache_control, life) in [
            ("max-age=600", 600),
            ("max-age=86400", 3600),
            ("max-age=5", 60),
            ("no-store", 60),
            ("public", 300),
            ("max-age=nonsense", 60), // RFC 9111 §4.2.1: as good as stale
        ] {
            app.wait(3600); // whatever was shown before is too old
            let before = app.shelf.asked();
            let (lost, kept) = (Signer::new("lost"), Signer::new("kept"));
            app.shelf.show(&[&lost, &kept], cache_control);
            assert_eq!(app.status(&lost).await, YES);
            app.shelf.show(&[&kept], cache_control);
            app.wait(life - 1);
            assert_eq!(app.status(&kept).await, YES);
            assert_eq!(app.shelf.asked(), before + 1, "{cache_control}: it is young");
            assert_eq!(app.status(&lost).await, YES, "{cache_control}");
            app.wait(1);
            assert_eq!(app.status(&lost).await, NO, "{cache_control}");
            assert_eq!(app.status(&kept).await, YES, "{cache_control}");
            assert_eq!(app.shelf.asked(), before + 2, "{cache_control}");
        }
    }

    /// Threat 183: when the app's server fails, what it said last counts for an hour, then nothing does until it answers.
    async fn the_last_good_answer_counts_for_an_hour(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let signer = Signer::new("one");
        app.shelf.show(&[&signer], "max-age=60");
        assert_eq!(app.status(&signer).await, YES);
        app.shelf.fail();
        app.wait(60);
        for seconds in [0, 5, 10, 1000, 2500] {
            app.wait(seconds);
            assert_eq!(app.status(&signer).await, YES, "{seconds}");
        }
        let asked = app.shelf.asked();
        assert_eq!(asked, 5, "not oftener than every ten seconds");
        app.wait(24);
        assert_eq!(app.status(&signer).await, YES, "one second to go");
        app.wait(1);
        assert_eq!(app.status(&signer).await, NO, "an hour is over");
        app.wait(10);
        assert_eq!(app.status(&signer).await, NO);
        app.shelf.show(&[&signer], "max-age=60");
        assert_eq!(app.status(&signer).await, NO, "it was asked just now");
        app.wait(10);
        assert_eq!(app.status(&signer).await, YES, "it answers again");
    }

    /// Threats 73, 90, 91: one text for every reason, and none of them is kept for long.
    async fn a_document_that_is_no_good_key_set_is_as_good_as_none(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let signer = Signer::new("one");
        let good = json!({"keys": [signer.jwk()]}).to_string();
        let mut private = signer.jwk().clone();
        private["d"] = json!("AAAA");
        let json_type = vec![("content-type", "application/json")];
        let with = |body: &str| Document { headers: json_type.clone(), body: body.to_owned(), ..Document::default() };
        let of_type = |name: &'static str| Document { headers: vec![("content-type", name)], ..with(&good) };
        let redirect = vec![("content-type", "application/json"), ("location", "https://127.0.0.1/jwks")];
        for document in [
            with(""),
            with("[]"),
            with("{\"keys\":{}}"),
            with(&format!("{{\"keys\":[],{}", &good[1..])),
            with(&json!({"keys": [signer.jwk(), {"kty": "oct", "k": "c2VjcmV0"}]}).to_string()),
            with(&json!({"keys": [signer.jwk(), {"kty": "RSA", "n": "gQ", "e": "AQAB"}]}).to_string()),
            with(&json!({ "keys": [private] }).to_string()),
            with(&json!({"keys": [signer.jwk()], "x": "x".repeat(70_000)}).to_string()),
            with(&json!({ "keys": vec![signer.jwk(); 65] }).to_string()),
            of_type("text/html"),
            Document { headers: vec![], ..with(&good) },
            Document { status: StatusCode::NOT_FOUND, ..with(&good) },
            Document { status: StatusCode::FOUND, headers: redirect, ..with(&good) },
            Document { headers: vec![("content-type", "application/json"), ("content-encoding", "gzip")], ..with(&good) },
        ] {
            app.shelf.say(document.clone());
            app.wait(10);
            assert_eq!(app.status(&signer).await, NO, "{} {:?}", document.status, document.headers);
            let asked = app.shelf.asked();
            assert_eq!(app.status(&signer).await, NO);
            assert_eq!(app.shelf.asked(), asked, "a failure is kept for a moment");
        }
        app.shelf.say(with(&good));
        app.wait(10);
        assert_eq!(app.status(&signer).await, YES);
    }

    /// RFC 7517 §5: a set without a key is an answer: all of them were taken away.
    async fn an_empty_key_set_takes_every_key_away(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let signer = Signer::new("one");
        app.shelf.show(&[&signer], "max-age=60");
        assert_eq!(app.status(&signer).await, YES);
        app.shelf.show(&[], "max-age=60");
        app.wait(60);
        assert_eq!(app.status(&signer).await, NO);
    }

    /// Threat 90: many that come at once are answered by one request, also when it fails and also when the first hangs up.
    async fn many_who_need_the_keys_at_once_are_answered_by_one_request(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let signer = Arc::new(Signer::new("one"));
        app.shelf.show(&[&signer], "max-age=60");
        app.shelf.document.lock().expect("whole").delay = Duration::from_millis(200);
        let app = Arc::new(app);
        let hanging_up = {
            let (app, signer) = (app.clone(), signer.clone());
            tokio::spawn(async move { app.status(&signer).await })
        };
        while app.shelf.asked() == 0 {
            tokio::task::yield_now().await;
        }
        hanging_up.abort();
        let crowd = |expected| {
            let (app, signer) = (app.clone(), signer.clone());
            async move {
                let outcomes = together(16, |_| {
                    let (app, signer) = (app.clone(), signer.clone());
                    async move { app.status(&signer).await }
                })
                .await;
                assert_eq!(outcomes, [expected; 16]);
            }
        };
        crowd(YES).await;
        assert_eq!(app.shelf.asked(), 1);
        app.shelf.fail();
        app.wait(3600);
        crowd(NO).await;
        assert_eq!(app.shelf.asked(), 2);
    }

    /// Threats 90, 94: a slow server that a stranger makes this one ask holds up nobody whose key is at hand.
    async fn keys_at_hand_do_not_wait_for_newer_ones(database: TestDatabase) {
        let app = Arc::new(Fetched::start(&database).await);
        let signer = Signer::new("one");
        app.shelf.show(&[&signer], "max-age=600");
        assert_eq!(app.status(&signer).await, YES);
        app.shelf.document.lock().expect("whole").delay = Duration::from_secs(60);
        app.wait(10);
        let stranger = {
            let app = app.clone();
            tokio::spawn(async move { app.status(&Signer::new("unknown")).await })
        };
        while app.shelf.asked() == 1 {
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            assert_eq!(app.status(&signer).await, YES);
        }
        assert!(!stranger.is_finished(), "the stranger waits still");
        assert_eq!(stranger.await.expect("ended"), NO, "and is refused when the time is up");
        assert_eq!(app.status(&signer).await, YES);
    }

    /// Threat 190: a clock that was set back makes no key live longer.
    async fn a_clock_that_jumps_back_makes_the_server_ask_again(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let (lost, kept) = (Signer::new("lost"), Signer::new("kept"));
        app.wait(86_400);
        app.shelf.show(&[&lost, &kept], "max-age=3600");
        assert_eq!(app.status(&lost).await, YES);
        app.shelf.show(&[&kept], "max-age=3600");
        app.server.clock.set(crate::support::clock::BEGINNING);
        assert_eq!(app.status(&lost).await, NO);
        assert_eq!(app.status(&kept).await, YES);
    }

    /// F-21: what was fetched is no part of the configuration, but whom the server may ask is.
    async fn a_reload_keeps_what_was_fetched(database: TestDatabase) {
        let app = Fetched::start(&database).await;
        let signer = Signer::new("one");
        app.shelf.show(&[&signer], "max-age=600");
        assert_eq!(app.status(&signer).await, YES);
        let settings = app.server.configuration.settings.replace("See your photos", "See all your photos");
        app.server.reload(&settings, &app.server.configuration.clients);
        assert_eq!(app.status(&signer).await, YES);
        assert_eq!(app.shelf.asked(), 1);
        let forbidden = app.server.configuration.settings.replace("allow_private = [", "allow_private = [] # [");
        app.server.reload(&forbidden, &app.server.configuration.clients);
        app.wait(3600);
        assert_eq!(app.status(&signer).await, NO, "it may not be asked any more");
        assert_eq!(app.shelf.asked(), 1);
    }
}
