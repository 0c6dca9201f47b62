//! What a token says, decoded, for each kind and each way to get it. What is random is told by its form; the rest is as it
//! is on the test's clock.

use super::assert_golden;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, claims, header_of};
use serde_json::Value;

/// The claims whose values are random or derived from such.
const RANDOM: [&str; 6] = ["jti", "sub", "sid", "at_hash", "kid", "device_sid"];

fn shown(json: &Value) -> String {
    let members = json.as_object().expect("an object").iter().map(|(name, value)| match value {
        Value::String(text) if RANDOM.contains(&name.as_str()) && text != "service" => {
            let prefix = if text.starts_with("usr_") { "usr_ and " } else { "" };
            format!("  {name}: {prefix}{} characters", text.len() - prefix.len().min(4))
        }
        _ => format!("  {name}: {value}"),
    });
    members.collect::<Vec<_>>().join("\n")
}

fn section(title: &str, token: &str) -> String {
    format!("{title}\n header\n{}\n claims\n{}\n", shown(&header_of(token)), shown(&claims(token)))
}

/// RFC 9068 §2, OpenID Connect Core §2, §12.2, RFC 6749 §5.1.
#[tokio::test]
async fn tokens_say_what_the_file_says() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let (web, post) = (
        RelyingParty::new("web", "openid profile email offline_access photos.read"),
        RelyingParty::new("post", "openid"),
    );
    let tokens = web.tokens(&server, &mut Browser::new()).await;
    let elliptic = post.tokens(&server, &mut Browser::new()).await;
    let refreshed = Tokens(web.refresh(&server, tokens.refresh(), &[]).await.json());
    let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
    let mut response: Vec<String> = Vec::new();
    for (name, value) in tokens.0.as_object().expect("an object") {
        response.push(match value.as_str() {
            Some(text) if name.ends_with("_token") && name != "refresh_token" => {
                format!("  {name}: {} parts", text.split('.').count())
            }
            Some(text) if name == "refresh_token" => {
                format!("  {name}: {} and {} characters", &text[..4], text.len() - 4)
            }
            _ => format!("  {name}: {value}"),
        });
    }
    let sections = [
        format!("token response of web\n{}\n", response.join("\n")),
        section("access token of web", tokens.access()),
        section("ID token of web", tokens.id()),
        section("ID token of web after a refresh", refreshed.id()),
        section("access token of post, for this server itself", elliptic.access()),
        section("ID token of post, which wants ES256", elliptic.id()),
        section("access token of service", Tokens(service.json()).access()),
    ];
    assert_golden("tokens.txt", &sections.join("\n"));
}
