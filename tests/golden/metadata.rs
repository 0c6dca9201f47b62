//! Both metadata documents (RFC 8414, OpenID Discovery), and which members the keys have.

use super::assert_golden;
use crate::support::database::TestDatabase;
use crate::support::server::TestServer;
use serde_json::Value;

fn written(json: &Value) -> String {
    // serde_json's map keeps its keys sorted
    format!("{}\n", serde_json::to_string_pretty(json).expect("JSON"))
}

/// RFC 8414 §3.2, OpenID Discovery §4.2; threats 15, 16, 170.
#[tokio::test]
async fn the_metadata_documents_are_those_of_the_file() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let discovery = server.get("/.well-known/openid-configuration").await;
    let metadata = server.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(discovery.body, metadata.body, "one document at both addresses");
    assert_golden("metadata.json", &written(&discovery.json()));
}

/// RFC 7517 §4, RFC 7518 §6, RFC 8037 §2: the public members and no others.
#[tokio::test]
async fn the_keys_have_the_members_of_the_file() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let jwks = server.jwks().await;
    let mut keys: Vec<String> = Vec::new();
    for key in jwks["keys"].as_array().expect("keys") {
        let members = key.as_object().expect("a key").iter().map(|(name, value)| {
            let text = value.as_str().unwrap_or_default();
            match name.as_str() {
                "kid" | "n" | "x" | "y" => format!("{name}: {} characters", text.len()),
                _ => format!("{name}: {value}"),
            }
        });
        keys.push(format!("{}\n", members.collect::<Vec<_>>().join("\n")));
    }
    keys.sort();
    assert_golden("jwks.txt", &keys.join("\n"));
}
