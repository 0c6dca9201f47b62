//! A rotation as an operator's `key rotate` makes it, seen by those who verify.

use super::rotation;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{TestServer, header_of};
use portreeve::keys::key_ring::ANNOUNCED_FOR;
use portreeve::keys::rotation::Due;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::tasks::rotate_keys;
use serde_json::Value;

/// The keys that the JWKS shows.
async fn published(server: &TestServer) -> Vec<Value> {
    server.jwks().await["keys"].as_array().expect("keys").clone()
}

on_both_stores! {
    /// oidcc-server-rotate-keys; OpenID Connect Core §10.1.1
    async fn a_rotation_shows_a_new_key_of_each_algorithm_beside_the_old(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let before = published(&server).await;
        let made = rotation(&server).ensure(&SigningAlgorithm::ALL, Due::Now, &server.app.circumstances("")).await;
        let made = made.expect("keys");
        rotate_keys::run_once(&server.app).await.expect("a round");
        let after = published(&server).await;
        assert_eq!((made.len(), after.len()), (before.len(), 2 * before.len()));
        assert!(before.iter().all(|key| after.contains(key)), "the old ones stay");
        // the public part of each type is what tells two keys apart
        for (kind, part) in [("RSA", "n"), ("EC", "x"), ("OKP", "x")] {
            let of_kind = |keys: &[Value]| keys.iter().filter(|key| key["kty"] == kind).cloned().collect::<Vec<_>>();
            let [old] = of_kind(&before).try_into().expect("one before");
            let new: Vec<Value> = of_kind(&after).into_iter().filter(|key| *key != old).collect();
            let [new] = new.try_into().expect("one more");
            for member in ["kid", part] {
                assert!(new[member].is_string() && new[member] != old[member], "{kind} {member}");
            }
            assert_eq!((&new["alg"], &new["use"]), (&old["alg"], &old["use"]));
            assert!(made.iter().any(|kid| new["kid"] == kid.as_str()), "{kind}");
        }
        // until it was shown long enough the new one signs nothing, and then it signs
        let kid = async || {
            let tokens = RelyingParty::new("web", "openid").tokens(&server, &mut Browser::new()).await;
            header_of(tokens.id())["kid"].as_str().expect("a name").to_owned()
        };
        let named = |keys: &[Value], kid: &str| keys.iter().any(|key| key["kid"] == kid);
        assert!(named(&before, &kid().await));
        server.clock.advance(ANNOUNCED_FOR);
        rotate_keys::run_once(&server.app).await.expect("a round");
        let signer = kid().await;
        assert!(!named(&before, &signer) && named(&after, &signer));
        assert_eq!(published(&server).await.len(), after.len(), "what the old ones signed can still be verified");
    }
}
