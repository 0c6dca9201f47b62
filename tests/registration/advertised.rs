//! Threat 170: one successful use of everything that the metadata advertises, and one refused use of what it does not. A
//! member that is new in the metadata fails this test until it has a use here.

use super::{Registration, post};
use crate::support::assertion::{Signer, presenting};
use crate::support::browser::Browser;
use crate::support::configuration::ISSUER;
use crate::support::database::TestDatabase;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer, basic, claims, encode, header_of};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use portreeve::model::clock::Clock as _;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use serde_json::{Value, json};

const SETTINGS: &str = "[front_channel_logout]\n[registration]\n\
     scope = \"openid profile email address phone offline_access groups photos.read\"\n\
     grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\"]\n";

/// What signs nowhere here.
const FOREIGN_SIGNATURES: [&str; 7] = ["none", "HS256", "RS384", "PS512", "ES384", "ES256K", "RS1"];

/// Registers a client that says `more` of itself; none when the server will not have it.
async fn registered(server: &TestServer, more: Value) -> Option<Registration> {
    let mut members = json!({
        "redirect_uris": ["https://notes.example.com/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    for (name, value) in more.as_object().expect("an object") {
        members[name] = value.clone();
    }
    server.clock.advance(std::time::Duration::from_secs(10));
    let answer = post(server, &members).await;
    match answer.status {
        StatusCode::CREATED => Some(Registration(answer.json().as_object().expect("an object").clone())),
        _ => {
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (StatusCode::BAD_REQUEST, "invalid_client_metadata"),
                "{members}"
            );
            None
        }
    }
}

/// Whether a flow of such a client ends with tokens, and what they are.
async fn tokens(server: &TestServer, more: Value) -> Option<Value> {
    let app = registered(server, more).await?.app("openid");
    let code = app.code(server, &mut Browser::new()).await;
    let answer = app.redeem(server, &code, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    Some(answer.json())
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member}: {value}"))
}

/// Whether the algorithm signs in all these places.
async fn signs(server: &TestServer, member: &str, algorithm: &str) -> bool {
    let signed = match member {
        "id_token_signing_alg_values_supported" => {
            let said = json!({"id_token_signed_response_alg": algorithm});
            tokens(server, said).await.map(|tokens| text(&tokens, "id_token").to_owned())
        }
        "userinfo_signing_alg_values_supported" => {
            let Some(tokens) = tokens(server, json!({"userinfo_signed_response_alg": algorithm})).await
            else {
                return false;
            };
            let answer = server.get_as("/userinfo", text(&tokens, "access_token")).await;
            assert_eq!(answer.header("content-type"), Some("application/jwt"), "{answer:?}");
            Some(answer.body)
        }
        _ => {
            let said = json!({
                "token_endpoint_auth_method": "client_secret_basic", "introspection_signed_response_alg": algorithm,
            });
            let Some(client) = registered(server, said).await else { return false };
            let request = Request::post("/introspect")
                .header("authorization", basic(client.id(), client.text("client_secret")))
                .header("content-type", "application/x-www-form-urlencoded")
                .header("accept", "application/token-introspection+jwt");
            let answer = server.send(request.body(Body::from("token=x")).expect("a request")).await;
            assert_eq!(
                answer.header("content-type"),
                Some("application/token-introspection+jwt"),
                "{answer:?}"
            );
            Some(answer.body)
        }
    };
    signed.is_some_and(|signed| header_of(&signed)["alg"] == algorithm)
}

/// The keys of a client that signs by `algorithm`, where that is one that keys are for.
fn signer(algorithm: &str) -> Option<Signer> {
    let known = VerificationAlgorithm::ALL.into_iter().find(|one| one.as_str() == algorithm);
    known.map(|algorithm| Signer::of(algorithm, None))
}

/// Whether a request object that is signed by `algorithm` leads to a code.
async fn requests(server: &TestServer, algorithm: &str) -> bool {
    let keys = signer(algorithm).unwrap_or_else(|| Signer::of(VerificationAlgorithm::Es256, None));
    let said = json!({"request_object_signing_alg": algorithm, "jwks": {"keys": [keys.jwk()]}});
    let Some(client) = registered(server, said).await else { return false };
    let (app, now) = (client.app("openid"), server.clock.now().seconds());
    let claims = json!({
        "iss": client.id(), "aud": ISSUER, "client_id": client.id(), "nbf": now, "exp": now + 300, "response_type": "code",
        "redirect_uri": app.redirect_uri, "scope": "openid", "state": "s", "code_challenge": app.challenge(),
        "code_challenge_method": "S256",
    });
    let header = json!({"alg": algorithm, "typ": "oauth-authz-req+jwt"});
    let object = keys.sign(&header, &claims);
    let url = format!("/authorize?{}", encode(&[("client_id", client.id()), ("request", &object)]));
    let mut browser = Browser::new();
    let answer = browser.get(server, &url).await;
    let page = browser.follow(server, answer).await;
    let page = browser.sign_in(server, &page, "ada").await;
    browser.decide(server, &page, "allow").await.parameter("code").is_some()
}

/// Whether a client that proves itself so is known at `endpoint`.
async fn authenticates(server: &TestServer, endpoint: &str, method: &str, algorithm: Option<&str>) -> bool {
    let keys = signer(algorithm.unwrap_or("ES256")).unwrap_or_else(|| Signer::new("key"));
    let mut said = json!({"token_endpoint_auth_method": method});
    if method == "private_key_jwt" {
        said["jwks"] = json!({"keys": [keys.jwk()]});
    }
    if let Some(algorithm) = algorithm {
        said["token_endpoint_auth_signing_alg"] = json!(algorithm);
    }
    let Some(client) = registered(server, said).await else { return false };
    let assertion = keys.assertion(server, client.id());
    let mut fields = vec![("token", "x"), ("grant_type", "refresh_token"), ("refresh_token", "x")];
    let mut header = None;
    match method {
        "client_secret_basic" => header = Some(basic(client.id(), client.text("client_secret"))),
        "client_secret_post" => {
            fields.extend([("client_id", client.id()), ("client_secret", client.text("client_secret"))]);
        }
        "private_key_jwt" => fields.extend(presenting(&assertion)),
        _ => fields.push(("client_id", client.id())),
    }
    let answer: Answer = server.post(endpoint, header.as_deref(), &fields).await;
    let knows = answer.status != StatusCode::UNAUTHORIZED;
    assert!(knows || answer.error() == "invalid_client", "{answer:?}");
    knows
}

/// What a request with this parameter comes to: the error, or that the person is asked to sign in.
async fn asked(server: &TestServer, parameter: (&str, &str)) -> String {
    let app = RelyingParty::new("web", "openid");
    let mut browser = Browser::new();
    let answer = browser.get(server, &app.authorize(&[parameter])).await;
    let came = answer.parameter("error");
    let page = browser.follow(server, answer).await;
    came.unwrap_or_else(|| if page.body.contains("id=\"login-submit\"") { "asked".into() } else { page.body })
}

/// Every value that is advertised does what it is for, and no foreign one does.
async fn judge(member: &str, advertised: &Value, foreign: &[&str], works: impl AsyncFn(&str) -> bool) {
    let values: Vec<&str> = advertised.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(!values.is_empty(), "{member}");
    for value in &values {
        assert!(works(value).await, "{member}: {value} is advertised, and does not work");
    }
    for value in foreign {
        assert!(!values.contains(value), "{member}: {value}");
        assert!(!works(value).await, "{member}: {value} is not advertised, and works");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_advertised_is_used_once_and_what_is_not_is_refused() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start_with(&database, SETTINGS, "").await;
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    let methods = ["client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"];
    for (member, value) in metadata.as_object().expect("an object") {
        let (server, name) = (&server, member.as_str());
        match name {
            "id_token_signing_alg_values_supported"
            | "userinfo_signing_alg_values_supported"
            | "introspection_signing_alg_values_supported" => {
                let foreign: Vec<&str> =
                    FOREIGN_SIGNATURES.iter().copied().chain(["PS256", "Ed448"]).collect();
                judge(name, value, &foreign, async |one| signs(server, name, one).await).await;
            }
            "request_object_signing_alg_values_supported" => {
                judge(name, value, &FOREIGN_SIGNATURES, async |one| requests(server, one).await).await;
            }
            "token_endpoint_auth_methods_supported"
            | "revocation_endpoint_auth_methods_supported"
            | "introspection_endpoint_auth_methods_supported" => {
                let endpoint = endpoint_of(name);
                let nobody = if endpoint == "/introspect" { &["none"][..] } else { &[] };
                let foreign = [&methods[..], nobody].concat();
                judge(name, value, &foreign, async |one| authenticates(server, endpoint, one, None).await)
                    .await;
            }
            "token_endpoint_auth_signing_alg_values_supported"
            | "revocation_endpoint_auth_signing_alg_values_supported"
            | "introspection_endpoint_auth_signing_alg_values_supported" => {
                let endpoint = endpoint_of(name);
                let works =
                    async |one: &str| authenticates(server, endpoint, "private_key_jwt", Some(one)).await;
                judge(name, value, &FOREIGN_SIGNATURES, works).await;
            }
            "subject_types_supported" => {
                let works = async |one: &str| match tokens(server, json!({"subject_type": one})).await {
                    None => false,
                    Some(tokens) => {
                        let claims = claims(text(&tokens, "id_token"));
                        text(&claims, "sub").starts_with(if one == "pairwise" { "pws_" } else { "usr_" })
                    }
                };
                judge(name, value, &["ephemeral", "Public"], works).await;
            }
            "acr_values_supported" => {
                let works = async |one: &str| {
                    let wanted =
                        json!({"id_token": {"acr": {"essential": true, "values": [one]}}}).to_string();
                    asked(server, ("claims", &wanted)).await == "asked"
                };
                judge(name, value, &["urn:mace:incommon:iap:silver", "phr"], works).await;
            }
            "prompt_values_supported" => {
                let works = async |one: &str| {
                    let came = asked(server, ("prompt", one)).await;
                    came == if one == "none" { "login_required" } else { "asked" }
                };
                judge(name, value, &["create", "LOGIN", "none login"], works).await;
            }
            "display_values_supported" => {
                let works = async |one: &str| asked(server, ("display", one)).await == "asked";
                judge(name, value, &[], works).await;
                // §3.1.2.1 has one more, which the pages do not fit; a wish, so that it fails nothing
                assert!(!value.to_string().contains("wap") && works("wap").await);
            }
            "ui_locales_supported" => {
                let works = async |one: &str| {
                    let page = server.get(&format!("/account?ui_locales={one}")).await;
                    page.header("content-language") == Some(one)
                };
                judge(name, value, &["sv", "tlh", "zh"], works).await;
            }
            "claims_supported" => claims_are_told(server, value).await,
            "claims_parameter_supported"
            | "request_parameter_supported"
            | "request_uri_parameter_supported" => {
                assert_eq!(value, true, "{name}: used above, and by a_request_at_a_registered_address…");
            }
            "require_request_uri_registration" => {
                assert_eq!(value, true);
                let refused = asked(server, ("request_uri", "https://elsewhere.example.com/object")).await;
                assert_ne!(refused, "asked");
            }
            "require_pushed_authorization_requests" => {
                assert_eq!((value, asked(server, ("x", "y")).await.as_str()), (&json!(false), "asked"));
            }
            "backchannel_logout_supported" | "backchannel_logout_session_supported" => {
                let said = json!({"backchannel_logout_uri": "https://notes.example.com/out"});
                assert!(*value == true && registered(server, said).await.is_some());
            }
            "frontchannel_logout_supported" | "frontchannel_logout_session_supported" => {
                let said = json!({"frontchannel_logout_uri": "https://notes.example.com/out"});
                assert!(*value == true && registered(server, said).await.is_some());
            }
            "authorization_response_iss_parameter_supported" => {
                let app = RelyingParty::new("web", "openid");
                let came = app.visit(server, &mut Browser::new(), &[]).await;
                assert_eq!((value, came.parameter("iss").as_deref()), (&json!(true), Some(ISSUER)));
            }
            "claim_types_supported" => assert_eq!(*value, json!(["normal"]), "§5.6.2: no others are told"),
            "grant_types_supported" => {
                let foreign = [
                    "password",
                    "implicit",
                    "urn:ietf:params:oauth:grant-type:device_code",
                    "CLIENT_CREDENTIALS",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                ];
                judge(name, value, &foreign, async |one| grants(server, one).await).await;
            }
            "response_types_supported" => {
                let foreign = ["token", "id_token", "code id_token", "code token", "none"];
                judge(name, value, &foreign, async |one| {
                    leads_to_a_code(server, ("response_type", one)).await
                })
                .await;
            }
            "response_modes_supported" => {
                let foreign = ["fragment", "web_message", "jwt", "query.jwt", "form_post.jwt"];
                judge(name, value, &foreign, async |one| {
                    leads_to_a_code(server, ("response_mode", one)).await
                })
                .await;
            }
            "code_challenge_methods_supported" => {
                let works = async |one: &str| leads_to_a_code(server, ("code_challenge_method", one)).await;
                judge(name, value, &["plain", "S512", "s256"], works).await;
            }
            "scopes_supported" => {
                judge(name, value, &["undeclared", "OPENID"], async |one| is_granted(server, one).await)
                    .await;
            }
            "issuer" => assert_eq!(value, ISSUER),
            "jwks_uri" => assert_eq!(used(server, value, Method::GET, &[]).await, StatusCode::OK),
            "authorization_endpoint" | "end_session_endpoint" => {
                assert_eq!(
                    used(server, value, Method::DELETE, &[]).await,
                    StatusCode::METHOD_NOT_ALLOWED,
                    "{name}"
                );
            }
            "token_endpoint" | "revocation_endpoint" | "introspection_endpoint" => {
                // used above, with every method of authentication
                assert_eq!(value, &json!(format!("{ISSUER}{}", endpoint_of(name))));
                assert_eq!(
                    used(server, value, Method::GET, &[]).await,
                    StatusCode::METHOD_NOT_ALLOWED,
                    "{name}"
                );
            }
            "userinfo_endpoint" => {
                assert_eq!(used(server, value, Method::GET, &[]).await, StatusCode::UNAUTHORIZED);
            }
            "registration_endpoint" => {
                assert_eq!(used(server, value, Method::GET, &[]).await, StatusCode::METHOD_NOT_ALLOWED);
            }
            "pushed_authorization_request_endpoint" => {
                let proof = basic("web", server.secret());
                let pushed = server.post_raw("/par", Some(&proof), web().request(&[])).await;
                assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
                assert_eq!(used(server, value, Method::POST, &[]).await, StatusCode::UNAUTHORIZED);
            }
            other => panic!("{other} is advertised, and nothing here makes use of it"),
        }
    }
}

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid")
}

/// What an endpoint answers that is known by its URL.
async fn used(server: &TestServer, url: &Value, method: Method, fields: &[(&str, &str)]) -> StatusCode {
    let path = url.as_str().and_then(|url| url.strip_prefix(ISSUER)).expect("an endpoint of ours");
    let form = "application/x-www-form-urlencoded";
    let request = Request::builder().method(method).uri(path).header("content-type", form);
    server.send(request.body(Body::from(encode(fields))).expect("a request")).await.status
}

/// Whether the grant type yields an access token.
async fn grants(server: &TestServer, grant_type: &str) -> bool {
    let app = RelyingParty::new("web", "openid offline_access");
    let answer = match grant_type {
        "authorization_code" => {
            let code = app.code(server, &mut Browser::new()).await;
            app.redeem(server, &code, &[]).await
        }
        "refresh_token" => {
            let tokens = app.tokens(server, &mut Browser::new()).await;
            app.refresh(server, tokens.refresh(), &[]).await
        }
        other => server.post_as("service", "/token", &[("grant_type", other)]).await,
    };
    match answer.status {
        StatusCode::OK => answer.json()["access_token"].is_string(),
        _ => {
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (StatusCode::BAD_REQUEST, "unsupported_grant_type")
            );
            false
        }
    }
}

/// Whether a request with this parameter comes to a code that is good for tokens, the way it asks for it.
async fn leads_to_a_code(server: &TestServer, parameter: (&str, &str)) -> bool {
    let (app, mut browser) = (web(), Browser::new());
    let answer = app.visit(server, &mut browser, &[parameter]).await;
    let by_form = answer.body.split("name=\"code\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let code = match parameter {
        ("response_mode", "form_post") => by_form.map(str::to_owned),
        _ => answer.parameter("code"),
    };
    let Some(code) = code else { return false };
    assert_eq!(app.redeem(server, &code, &[]).await.status, StatusCode::OK, "{parameter:?}");
    true
}

/// Whether an app that asks for the scope gets it.
async fn is_granted(server: &TestServer, scope: &str) -> bool {
    let asked = if scope == "openid" { scope.to_owned() } else { format!("openid {scope}") };
    let app = RelyingParty::new("web", &asked);
    let answer = app.visit(server, &mut Browser::new(), &[]).await;
    let Some(code) = answer.parameter("code") else {
        assert_eq!(answer.parameter("error").as_deref(), Some("invalid_scope"), "{scope}: {answer:?}");
        return false;
    };
    let answer = app.redeem(server, &code, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    // left out when it is what was asked for (RFC 6749 §5.1)
    answer.json()["scope"].as_str().is_none_or(|granted| granted.split(' ').any(|one| one == scope))
}

fn endpoint_of(member: &str) -> &'static str {
    match member.split('_').next() {
        Some("revocation") => "/revoke",
        Some("introspection") => "/introspect",
        _ => "/token",
    }
}

/// OpenID Connect Core §5.1, §5.5: each claim is told to whom it is allowed, and one that is not advertised is told to nobody.
async fn claims_are_told(server: &TestServer, advertised: &Value) {
    let everything = json!({
        "name": "Grace Brewster Hopper", "given_name": "Grace", "family_name": "Hopper", "middle_name": "Brewster",
        "nickname": "Amazing", "preferred_username": "grace", "profile": "https://grace.example.com/",
        "picture": "https://grace.example.com/picture", "website": "https://grace.example.com/", "gender": "female",
        "birthdate": "1906-12-09", "zoneinfo": "America/New_York", "locale": "en-US", "email": "grace@example.com",
        "email_verified": true, "phone_number": "+1 555 1000", "phone_number_verified": true,
        "address": {"country": "US"}, "groups": ["navy"], "salary": 1,
    });
    server.add_person("grace", everything).await;
    let app = RelyingParty::new("web", "openid profile email address phone groups");
    let wanted = json!({"userinfo": {"salary": null}, "id_token": {"salary": null}}).to_string();
    let mut browser = Browser::new();
    let page = browser.get(server, &app.authorize(&[("claims", &wanted)])).await;
    let page = browser.follow(server, page).await;
    let page = browser.sign_in(server, &page, "grace").await;
    let code = browser.decide(server, &page, "allow").await.parameter("code").expect("a code");
    let tokens = app.redeem(server, &code, &[]).await.json();
    let told = server.get_as("/userinfo", text(&tokens, "access_token")).await.json();
    let proof = claims(text(&tokens, "id_token"));
    for claim in advertised.as_array().expect("a list").iter().filter_map(Value::as_str) {
        assert!(
            told.get(claim).or(proof.get(claim)).is_some_and(|value| !value.is_null()),
            "{claim}: {told} {proof}"
        );
    }
    assert!(told.get("salary").or(proof.get("salary")).is_none(), "{told} {proof}");
}
