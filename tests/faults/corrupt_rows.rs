//! Rows that hold what no row may hold (F-39, threat 178): that object fails closed, others go on, and the log names table, column
//! and id, and never the value.

use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::log::KeptLog;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, PASSWORD, TestServer, basic, encode, header_of};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use portreeve::tasks::rotate_keys;
use serde_json::json;

/// A column, what is done to it, and whose rows they are.
const DAMAGE: [(&str, &str, &str); 9] = [
    ("grants", "state", "'no-such-state'"),
    ("grants", "scopes", "'a damaged \"value'"),
    ("grants", "resources", "'a damaged value'"),
    ("grants", "session_id", "'a damaged value!'"),
    ("grants", "salt_hash", "{bytes}"),
    ("grants", "generation", "-1"),
    ("grants", "code_challenge", "'a damaged value'"),
    ("users", "claims", "'{\"a damaged value'"),
    ("users", "claims", "'[1]'"),
];

async fn ask(server: &TestServer, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let request = Request::post(path)
        .header("authorization", basic("web", server.secret()))
        .header("content-type", "application/x-www-form-urlencoded");
    server.send_whatever_comes(request.body(Body::from(encode(parameters))).expect("a request")).await
}

/// What opens with somebody's tokens.
async fn doors(server: &TestServer, tokens: &Tokens) -> Vec<Answer> {
    let userinfo = Request::get("/userinfo").header("authorization", format!("Bearer {}", tokens.access()));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
    vec![
        server.send_whatever_comes(userinfo.body(Body::empty()).expect("a request")).await,
        ask(server, "/introspect", &[("token", tokens.access())]).await,
        ask(server, "/introspect", &[("token", tokens.refresh())]).await,
        ask(server, "/token", &refresh).await,
    ]
}

fn opens(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && !answer.body.contains("\"active\":false")
}

async fn body(database: TestDatabase) {
    let log = KeptLog::start("info");
    let server = TestServer::start(&database).await;
    server.add_person("bob", json!({"name": "Bob"})).await;
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    let adas = app.tokens(&server, &mut Browser::new()).await;
    let mut bobs = Browser::new();
    let page = bobs.get(&server, &app.authorize(&[])).await;
    let page = bobs.follow(&server, page).await;
    let page = bobs.sign_in(&server, &page, "bob").await;
    let code = bobs.decide(&server, &page, "allow").await.parameter("code").expect("a code");
    let bobs = Tokens(app.redeem(&server, &code, &[]).await.json());
    for table in ["grants", "users"] {
        database.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
    }
    for (table, column, value) in DAMAGE {
        let bytes = if database.is_postgres() { "'\\x0102'::bytea" } else { "x'0102'" };
        let whose = if table == "users" { "id" } else { "user_id" };
        let damage = "UPDATE {table} SET {column} = {value} WHERE {whose} IN (SELECT id FROM users WHERE username = 'ada')"
            .replace("{table}", table)
            .replace("{column}", column)
            .replace("{value}", &value.replace("{bytes}", bytes))
            .replace("{whose}", whose);
        database.execute(&damage).await;
        log.clear();
        for answer in doors(&server, &adas).await {
            assert!(!opens(&answer), "{table}.{column}: {answer:?}");
            assert!(!answer.body.contains("damaged") && !answer.body.contains(column), "{answer:?}");
        }
        for answer in doors(&server, &bobs).await {
            assert!(opens(&answer), "{table}.{column}: others go on: {answer:?}");
        }
        let told = log.text();
        let line = told
            .lines()
            .find(|line| line.contains("a row holds an impossible value"))
            .unwrap_or_else(|| panic!("{table}.{column}: {told}"));
        let named = format!("table=\"{table}\" column=\"{column}\" row.id=");
        assert!(line.contains(&named), "{line}");
        assert!(!told.contains("damaged value") && !told.contains("panicked"), "{told}");
        let restore =
            "UPDATE {table} SET {column} = (SELECT k.{column} FROM kept_{table} k WHERE k.id = {table}.id)"
                .replace("{table}", table)
                .replace("{column}", column);
        database.execute(&restore).await;
        assert!(opens(&doors(&server, &adas).await[0]), "{table}.{column}: mended, it is as before");
    }

    // Consent: the person is not asked, nor taken to have agreed.
    database.execute("UPDATE consents SET scopes = 'a damaged \"value'").await;
    let mut browser = Browser::new();
    let page = browser.get(&server, &app.authorize(&[])).await;
    let page = browser.follow(&server, page).await;
    let answer = browser.submit_login(&server, &page, "ada", PASSWORD).await;
    let answer = browser.follow(&server, answer).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("server_error"), "{answer:?}");
    assert!(log.text().contains("table=\"consents\" column=\"scopes\" row.id="));

    // Keys: of three, each damaged one is missing, and the others sign, verify and are shown.
    let keys = server.jwks().await["keys"].as_array().expect("keys").len();
    let truncate = match database.is_postgres() {
        true => "substring(sealed_private_key from 1 for 20)",
        false => "substr(sealed_private_key, 1, 20)",
    };
    let damage = "UPDATE signing_keys SET sealed_private_key = {truncate} WHERE algorithm = 'EdDSA'";
    database.execute(&damage.replace("{truncate}", truncate)).await;
    log.clear();
    let replica = server.replica().await;
    assert_eq!(replica.jwks().await["keys"].as_array().expect("keys").len(), keys - 1);
    assert!(
        log.text().contains("table=\"signing_keys\" column=\"sealed_private_key\" row.id="),
        "{}",
        log.text()
    );
    assert!(opens(&doors(&replica, &bobs).await[0]));
    database
        .execute("UPDATE signing_keys SET algorithm = 'no-such-algorithm' WHERE algorithm = 'EdDSA'")
        .await;
    rotate_keys::run_once(&replica.app).await.expect("a round goes on beside a damaged row");
    assert_eq!(replica.jwks().await["keys"].as_array().expect("keys").len(), keys, "there is a new key");
    assert!(log.text().contains("table=\"signing_keys\" column=\"algorithm\" row.id="), "{}", log.text());

    // Threat 178: a key that was moved to another row opens nothing there.
    database.execute("UPDATE signing_keys SET sealed_private_key = (SELECT k.sealed_private_key FROM signing_keys k WHERE k.algorithm = 'RS256') WHERE algorithm = 'ES256'").await;
    let replica = server.replica().await;
    let service = replica.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(service.status, StatusCode::OK, "the next algorithm has a key: {service:?}");
    assert_eq!(header_of(service.json()["access_token"].as_str().expect("a token"))["alg"], "RS256");
    assert!(!replica.jwks().await["keys"].as_array().expect("keys").is_empty());
}

#[tokio::test]
async fn a_damaged_row_fails_closed_and_alone_on_sqlite() {
    body(TestDatabase::sqlite()).await;
}

#[tokio::test]
async fn a_damaged_row_fails_closed_and_alone_on_postgresql() {
    body(TestDatabase::postgres().await).await;
}
