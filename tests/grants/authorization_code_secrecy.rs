//! A code is chance and nothing else, and the store does not know it.

use crate::support::browser::Browser;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeSet;

/// Whether any row of grants holds the text, or the bytes that it stands for.
async fn is_stored(database: &TestDatabase, text: &str) -> bool {
    let columns = [
        "id",
        "redirect_uri",
        "redirect_uri_repeat",
        "code_challenge",
        "nonce",
        "scopes",
        "resources",
        "request_id",
        "session_id",
        "user_id",
        "client_id",
        "acr",
        "amr",
    ];
    let condition: Vec<String> = columns.iter().map(|column| format!("{column} LIKE '%{text}%'")).collect();
    let condition = condition.join(" OR ");
    database.number(&format!("SELECT COUNT(*) FROM grants WHERE {condition}")).await > 0
}

on_both_stores! {
    /// RFC 6749 §10.10: 256 bits, no two alike, no letter fixed; threat 31.
    async fn codes_have_256_random_bits_and_are_not_in_the_store(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("ours", "openid");
        let mut browser = Browser::new();
        let mut codes = Vec::new();
        for _ in 0..200 {
            codes.push(app.code(&server, &mut browser).await);
        }
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 200);
        for code in &codes {
            assert_eq!(URL_SAFE_NO_PAD.decode(code).expect("base64url").len(), 32, "{code}");
        }
        for at in 0..42 {
            let letters: BTreeSet<_> = codes.iter().map(|code| code.as_bytes()[at]).collect();
            assert!(letters.len() > 40, "letter {at} is one of {}", letters.len());
        }
        let code = &codes[0];
        assert!(is_stored(&database, "ours").await, "the search finds what is there");
        for length in [43, 32, 12] {
            assert!(!is_stored(&database, &code[..length]).await, "{length} letters of a code are in the store");
        }
    }
}
