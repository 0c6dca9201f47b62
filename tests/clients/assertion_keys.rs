//! Which key an assertion verifies with: one of the client's, and the one that is meant (threats 61, 67; OpenID Connect Core §10.1).

use super::*;
use crate::support::database::on_both_stores;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;

fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    set(&mut jwk, name, None);
    jwk
}

on_both_stores! {
    /// RFC 7523 §3 (9), threat 61.
    async fn a_key_that_is_not_the_clients_opens_nothing(database: TestDatabase) {
        let (signer, other, stranger) = (Signer::new("one"), Signer::new("two"), Signer::new("one"));
        let clients = client_with("signed", &[signer.jwk()], "") + &client_with("other", &[other.jwk()], "");
        let server = TestServer::start_with(&database, "", &clients).await;
        let signed = Signed { server, signer };
        for key in [&other, &stranger] {
            for kid in ["one", "two"] {
                let forged = || {
                    let mut header = key.header();
                    header["kid"] = json!(kid);
                    key.sign(&header, &signed.claims())
                };
                signed.assert_refused(kid, forged).await;
            }
            signed.assert_refused("unnamed", || key.sign(&json!({"alg": "ES256"}), &signed.claims())).await;
        }
        let mixed = || {
            let mut claims = signed.claims();
            claims["iss"] = json!("other");
            other.sign(&other.header(), &claims)
        };
        signed.assert_refused("by another about this one", mixed).await;
    }

    /// RFC 7517 §4.2 to §4.4, threat 61: a key is for what it says that it is for.
    async fn a_key_for_another_purpose_opens_nothing(database: TestDatabase) {
        let signer = Signer::new("one");
        let [encrypts, signs_only] = ["enc", "sign"].map(Signer::new);
        let mut encrypting = encrypts.jwk().clone();
        encrypting["use"] = json!("enc");
        let mut operations = signs_only.jwk().clone();
        operations["key_ops"] = json!(["sign"]);
        let clients = client_with("signed", &[signer.jwk(), &encrypting, &operations], "");
        let server = TestServer::start_with(&database, "", &clients).await;
        let signed = Signed { server, signer };
        for key in [&encrypts, &signs_only] {
            signed.assert_refused("another purpose", || key.assertion(&signed.server, "signed")).await;
        }
    }

    /// RFC 8725 §3.1; conformance `ensure-signed-client-assertion-with-RS256-fails`.
    async fn a_key_that_names_its_algorithm_verifies_no_other(database: TestDatabase) {
        let signer = Signer::of(VerificationAlgorithm::Ps256, Some("one"));
        let signed = Signed::start_with(&database, signer, "").await;
        for alg in ["RS256", "ES256", "EdDSA", "Ed25519", "PS384", "RS512"] {
            signed.assert_refused(alg, || signed.with_header("alg", Some(json!(alg)))).await;
        }
    }

    /// OpenID Connect Core §10.1, conformance §5: a lone key without a name, as the suite's own client has.
    async fn a_key_without_a_name_is_found_by_its_kind(database: TestDatabase) {
        let [rsa, ec] = [VerificationAlgorithm::Rs256, VerificationAlgorithm::Es256].map(|one| Signer::of(one, None));
        let pss = Signer::of(VerificationAlgorithm::Ps256, None);
        let silent = without(pss.jwk(), "alg");
        let clients = client_with("signed", &[rsa.jwk(), ec.jwk()], "")
            + &client_with("silent", &[&silent], "")
            + &client_with("double", &[ec.jwk(), Signer::of(VerificationAlgorithm::Es256, None).jwk()], "");
        let server = TestServer::start_with(&database, "", &clients).await;
        for signer in [&rsa, &ec] {
            let answer = present(&server, "/token", &signer.assertion(&server, "signed")).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
        let named = |signer: &Signer, kid: &str, client_id: &str| {
            let mut header = signer.header();
            header["kid"] = json!(kid);
            signer.sign(&header, &signer.claims(&server, client_id))
        };
        let answer = present(&server, "/token", &named(&ec, "a name of its own", "signed")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_unknown(&present(&server, "/token", &ec.assertion(&server, "double")).await, "nothing is tried out");
        let answer = present(&server, "/token", &pss.assertion(&server, "silent")).await;
        assert_eq!(answer.status, StatusCode::OK, "an RSA key that does not say verifies either scheme: {answer:?}");
        let answer = present(&server, "/token", &rsa.assertion(&server, "silent")).await;
        assert_unknown(&answer, "another RSA key");
    }

    /// RFC 7517 §4.5: during a rotation two keys are live, and each is found by its name.
    async fn several_keys_are_live_at_once_and_a_reload_takes_one_away(database: TestDatabase) {
        let (old, new) = (Signer::new("old"), Signer::new("new"));
        let server =
            TestServer::start_with(&database, "", &client_with("signed", &[old.jwk(), new.jwk()], "")).await;
        for signer in [&old, &new] {
            let answer = present(&server, "/token", &signer.assertion(&server, "signed")).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
        let clients = &server.configuration.clients;
        let pair = format!("{}, {}", crate::support::assertion::in_toml(old.jwk()), crate::support::assertion::in_toml(new.jwk()));
        assert!(clients.contains(&pair));
        let clients = clients.replace(&pair, &crate::support::assertion::in_toml(new.jwk()));
        server.reload(&server.configuration.settings, &clients);
        assert_unknown(&present(&server, "/token", &old.assertion(&server, "signed")).await, "taken away");
        let answer = present(&server, "/token", &new.assertion(&server, "signed")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}
