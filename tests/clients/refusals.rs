//! What the operator is told of a refusal, and what nobody is: the caller reads one text, the log holds no assertion.

use super::*;
use crate::support::assertion::client;
use crate::support::log::KeptLog;

/// product.md, principle 4; threats 23, 62, 91.
#[tokio::test]
async fn the_operator_reads_which_check_failed_and_nobody_reads_the_assertion() {
    // With one listener alone, a place in the code that another test's thread comes by first would be taken for one that nobody
    // listens to.
    let _other = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let log = KeptLog::start("trace");

    let database = TestDatabase::sqlite();
    let (signer, other) = (Signer::new("one"), Signer::new("two"));
    let nowhere = client("nowhere", "jwks_uri = \"https://keys.internal/jwks?hunter=1\"", "");
    let clients = client_with("signed", &[signer.jwk()], "") + &nowhere;
    let signed = Signed { server: TestServer::start_with(&database, "", &clients).await, signer };
    let used = signed.signer.assertion(&signed.server, "signed");
    signed.assert_taken(&used, "good").await;
    let claim = |name: &str, value: Value| signed.with_claim(name, Some(value));
    let header = |name: &str, value: Value| signed.with_header(name, Some(value));
    let mut told = Vec::new();
    for (assertion, reason) in [
        (used.clone(), "the assertion was used before"),
        (claim("aud", json!("https://auth.example.com/token")), "aud does not name"),
        (claim("exp", json!(1)), "exp is past"),
        (claim("exp", json!(1_900_000_000)), "exp is not within"),
        (claim("nbf", json!(1_900_000_000)), "nbf lies ahead"),
        (signed.with_claim("jti", None), "jti is missing"),
        (signed.with_claim("sub", None), "sub is not the client_id"),
        (claim("iss", json!("web")), "iss is not the expected"),
        (header("kid", json!("two")), "no known key fits"),
        (header("alg", json!("RS256")), "alg does not suit the key"),
        (header("alg", json!("none")), "alg is none of the accepted"),
        (header("typ", json!("at+jwt")), "typ is not the expected"),
        (other.sign(&signed.signer.header(), &signed.claims()), "the signature does not verify"),
        (other.assertion(&signed.server, "nobody"), "there is no such client"),
        (other.assertion(&signed.server, "web"), "the client is registered for another method"),
        (
            other.assertion(&signed.server, "nowhere"),
            "the keys at jwks_uri could not be had: keys.internal is a name",
        ),
    ] {
        // Each from an address of its own: whoever fails often is told to wait, and that is the reason then.
        let address = format!("203.0.113.{}", told.len() + 1);
        let parameters = [ENDPOINTS[0].1, &presenting(&assertion)].concat();
        let answer = signed.server.post_from(&address, "/token", None, &parameters).await;
        assert_unknown(&answer, reason);
        let found = log.text();
        let last =
            found.lines().rfind(|line| line.contains("client.authentication_failed")).unwrap_or_default();
        assert!(last.contains(reason), "{reason}: {last}");
        told.push(assertion);
    }
    let text = log.text();
    assert!(text.contains("a client's keys could not be had") && !text.contains("hunter"), "{text}");
    for assertion in &told {
        for part in assertion.split('.').filter(|part| part.len() > 20) {
            assert!(!text.contains(part), "{part}");
        }
        let jti = crate::support::server::claims(assertion)["jti"].as_str().map(str::to_owned);
        assert!(!jti.is_some_and(|jti| text.contains(&jti)), "{assertion}");
    }
}
