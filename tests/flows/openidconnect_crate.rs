//! A relying party that is not of this house: the `openidconnect` crate, unmodified, over TLS. It learns everything from
//! discovery and verifies what it gets against the published keys, on the real time.

use crate::support::browser::Browser;
use crate::support::clock::ManualClock;
use crate::support::configuration::{TestConfiguration, random_secret};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::server::{Listening, TestServer, parameter};
use axum::http::StatusCode;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreClientRegistrationRequest, CoreErrorResponseType, CoreGrantType,
    CoreIdTokenClaims, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreRegisterErrorResponseType, CoreRequestTokenError, CoreResponseMode,
    CoreResponseType, CoreRevocableToken, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::registration::{ClientRegistrationError, EmptyAdditionalClientMetadata};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClientId,
    ClientName, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IntrospectionUrl,
    IssuerUrl, LocalizedClaim, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadata, ProviderMetadataWithLogout, RedirectUrl,
    RevocationUrl, Scope, SubjectIdentifier, TokenIntrospectionResponse as _, TokenResponse as _, reqwest,
};
use portreeve::http::app::Mode;
use portreeve::http::listener::{Listener, ListenerLimits};
use portreeve::http::tls::TlsReloader;
use portreeve::model::clock::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// What the crate's own metadata leaves to its user.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct MoreEndpoints {
    revocation_endpoint: String,
    introspection_endpoint: String,
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for MoreEndpoints {}

type Metadata = ProviderMetadata<
    MoreEndpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A client whose ID tokens are signed by the third algorithm, and which signs out.
const EDDSA: &str = r#"
[[client]]
client_id = "edwards"
redirect_uris = ["https://edwards.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile email offline_access"
id_token_signed_response_alg = "EdDSA"
post_logout_redirect_uris = ["https://edwards.example.com/bye"]
"#;

/// A server on a socket, and what an app needs to reach it.
struct Place {
    server: TestServer,
    http: reqwest::Client,
    metadata: Metadata,
    initial_access_token: String,
    _listening: Listening,
}

/// What an app brings back from a visit, and what it has to remember of it.
struct Visit {
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
    nonce: Nonce,
}

impl Place {
    async fn open(database: &TestDatabase) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = tempfile::tempdir().unwrap();
        let (certificate, key) = (files.path().join("server.pem"), files.path().join("server.key"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let tls = TlsReloader::load(&certificate, key.as_path()).unwrap();
        let address = ([127, 0, 0, 1], 0).into();
        let listener = Listener::bind(address, ListenerLimits::default(), Some(tls), vec![]).await.unwrap();
        let address = listener.local_address();
        let issuer = format!("https://localhost:{}", address.port());
        let initial_access_token = random_secret();
        let hash: String =
            Sha256::digest(&initial_access_token).iter().map(|byte| format!("{byte:02x}")).collect();
        let settings = format!("[registration]\ninitial_access_tokens = [{{ sha256 = \"{hash}\" }}]\n");
        let configuration = TestConfiguration::with(database, &issuer, &settings, EDDSA);
        let clock = ManualClock::new();
        clock.set(SystemClock.now());
        let server = TestServer::compose(Arc::new(configuration), clock, Mode::Serve).await;
        server
            .add_person(
                "ada",
                json!({"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true}),
            )
            .await;
        let listening = server.listen_on(listener);
        let http = reqwest::ClientBuilder::new()
            .redirect(reqwest::redirect::Policy::none())
            .add_root_certificate(reqwest::Certificate::from_der(made.cert.der()).unwrap())
            .resolve("localhost", address)
            .build()
            .unwrap();
        let metadata = Metadata::discover_async(IssuerUrl::new(issuer).unwrap(), &http).await.unwrap();
        Self { server, http, metadata, initial_access_token, _listening: listening }
    }

    fn client(&self, client_id: &str, secret: Option<&str>) -> Client {
        let endpoints = self.metadata.additional_metadata();
        CoreClient::from_provider_metadata(
            self.metadata.clone(),
            ClientId::new(client_id.to_owned()),
            secret.map(|secret| ClientSecret::new(secret.to_owned())),
        )
        .set_redirect_uri(RedirectUrl::new(format!("https://{client_id}.example.com/callback")).unwrap())
        .set_revocation_url(RevocationUrl::new(endpoints.revocation_endpoint.clone()).unwrap())
        .set_introspection_url(IntrospectionUrl::new(endpoints.introspection_endpoint.clone()).unwrap())
    }

    /// A client of the test's configuration, by the method it is registered for.
    fn registered(&self, client_id: &str) -> Client {
        match client_id {
            "spa" => self.client(client_id, None),
            "post" => self.client(client_id, Some(self.server.secret())).set_auth_type(AuthType::RequestBody),
            _ => self.client(client_id, Some(self.server.secret())),
        }
    }

    /// Sends Ada where the client says, and takes back what she is sent back with.
    async fn visit(&self, client: &Client, scopes: &[&str]) -> Visit {
        self.visit_in(&mut Browser::new(), client, scopes).await
    }

    async fn visit_in(&self, browser: &mut Browser, client: &Client, scopes: &[&str]) -> Visit {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        let answer = browser.get(&self.server, url.as_str()).await;
        let page = browser.follow(&self.server, answer).await;
        let mut answer = browser.sign_in(&self.server, &page, "ada").await;
        if answer.body.contains("id=\"consent-allow\"") {
            answer = browser.decide(&self.server, &answer, "allow").await;
        }
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        let location = answer.location();
        assert!(location.starts_with(client.redirect_uri().unwrap().as_str()), "{location}");
        assert_eq!(parameter(location, "state").as_ref(), Some(state.secret()));
        assert_eq!(parameter(location, "iss").as_deref(), Some(self.metadata.issuer().as_str()));
        let code = AuthorizationCode::new(parameter(location, "code").expect("a code"));
        Visit { code, verifier, nonce }
    }

    /// What a silent visit comes back with.
    async fn silent_error(&self, browser: &mut Browser, client: &Client) -> Option<String> {
        let (challenge, _) = PkceCodeChallenge::new_random_sha256();
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge)
            .add_prompt(CoreAuthPrompt::None)
            .url();
        let answer = browser.get(&self.server, url.as_str()).await;
        let answer = browser.follow(&self.server, answer).await;
        let error = answer.parameter("error");
        assert_eq!(error.is_none(), answer.parameter("code").is_some(), "{answer:?}");
        error
    }

    async fn redeem(
        &self,
        client: &Client,
        visit: Visit,
    ) -> Result<CoreTokenResponse, CoreErrorResponseType> {
        let request = client.exchange_code(visit.code).unwrap().set_pkce_verifier(visit.verifier);
        request.request_async(&self.http).await.map_err(refused)
    }

    /// Verifies the ID token of `tokens` as an app has to (OpenID Connect Core §3.1.3.7), with at_hash.
    fn verified(client: &Client, tokens: &CoreTokenResponse, nonce: &Nonce) -> CoreIdTokenClaims {
        let id_token = tokens.id_token().expect("an ID token");
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, nonce).expect("a genuine ID token");
        let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier).unwrap());
        let at_hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
        assert_eq!(claims.access_token_hash(), Some(&at_hash));
        let other = AccessTokenHash::from_token(&AccessToken::new("another".into()), algorithm, key).unwrap();
        assert_ne!(claims.access_token_hash(), Some(&other));
        claims.clone()
    }

    async fn userinfo(&self, client: &Client, token: &AccessToken) -> Option<CoreUserInfoClaims> {
        client.user_info(token.clone(), None).unwrap().request_async(&self.http).await.ok()
    }

    async fn is_active(&self, client: &Client, token: &AccessToken) -> bool {
        client.introspect(token).request_async(&self.http).await.expect("an answer").active()
    }
}

/// The code of a refusal that the crate could read (RFC 6749 §5.2).
fn refused(
    error: CoreRequestTokenError<openidconnect::HttpClientError<reqwest::Error>>,
) -> CoreErrorResponseType {
    match error {
        openidconnect::RequestTokenError::ServerResponse(response) => response.error().clone(),
        other => panic!("not a refusal in the words of RFC 6749: {other:?}"),
    }
}

on_both_stores! {
    /// OpenID Connect Core §3.1, Discovery §4, RFC 7636, RFC 9207; threats 15, 65, 66 from the consumer's side.
    async fn the_crate_signs_ada_in_and_verifies_what_it_gets(database: TestDatabase) {
        let place = Place::open(&database).await;
        assert!(place.metadata.additional_metadata().authorization_response_iss_parameter_supported);
        for (name, algorithm) in [
            ("web", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
            ("spa", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
            ("post", CoreJwsSigningAlgorithm::EcdsaP256Sha256),
            ("edwards", CoreJwsSigningAlgorithm::EdDsa),
        ] {
            let client = place.registered(name);
            let visit = place.visit(&client, &["profile", "email", "offline_access"]).await;
            let nonce = visit.nonce.clone();
            let tokens = place.redeem(&client, visit).await.expect("tokens");
            assert_eq!(tokens.id_token().unwrap().signing_alg().unwrap(), &algorithm, "{name}");
            let claims = Place::verified(&client, &tokens, &nonce);
            assert!(claims.auth_time().is_some(), "{name}");
            let forged = Nonce::new("another".to_owned());
            let verifier = client.id_token_verifier();
            assert!(tokens.id_token().unwrap().claims(&verifier, &forged).is_err(), "{name}");
            let userinfo = place.userinfo(&client, tokens.access_token()).await.expect("userinfo");
            assert_eq!(userinfo.subject(), claims.subject());
            assert_eq!(userinfo.email().map(|email| email.as_str()), Some("ada@example.com"));
            let another = Some(SubjectIdentifier::new("another".to_owned()));
            let asked = client.user_info(tokens.access_token().clone(), another).unwrap();
            let asked: Result<CoreUserInfoClaims, _> = asked.request_async(&place.http).await;
            assert!(asked.is_err(), "the crate expects the subject it was told");
        }
    }

    /// RFC 6749 §6, RFC 7009, RFC 7662, OpenID Connect Core §12.2.
    async fn the_crate_refreshes_introspects_and_revokes(database: TestDatabase) {
        let place = Place::open(&database).await;
        for name in ["web", "post", "edwards"] {
            let client = place.registered(name);
            let visit = place.visit(&client, &["profile", "offline_access"]).await;
            let nonce = visit.nonce.clone();
            let tokens = place.redeem(&client, visit).await.expect("tokens");
            let before = Place::verified(&client, &tokens, &nonce);
            place.server.clock.advance(Duration::from_secs(2));
            let refresh_token = tokens.refresh_token().expect("a refresh token");
            let refreshed = client.exchange_refresh_token(refresh_token).unwrap();
            let refreshed = refreshed.request_async(&place.http).await.expect("tokens");
            let no_nonce = |nonce: Option<&Nonce>| match nonce {
                None => Ok(()),
                Some(_) => Err("a refreshed ID token repeats no nonce here".to_owned()),
            };
            let verifier = client.id_token_verifier();
            let after = refreshed.id_token().expect("an ID token").claims(&verifier, no_nonce).expect("genuine");
            assert_eq!((after.subject(), after.auth_time()), (before.subject(), before.auth_time()));
            assert!(after.issue_time() > before.issue_time());
            for token in [tokens.access_token(), refreshed.access_token()] {
                assert!(place.is_active(&client, token).await, "{name}");
                assert!(!place.is_active(&place.registered("ours"), token).await, "threat 49");
            }
            let told = client.introspect(refreshed.access_token()).request_async(&place.http).await.unwrap();
            assert_eq!(told.username(), Some("ada"));
            assert_eq!(told.client_id().map(|id| id.as_str()), Some(name));
            // Another client's revocation changes nothing (threat 48); the client's own ends everything.
            let newest = refreshed.refresh_token().expect("a refresh token").clone();
            for (who, active) in [("ours", true), (name, false)] {
                let revocation = CoreRevocableToken::from(newest.clone());
                let revocation = place.registered(who).revoke_token(revocation).unwrap().request_async(&place.http).await;
                revocation.expect("RFC 7009 §2.2: always 200");
                for token in [tokens.access_token(), refreshed.access_token()] {
                    assert_eq!(place.is_active(&client, token).await, active, "{name} {who}");
                    assert_eq!(place.userinfo(&client, token).await.is_some(), active, "{name} {who}");
                }
            }
            let again = client.exchange_refresh_token(&newest).unwrap().request_async(&place.http).await;
            assert_eq!(again.map(drop).map_err(refused), Err(CoreErrorResponseType::InvalidGrant));
        }
    }

    /// RFC 6749 §4.4.
    async fn the_crate_gets_a_services_token(database: TestDatabase) {
        let place = Place::open(&database).await;
        let service = place.registered("service");
        let tokens = service
            .exchange_client_credentials()
            .unwrap()
            .add_scope(Scope::new("photos.read".to_owned()))
            .request_async(&place.http)
            .await
            .expect("tokens");
        assert!(tokens.refresh_token().is_none() && tokens.id_token().is_none());
        assert!(place.is_active(&service, tokens.access_token()).await);
        assert!(place.userinfo(&service, tokens.access_token()).await.is_none());
        let openid = service.exchange_client_credentials().unwrap().add_scope(Scope::new("openid".to_owned()));
        let openid = openid.request_async(&place.http).await;
        assert_eq!(openid.map(drop).map_err(refused), Err(CoreErrorResponseType::InvalidScope));
    }

    /// RFC 6749 §5.2 as the crate reads it.
    async fn the_crate_understands_every_refusal(database: TestDatabase) {
        let place = Place::open(&database).await;
        let (client, wrong) = (place.registered("web"), place.client("web", Some("not the secret")));
        let visit = place.visit(&client, &["email"]).await;
        let again = Visit {
            code: AuthorizationCode::new(visit.code.secret().clone()),
            verifier: PkceCodeVerifier::new(visit.verifier.secret().clone()),
            nonce: visit.nonce.clone(),
        };
        let with = |verifier: &str| Visit {
            code: AuthorizationCode::new(visit.code.secret().clone()),
            verifier: PkceCodeVerifier::new(verifier.to_owned()),
            nonce: visit.nonce.clone(),
        };
        let (_, another) = PkceCodeChallenge::new_random_sha256();
        let refusals = [
            (&wrong, with(visit.verifier.secret()), CoreErrorResponseType::InvalidClient),
            (&client, with(another.secret()), CoreErrorResponseType::InvalidGrant),
            (&client, with("too short"), CoreErrorResponseType::InvalidGrant),
        ];
        for (who, attempt, expected) in refusals {
            assert_eq!(place.redeem(who, attempt).await.map(drop), Err(expected));
        }
        let spent = place.redeem(&client, visit).await.expect("a refused attempt spends nothing");
        assert_eq!(place.redeem(&client, again).await.map(drop), Err(CoreErrorResponseType::InvalidGrant));
        assert!(place.is_active(&client, spent.access_token()).await, "a double submit within 500 ms");
        let service = client.exchange_client_credentials().unwrap().request_async(&place.http).await;
        assert_eq!(service.map(drop).map_err(refused), Err(CoreErrorResponseType::UnauthorizedClient));
    }

    /// RP-Initiated Logout §2, §3.
    async fn the_crate_signs_out(database: TestDatabase) {
        let place = Place::open(&database).await;
        let issuer = place.metadata.issuer().clone();
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &place.http).await.expect("metadata");
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone().expect("an endpoint");
        let client = place.registered("edwards");
        let mut browser = Browser::new();
        let visit = place.visit_in(&mut browser, &client, &[]).await;
        let tokens = place.redeem(&client, visit).await.expect("tokens");
        let asking = |back: &str, state: &CsrfToken| {
            let back = PostLogoutRedirectUrl::new(back.to_owned()).unwrap();
            let request = LogoutRequest::from(endpoint.clone()).set_id_token_hint(tokens.id_token().unwrap());
            request.set_post_logout_redirect_uri(back).set_state(state.clone()).http_get_url()
        };
        assert_eq!(place.silent_error(&mut browser, &client).await, None, "signed in");
        let state = CsrfToken::new_random();
        // another browser's ID token is no way out of this one
        let mut other = Browser::new();
        place.visit_in(&mut other, &client, &[]).await;
        other.get(&place.server, asking("https://edwards.example.com/bye", &state).as_str()).await;
        assert_eq!(place.silent_error(&mut other, &client).await, None, "still signed in");
        let answer = browser.get(&place.server, asking("https://edwards.example.com/bye", &state).as_str()).await;
        assert_eq!(answer.location(), format!("https://edwards.example.com/bye?state={}", state.secret()));
        assert_eq!(place.silent_error(&mut browser, &client).await.as_deref(), Some("login_required"));
        let answer = browser.get(&place.server, asking("https://edwards.example.com/other", &state).as_str()).await;
        assert_eq!(answer.header("location"), None, "nowhere that is not registered");
    }

    /// OpenID Connect Registration §3, RFC 7591 §3.
    async fn the_crate_registers_itself(database: TestDatabase) {
        let place = Place::open(&database).await;
        let endpoint = place.metadata.registration_endpoint().expect("an endpoint");
        let back = RedirectUrl::new("https://crate.example.com/callback".to_owned()).unwrap();
        let asking = |back: &RedirectUrl, token: Option<&str>| {
            let mut names = LocalizedClaim::new();
            names.insert(None, ClientName::new("The crate".to_owned()));
            CoreClientRegistrationRequest::new(vec![back.clone()], EmptyAdditionalClientMetadata {})
                .set_initial_access_token(token.map(|token| AccessToken::new(token.to_owned())))
                .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
                .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::ClientSecretPost))
                .set_id_token_signed_response_alg(Some(CoreJwsSigningAlgorithm::EcdsaP256Sha256))
                .set_client_name(Some(names))
        };
        for token in [None, Some("not-the-token")] {
            match asking(&back, token).register_async(endpoint, &place.http).await {
                Err(ClientRegistrationError::Response(status, ..)) => assert_eq!(status, StatusCode::UNAUTHORIZED),
                other => panic!("not refused: {other:?}"),
            }
        }
        let token = Some(place.initial_access_token.as_str());
        let nowhere = RedirectUrl::new("https://crate.example.com/callback#fragment".to_owned()).unwrap();
        match asking(&nowhere, token).register_async(endpoint, &place.http).await {
            Err(ClientRegistrationError::ServerResponse(response)) => {
                assert_eq!(response.error(), &CoreRegisterErrorResponseType::InvalidRedirectUri);
            }
            other => panic!("not refused: {other:?}"),
        }
        let said = asking(&back, token).register_async(endpoint, &place.http).await.expect("a registration");
        assert!(said.registration_access_token().is_some() && said.registration_client_uri().is_some());
        assert_eq!(said.token_endpoint_auth_method(), Some(&CoreClientAuthMethod::ClientSecretPost));
        assert_eq!(said.client_name().and_then(|names| names.get(None)).map(|name| name.as_str()), Some("The crate"));
        let secret = said.client_secret().expect("a secret").secret();
        let of = |secret: &str| {
            let client = place.client(said.client_id(), Some(secret));
            client.set_auth_type(AuthType::RequestBody).set_redirect_uri(back.clone())
        };
        let client = of(secret);
        let visit = place.visit(&client, &["profile", "offline_access"]).await;
        let nonce = visit.nonce.clone();
        let tokens = place.redeem(&client, visit).await.expect("tokens");
        assert_eq!(tokens.id_token().unwrap().signing_alg().unwrap(), &CoreJwsSigningAlgorithm::EcdsaP256Sha256);
        let claims = Place::verified(&client, &tokens, &nonce);
        let userinfo = place.userinfo(&client, tokens.access_token()).await.expect("userinfo");
        assert_eq!(userinfo.subject(), claims.subject());
        let refresh_token = tokens.refresh_token().expect("a refresh token");
        let wrong = of("not the secret").exchange_refresh_token(refresh_token).unwrap().request_async(&place.http).await;
        assert_eq!(wrong.map(drop).map_err(refused), Err(CoreErrorResponseType::InvalidClient));
        client.exchange_refresh_token(refresh_token).unwrap().request_async(&place.http).await.expect("tokens");
    }
}
