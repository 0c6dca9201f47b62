//! RFC 6749 §2.3 at every endpoint that clients use; what is refused is refused alike, and the next good request works.

use crate::support::database::TestDatabase;
use crate::support::server::{Answer, TestServer, basic};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Each endpoint with a request that a client may make there.
const ENDPOINTS: [(&str, [(&str, &str); 1]); 3] = [
    ("/token", [("grant_type", "client_credentials")]),
    ("/introspect", [("token", "x")]),
    ("/revoke", [("token", "x")]),
];

const ASSERTION: [(&str, &str); 2] = [
    ("client_assertion", "eyJhbGciOiJub25lIn0.e30."),
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
];

async fn assert_the_service_still_gets_in(server: &TestServer) {
    for (path, parameters) in ENDPOINTS {
        assert_eq!(server.post_as("service", path, &parameters).await.status, StatusCode::OK, "{path}");
    }
}

/// RFC 6749 §5.2: 401, and a challenge exactly when the Authorization header was tried.
fn assert_unauthenticated(answer: &Answer, tried_header: bool) {
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (StatusCode::UNAUTHORIZED, "invalid_client"),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let challenge = answer.header("www-authenticate");
    assert_eq!(
        challenge.is_some_and(|challenge| challenge.starts_with("Basic ")),
        tried_header,
        "{answer:?}"
    );
}

/// RFC 6749 §2.3: "MUST NOT use more than one authentication method in each request"; threat 53.
#[tokio::test]
async fn two_methods_at_once_are_refused_even_when_both_are_right() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let (header, secret) = (basic("service", server.secret()), server.secret().to_owned());
    let in_body = [("client_id", "service"), ("client_secret", secret.as_str())];
    for (path, parameters) in ENDPOINTS {
        let bodies = [
            (Some(header.as_str()), [&parameters[..], &in_body[..]].concat()),
            (Some(header.as_str()), [&parameters[..], &in_body[1..]].concat()),
            (Some(header.as_str()), [&parameters[..], &ASSERTION[..]].concat()),
            (Some(header.as_str()), [&parameters[..], &ASSERTION[..1]].concat()),
            (None, [&parameters[..], &in_body[..], &ASSERTION[..]].concat()),
        ];
        for (authorization, body) in bodies {
            let answer = server.post(path, authorization, &body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body:?}");
            assert_eq!(answer.error(), "invalid_request", "{path} {body:?}");
        }
        // Naming oneself beside the credentials is no second method.
        let named = [&parameters[..], &in_body[..1]].concat();
        assert_eq!(server.post(path, Some(&header), &named).await.status, StatusCode::OK, "{path}");
    }
    assert_the_service_still_gets_in(&server).await;
}

/// Threat 54: who is named twice is named alike.
#[tokio::test]
async fn another_client_id_than_that_of_the_credentials_is_refused() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let header = basic("service", server.secret());
    for (path, parameters) in ENDPOINTS {
        for other in ["web", "spa", "nobody", "SERVICE", "service ", "servic"] {
            let body = [&parameters[..], &[("client_id", other)]].concat();
            assert_unauthenticated(&server.post(path, Some(&header), &body).await, true);
        }
    }
    assert_the_service_still_gets_in(&server).await;
}

/// Threats 19, 56: a right secret by another method than the registered one proves nothing.
#[tokio::test]
async fn only_the_registered_method_counts() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let secret = server.secret().to_owned();
    for (path, parameters) in ENDPOINTS {
        let by_body = |id: &'static str| {
            [&parameters[..], &[("client_id", id), ("client_secret", secret.as_str())]].concat()
        };
        let by_name = |id: &'static str| [&parameters[..], &[("client_id", id)]].concat();
        // registered for client_secret_basic
        assert_unauthenticated(&server.post(path, None, &by_body("service")).await, false);
        assert_unauthenticated(&server.post(path, None, &by_name("service")).await, false);
        // registered for client_secret_post
        assert_unauthenticated(&server.post_as("post", path, &parameters).await, true);
        assert_unauthenticated(&server.post(path, None, &by_name("post")).await, false);
        // public: there is no secret that it could have
        assert_unauthenticated(&server.post_as("spa", path, &parameters).await, true);
        assert_unauthenticated(&server.post(path, Some(&basic("spa", "")), &parameters).await, true);
        assert_unauthenticated(&server.post(path, None, &by_body("spa")).await, false);
        for id in ["service", "post", "spa"] {
            let asserted = [by_name(id), ASSERTION.to_vec()].concat();
            assert_unauthenticated(&server.post(path, None, &asserted).await, false);
        }
        assert_unauthenticated(&server.post(path, None, &parameters).await, false);
        assert_unauthenticated(&server.post(path, Some("Bearer x"), &by_name("service")).await, true);
    }
    assert_the_service_still_gets_in(&server).await;
}

/// RFC 6749 §2.3.1: form-encoded first, then Basic; threat 55.
#[tokio::test]
async fn a_secret_with_strange_letters_works_encoded_and_only_so() {
    let database = TestDatabase::sqlite();
    let secret = "a:%+é &=\u{1f511}";
    let hash: String = Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    let strange = format!(
        "[[client]]\nclient_id = \"str:ange\"\ngrant_types = [\"client_credentials\"]\n\
         token_endpoint_auth_method = \"client_secret_basic\"\nclient_secrets = [{{ sha256 = \"{hash}\" }}]\n\
         scope = \"photos.read\"\n"
    );
    let server = TestServer::start_with(&database, "", &strange).await;
    let grant = [("grant_type", "client_credentials")];
    let right = basic("str:ange", secret);
    assert_eq!(server.post("/token", Some(&right), &grant).await.status, StatusCode::OK);
    let raw = |text: &str| format!("Basic {}", STANDARD.encode(text));
    for wrong in [
        raw(&format!("str:ange:{secret}")),
        raw(&format!("str%3Aange:{secret}")),
        raw("str%3Aange:a%3A%25+%C3%A9+%26%3D%F0%9F%94%91"),
        raw("str%3Aange:a%3A%25%2B%E9+%26%3D%F0%9F%94%91"),
        right.replace("Basic ", "Basic  "),
        right.replace("Basic ", "Basic\t"),
        format!("{right} "),
        format!("{right}="),
        right.replace("Basic ", "Basic"),
        basic("str:ange", &format!("{secret} ")),
        basic("str:ange", &secret.to_uppercase()),
        basic("str:ange", ""),
    ] {
        assert_unauthenticated(&server.post("/token", Some(&wrong), &grant).await, true);
    }
    let lower = right.replacen("Basic", "bAsIC", 1);
    assert_eq!(server.post("/token", Some(&lower), &grant).await.status, StatusCode::OK);
}

/// Threats 52, 62: nobody learns from an answer which clients there are, and guessing shuts nobody out.
#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_are_answered_alike_and_guessing_locks_nobody_out() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let grant = [("grant_type", "client_credentials")];
    let told = |answer: Answer| {
        let challenge = answer.header("www-authenticate").map(str::to_owned);
        (answer.status, answer.body, challenge)
    };
    let unknown = server.post_from("192.0.2.1", "/token", Some(&basic("nobody", "x")), &grant).await;
    let wrong = server.post_from("192.0.2.2", "/token", Some(&basic("service", "x")), &grant).await;
    let public = server.post_from("192.0.2.3", "/token", Some(&basic("spa", "x")), &grant).await;
    assert_unauthenticated(&wrong, true);
    let (unknown, wrong, public) = (told(unknown), told(wrong), told(public));
    assert!(unknown == wrong && wrong == public, "{unknown:?} {wrong:?} {public:?}");
    let mut slowed = false;
    for number in 0..100 {
        let guess = basic("service", &format!("guess {number}"));
        let answer = server.post_from("192.0.2.9", "/token", Some(&guess), &grant).await;
        assert_unauthenticated(&answer, true);
        slowed |= answer.header("retry-after").is_some();
    }
    assert!(slowed, "guessing is told to wait");
    for address in ["192.0.2.9", "198.51.100.1"] {
        let right = basic("service", server.secret());
        let answer = server.post_from(address, "/token", Some(&right), &grant).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {answer:?}");
    }
}
