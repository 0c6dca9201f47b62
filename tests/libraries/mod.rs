//! Relying parties that nobody here wrote, unmodified: openid-client (npm) and Authlib (PyPI), each as a program of its own,
//! over TLS, against a server on PostgreSQL. `./tests/run` installs them and says where they are. The third library is the
//! `openidconnect` crate, in `tests/flows`; which of them walks which road is in [`ROADS`].

use crate::support::clock::ManualClock;
use crate::support::configuration::{TestConfiguration, random_secret};
use crate::support::database::TestDatabase;
use crate::support::https_server::write_identity;
use crate::support::request_signer::RequestSigner;
use crate::support::server::{Listening, PASSWORD, TestServer};
use crate::support::sources;
use portreeve::http::app::Mode;
use portreeve::http::listener::{Listener, ListenerLimits};
use portreeve::http::tls::TlsReloader;
use portreeve::model::clock::{Clock as _, SystemClock};
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// What shows that a library walks a road.
enum Shown {
    /// The crate's test of this name.
    Test(&'static str),
    /// The step of the program, which the test of that library asks for.
    Step(&'static str),
    /// The step of the program in which it writes the request itself, since the library has no such call.
    ByHand(&'static str),
    /// Nothing: the library has no such call.
    NoSuchCall,
}
use Shown::{ByHand, NoSuchCall, Step, Test};

/// Each road, by the `openidconnect` crate, by openid-client and by Authlib.
const ROADS: [(&str, [Shown; 3]); 8] = [
    (
        "code flow",
        [
            Test("the_crate_signs_ada_in_and_verifies_what_it_gets"),
            Step("code flow with PKCE, state, nonce, iss and an ID token"),
            Step("code flow with PKCE, state, nonce, iss and an ID token"),
        ],
    ),
    (
        "refresh",
        [
            Test("the_crate_refreshes_introspects_and_revokes"),
            Step("refresh"),
            Step("refresh and introspection"),
        ],
    ),
    (
        "revocation",
        [Test("the_crate_refreshes_introspects_and_revokes"), Step("revocation"), Step("revocation")],
    ),
    (
        "introspection",
        [
            Test("the_crate_refreshes_introspects_and_revokes"),
            Step("introspection"),
            Step("refresh and introspection"),
        ],
    ),
    (
        "pushed authorization request",
        [NoSuchCall, Step("pushed authorization request"), ByHand("pushed authorization request, by hand")],
    ),
    ("private_key_jwt", [NoSuchCall, Step("private_key_jwt at every endpoint"), Step("private_key_jwt")]),
    (
        "logout",
        [Test("the_crate_signs_out"), Step("RP-initiated logout"), ByHand("RP-initiated logout, by hand")],
    ),
    (
        "registration",
        [
            Test("the_crate_registers_itself"),
            Step("dynamic registration"),
            ByHand("dynamic registration by hand, from the first to the last"),
        ],
    ),
];

/// The steps that openid-client has to say it has done.
const NODE_STEPS: [&str; 16] = [
    "code flow with PKCE, state, nonce, iss and an ID token",
    "userinfo",
    "refresh",
    "introspection",
    "resource indicators at refresh",
    "revocation",
    "a code that comes again is refused",
    "a wrong secret is refused",
    "a public client and its rotating refresh token",
    "client credentials",
    "pushed authorization request",
    "private_key_jwt at every endpoint",
    "signed request object",
    "RP-initiated logout",
    "dynamic registration",
    "registration without its token is refused",
];

/// The steps that Authlib has to say it has done.
const PYTHON_STEPS: [&str; 12] = [
    "code flow with PKCE, state, nonce, iss and an ID token",
    "userinfo",
    "refresh and introspection",
    "revocation",
    "a wrong secret is refused",
    "client credentials",
    "private_key_jwt with the token endpoint as audience",
    "the token endpoint as audience is refused of other clients",
    "private_key_jwt",
    "pushed authorization request, by hand",
    "RP-initiated logout, by hand",
    "dynamic registration by hand, from the first to the last",
];

/// A server that a program of somebody else's can reach.
struct Place {
    issuer: String,
    authority: PathBuf,
    initial_access_token: String,
    signer: RequestSigner,
    server: TestServer,
    _files: TempDir,
    _listening: Listening,
    _database: TestDatabase,
}

impl Place {
    async fn open() -> Self {
        let database = TestDatabase::postgres().await;
        let files = tempfile::tempdir().expect("a folder");
        let [authority, certificate, key] = write_identity(files.path(), &["localhost"]);
        let tls = TlsReloader::load(&certificate, key.as_path()).expect("a certificate and its key");
        let address = ([127, 0, 0, 1], 0).into();
        let listener =
            Listener::bind(address, ListenerLimits::default(), Some(tls), vec![]).await.expect("a port");
        let issuer = format!("https://localhost:{}", listener.local_address().port());
        let initial_access_token = random_secret();
        let hash: String =
            Sha256::digest(&initial_access_token).iter().map(|byte| format!("{byte:02x}")).collect();
        let settings = format!("[registration]\ninitial_access_tokens = [{{ sha256 = \"{hash}\" }}]\n");
        let signer = RequestSigner::new(SigningAlgorithm::Es256);
        let configuration = TestConfiguration::with(&database, &issuer, &settings, &clients(&signer));
        let clock = ManualClock::new();
        clock.set(SystemClock.now());
        let server = TestServer::compose(Arc::new(configuration), clock, Mode::Serve).await;
        let claims = json!({"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true});
        server.add_person("ada", claims).await;
        let listening = server.listen_on(listener);
        Self {
            issuer,
            authority,
            initial_access_token,
            signer,
            server,
            _files: files,
            _listening: listening,
            _database: database,
        }
    }

    /// Runs a program to its end, and yields the steps that it says it has done.
    async fn run(&self, mut program: Command) -> Vec<String> {
        program
            .env("ISSUER", &self.issuer)
            .env("CLIENT_SECRET", self.server.secret())
            .env("PASSWORD", PASSWORD)
            .env("PRIVATE_JWK", self.signer.private_jwk().to_string())
            .env("INITIAL_ACCESS_TOKEN", &self.initial_access_token)
            .env("CERTIFICATE", &self.authority)
            .env("NODE_EXTRA_CA_CERTS", &self.authority)
            // Python's requests lets a setting of the machine win over the program's own.
            .env("REQUESTS_CA_BUNDLE", &self.authority)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let ended = tokio::time::timeout(Duration::from_secs(120), program.output()).await;
        let output = ended.expect("the program ends").expect("the program runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said.lines().filter_map(|line| line.strip_prefix("done: ").map(str::to_owned)).collect()
    }
}

fn clients(signer: &RequestSigner) -> String {
    let by_key = |id: &str, more: &str| {
        format!(
            "[[client]]\nclient_id = \"{id}\"\nredirect_uris = [\"https://{id}.example.com/callback\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\nscope = \"openid offline_access\"\n\
             token_endpoint_auth_method = \"private_key_jwt\"\njwks = {}\n{more}\n",
            signer.jwks_in_toml()
        )
    };
    let leaver = "[[client]]\nclient_id = \"leaver\"\nredirect_uris = [\"https://leaver.example.com/callback\"]\n\
                  client_secrets = [{ sha256 = \"{hash}\" }]\nscope = \"openid\"\n\
                  post_logout_redirect_uris = [\"https://leaver.example.com/bye\"]\n";
    format!(
        "{}\n{}\n{leaver}",
        by_key("asserter", ""),
        by_key("habit", "client_assertion_audience = \"token_endpoint\"")
    )
}

fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run ./tests/run, which installs the libraries"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openid_client_walks_every_road_unmodified() {
    let place = Place::open().await;
    let modules = PathBuf::from(setting("PORTREEVE_TEST_NODE_MODULES"));
    // Node looks for modules beside the program
    let beside = modules.parent().expect("a folder").join("relying_party.mjs");
    assert_eq!(
        std::fs::read_to_string(&beside).expect("the program, installed"),
        include_str!("node/relying_party.mjs"),
        "run ./tests/run again"
    );
    let mut program = Command::new("node");
    program.arg(beside);
    let steps = place.run(program).await;
    for step in NODE_STEPS {
        assert!(steps.iter().any(|done| done == step), "{step}: {steps:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authlib_walks_every_road_unmodified() {
    let place = Place::open().await;
    let mut program = Command::new(setting("PORTREEVE_TEST_PYTHON"));
    program.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libraries/python/relying_party.py"));
    let steps = place.run(program).await;
    for step in PYTHON_STEPS {
        assert!(steps.iter().any(|done| done == step), "{step}: {steps:?}");
    }
}

#[test]
fn every_road_is_walked_by_each_library_or_the_library_has_no_such_call() {
    let sources = sources::of_all_tests();
    let node = (include_str!("node/relying_party.mjs"), NODE_STEPS.as_slice());
    let python = (include_str!("python/relying_party.py"), PYTHON_STEPS.as_slice());
    for (road, by) in &ROADS {
        for (library, shown) in ["the crate", "openid-client", "Authlib"].iter().zip(by) {
            let (program, steps) = if *library == "Authlib" { python } else { node };
            match shown {
                Test(test) => {
                    assert_eq!(*library, "the crate", "{road}: the others are programs");
                    assert!(sources.contains(&format!("fn {test}(")), "{road}: there is no test {test}");
                }
                Step(step) | ByHand(step) => {
                    assert_ne!(*library, "the crate", "{road}: the crate is no program");
                    assert!(steps.contains(step), "{road}: {library} is not asked for {step}");
                    let said = [format!("done('{step}')"), format!("done(\"{step}\")")];
                    assert!(
                        said.iter().any(|line| program.contains(line)),
                        "{road}: {library} never says {step}"
                    );
                    assert_eq!(matches!(shown, ByHand(_)), step.contains("by hand"), "{road}: {step}");
                }
                NoSuchCall => assert_eq!(*library, "the crate", "{road}: the others at least do it by hand"),
            }
        }
        let walked = by.iter().any(|shown| matches!(shown, Test(_) | Step(_)));
        assert!(walked, "{road}: no library walks it by a call of its own");
    }
}
