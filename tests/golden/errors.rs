//! Every refusal: a sample of each variant of each error enum, with what the caller reads and how it is delivered
//! (house.md, "Errors"). A variant without a sample does not compile.

use super::assert_golden;
use crate::support::browser::{Browser, form};
use crate::support::database::TestDatabase;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer};
use axum::http::{Method, StatusCode};
use portreeve::authorization::error::AuthorizationError;
use portreeve::clients::authentication::{AssertionError, ClientAuthenticationError};
use portreeve::clients::registration_error::RegistrationError;
use portreeve::grants::error::TokenError;
use portreeve::http::cross_origin::ForeignRequest;
use portreeve::http::limits::FormError;
use portreeve::logout::error::LogoutError;
use portreeve::pages::{Layout, LoginMessage};
use portreeve::protocol::authorization_request::AuthorizationRequest;
use portreeve::protocol::parameters::{ParameterError, Parameters};
use portreeve::storage::error::StorageError;
use portreeve::tokens::audience::TargetError;
use portreeve::tokens::bearer_error::BearerError;
use portreeve::users::sign_in::SignInError;
use std::fmt::Debug;

/// Samples of an enum, by pattern: the match over the patterns makes the compiler ask for those that are missing, and each
/// sample is held against its own.
macro_rules! samples {
    ($type:ty { $($pattern:pat => [$($sample:expr),+ $(,)?]),+ $(,)? }) => {{
        fn is_sampled(error: &$type) -> bool {
            match error { $($pattern => true),+ }
        }
        let mut samples: Vec<$type> = Vec::new();
        $($({
            let sample = $sample;
            assert!(matches!(sample, $pattern) && is_sampled(&sample), "{sample:?}");
            samples.push(sample);
        })+)+
        samples
    }};
}

fn parameter_errors() -> Vec<ParameterError> {
    samples!(ParameterError {
        ParameterError::Repeated(_) => [ParameterError::Repeated("state".to_owned())],
        ParameterError::Nul => [ParameterError::Nul],
        ParameterError::Malformed => [ParameterError::Malformed],
        ParameterError::TooMany => [ParameterError::TooMany],
    })
}

fn target_errors() -> Vec<TargetError> {
    samples!(TargetError {
        TargetError::Unknown => [TargetError::Unknown],
        TargetError::Ambiguous => [TargetError::Ambiguous],
        TargetError::Several => [TargetError::Several],
    })
}

fn client_authentication_errors() -> Vec<ClientAuthenticationError> {
    use ClientAuthenticationError as Error;
    samples!(ClientAuthenticationError {
        Error::Missing => [Error::Missing],
        Error::TwoMethods => [Error::TwoMethods],
        Error::Mismatch => [Error::Mismatch],
        Error::MalformedBasic => [Error::MalformedBasic],
        Error::UnknownClient => [Error::UnknownClient],
        Error::WrongMethod => [Error::WrongMethod],
        Error::WrongSecret => [Error::WrongSecret],
        Error::Assertion(_) => [Error::Assertion(AssertionError::Replayed)],
        Error::Store(_) => [Error::Store(StorageError::Unavailable("for operators".to_owned()))],
        Error::Wait(_) => [Error::Wait(7)],
        Error::Busy(_) => [Error::Busy(2)],
        Error::Unchecked => [Error::Unchecked],
    })
}

/// Requests whose parameters mean nothing, one for each way.
const MALFORMED: [&str; 14] = [
    "request=x",
    "request_uri=x",
    "response_type=code&claims=x",
    "registration=x",
    "",
    "response_type=token",
    "response_type=code&response_mode=fragment",
    "response_type=code&scope=a%22b",
    "response_type=code&resource=x",
    "response_type=code&prompt=none+login",
    "response_type=code&prompt=create",
    "response_type=code&max_age=-1",
    "response_type=code&code_challenge=x&code_challenge_method=S256",
    "response_type=code&code_challenge_method=S256",
];

fn authorization_errors() -> Vec<AuthorizationError> {
    use AuthorizationError as Error;
    let mut samples = samples!(AuthorizationError {
        Error::Unreadable(_) => [Error::Unreadable(ParameterError::Nul)],
        Error::ClientMissing => [Error::ClientMissing],
        Error::UnknownClient => [Error::UnknownClient],
        Error::RedirectUriMissing => [Error::RedirectUriMissing],
        Error::RedirectUriMismatch => [Error::RedirectUriMismatch],
        Error::Malformed(_) => [malformed("response_type=code&max_age=x")],
        Error::GrantTypeNotAllowed => [Error::GrantTypeNotAllowed],
        Error::ChallengeMissing => [Error::ChallengeMissing],
        Error::ScopeNotAllowed(_) => [Error::ScopeNotAllowed("admin".to_owned())],
        Error::Target(_) => [Error::Target(TargetError::Unknown)],
        Error::LoginRequired => [Error::LoginRequired],
        Error::PasswordChangeRequired => [Error::PasswordChangeRequired],
        Error::ConsentRequired => [Error::ConsentRequired],
        Error::NotInGroup => [Error::NotInGroup],
        Error::Denied => [Error::Denied],
        Error::UnmetAuthenticationRequirements => [Error::UnmetAuthenticationRequirements],
        Error::MalformedHint(_) => [Error::MalformedHint("id_token_hint is not one of this server's ID tokens")],
        Error::InvalidRequestObject(_) => [Error::InvalidRequestObject("for operators".to_owned())],
        Error::InvalidRequestUri(_) => [Error::InvalidRequestUri("request_uri is unknown, expired or spent".to_owned())],
        Error::RequestTwice => [Error::RequestTwice],
        Error::RequestUriPushed => [Error::RequestUriPushed],
        Error::ClientMismatch => [Error::ClientMismatch],
        Error::PushRequired => [Error::PushRequired],
        Error::SignatureRequired => [Error::SignatureRequired],
        Error::PushedTooLarge => [Error::PushedTooLarge],
        Error::TooManyPushed => [Error::TooManyPushed],
        Error::PushedTooOften => [Error::PushedTooOften],
        Error::Unavailable(_) => [Error::Unavailable("for operators".to_owned())],
        Error::Internal(_) => [Error::Internal("for operators".to_owned())],
    });
    samples.extend(parameter_errors().into_iter().map(Error::Unreadable));
    samples.extend(MALFORMED.into_iter().map(malformed));
    samples.extend(target_errors().into_iter().map(Error::Target));
    samples
}

fn malformed(query: &str) -> AuthorizationError {
    let parameters = Parameters::parse(query.as_bytes()).expect("readable");
    AuthorizationError::Malformed(AuthorizationRequest::parse(&parameters).expect_err("means nothing"))
}

fn token_errors() -> Vec<TokenError> {
    use TokenError as Error;
    let mut samples = samples!(TokenError {
        Error::Unreadable(_) => [Error::Unreadable(ParameterError::Nul)],
        Error::Body(_, _) => [
            Error::Body(400, "the body must be application/x-www-form-urlencoded in UTF-8"),
            Error::Body(408, "the body did not arrive in time"),
            Error::Body(413, "the body is larger than 64 KiB"),
        ],
        Error::Missing(_) => [Error::Missing("grant_type")],
        Error::Client(_) => [Error::Client(ClientAuthenticationError::Missing)],
        Error::UnsupportedGrantType => [Error::UnsupportedGrantType],
        Error::GrantTypeNotAllowed => [Error::GrantTypeNotAllowed],
        Error::ClientNotAllowed(_) => [Error::ClientNotAllowed("the client may not ask")],
        Error::InvalidGrant(_) => [Error::InvalidGrant("for operators")],
        Error::InvalidScope(_) => [Error::InvalidScope("scope names more than was granted")],
        Error::Target(_) => [Error::Target(TargetError::Unknown)],
        Error::TargetNotGranted => [Error::TargetNotGranted],
        Error::Unavailable(_) => [Error::Unavailable("for operators".to_owned())],
        Error::Internal(_) => [Error::Internal("for operators".to_owned())],
    });
    samples.extend(parameter_errors().into_iter().map(Error::Unreadable));
    samples.extend(client_authentication_errors().into_iter().map(Error::from));
    samples.extend(target_errors().into_iter().map(Error::Target));
    samples
}

fn logout_errors() -> Vec<LogoutError> {
    use LogoutError as Error;
    samples!(LogoutError {
        Error::Unreadable(_) => [Error::Unreadable(ParameterError::Nul)],
        Error::TooLong => [Error::TooLong],
        Error::HintInvalid(_) => [Error::HintInvalid("for operators")],
        Error::ClientMismatch => [Error::ClientMismatch],
        Error::UnknownClient => [Error::UnknownClient],
        Error::RedirectUriOfNobody => [Error::RedirectUriOfNobody],
        Error::RedirectUriMismatch => [Error::RedirectUriMismatch],
        Error::FormForeign => [Error::FormForeign],
        Error::Unavailable(_) => [Error::Unavailable("for operators".to_owned())],
        Error::Internal(_) => [Error::Internal("for operators".to_owned())],
    })
}

fn bearer_errors() -> Vec<BearerError> {
    samples!(BearerError {
        BearerError::Missing => [BearerError::Missing],
        BearerError::Malformed(_) => [BearerError::Malformed("the token is there twice (RFC 6750 §2)")],
        BearerError::Body(..) => [BearerError::Body(413, "the body is larger than 64 KiB")],
        BearerError::InvalidToken => [BearerError::InvalidToken],
        BearerError::InsufficientScope(_) => [BearerError::InsufficientScope("the token needs the scope openid")],
        BearerError::Unavailable => [BearerError::Unavailable],
    })
}

fn registration_errors() -> Vec<RegistrationError> {
    use RegistrationError as Error;
    samples!(RegistrationError {
        Error::Body(_, _) => [Error::Body(400, "the body did not arrive whole"), Error::Body(413, "the body is larger than 64 KiB")],
        Error::MalformedToken => [Error::MalformedToken],
        Error::TokenMissing => [Error::TokenMissing],
        Error::InvalidToken => [Error::InvalidToken],
        Error::Shadowed => [Error::Shadowed],
        Error::RedirectUri(_) => [Error::RedirectUri("redirect_uris[0]: expected another".to_owned())],
        Error::Metadata(_) => [Error::Metadata("scope: expected less".to_owned())],
        Error::SoftwareStatementMalformed => [Error::SoftwareStatementMalformed],
        Error::SoftwareStatementUnapproved => [Error::SoftwareStatementUnapproved],
        Error::TooMany(_) => [Error::TooMany(7)],
        Error::Full => [Error::Full],
        Error::Changed => [Error::Changed],
        Error::Unavailable(_) => [Error::Unavailable("for operators".to_owned())],
        Error::Internal(_) => [Error::Internal("for operators".to_owned())],
    })
}

fn sign_in_errors() -> Vec<SignInError> {
    samples!(SignInError {
        SignInError::Refused => [SignInError::Refused],
        SignInError::Wait(_) => [SignInError::Wait(7)],
        SignInError::Busy(_) => [SignInError::Busy(7)],
        SignInError::Storage(_) => [SignInError::Storage(StorageError::Serialization)],
    })
}

fn login_messages() -> Vec<LoginMessage> {
    samples!(LoginMessage {
        LoginMessage::Refused => [LoginMessage::Refused],
        LoginMessage::Wait { .. } => [LoginMessage::Wait { seconds: 7 }, LoginMessage::Wait { seconds: 300 }],
        LoginMessage::FormExpired => [LoginMessage::FormExpired],
        LoginMessage::Busy => [LoginMessage::Busy],
    })
}

fn form_errors() -> Vec<FormError> {
    samples!(FormError {
        FormError::UrlTooLong => [FormError::UrlTooLong],
        FormError::NotAForm => [FormError::NotAForm],
        FormError::NotJson => [FormError::NotJson],
        FormError::TooLarge => [FormError::TooLarge],
        FormError::TimedOut => [FormError::TimedOut],
        FormError::Incomplete => [FormError::Incomplete],
        FormError::Parameters(_) => [FormError::Parameters(ParameterError::Nul)],
    })
}

fn foreign_requests() -> Vec<ForeignRequest> {
    samples!(ForeignRequest {
        ForeignRequest::Load => [ForeignRequest::Load],
        ForeignRequest::Form => [ForeignRequest::Form],
        ForeignRequest::Origin => [ForeignRequest::Origin],
    })
}

/// Whether a refusal is told on a page whatever comes: then client or redirect URI are not known good (RFC 6749 §4.1.2.1).
fn is_never_redirected(error: &AuthorizationError) -> bool {
    use AuthorizationError as Error;
    matches!(
        error,
        Error::Unreadable(_)
            | Error::ClientMissing
            | Error::UnknownClient
            | Error::RedirectUriMissing
            | Error::RedirectUriMismatch
    )
}

fn row(error: &impl Debug, delivery: &str, code: &str, description: &str, section: &str) -> String {
    let name = format!("{error:?}").replace("\"", "'");
    format!("{name}\n  {delivery} {code}\n  {description}\n  {section}\n")
}

/// house.md, "Errors": the reviewable contract.
#[test]
fn every_refusal_reads_as_in_the_file() {
    let mut rows = vec!["# /authorize".to_owned()];
    for error in authorization_errors() {
        let verdict = error.verdict();
        let delivery = match is_never_redirected(&error) {
            true => format!("page {}", verdict.status),
            false => "redirect 303".to_owned(),
        };
        rows.push(row(&error, &delivery, verdict.code.as_str(), &verdict.description, verdict.section));
    }
    rows.push("# /token, /revoke, /introspect".to_owned());
    for error in token_errors() {
        let verdict = error.verdict();
        let retry_after = verdict.retry_after.map(|seconds| format!(", Retry-After {seconds}"));
        let delivery = format!("JSON {}{}", verdict.status, retry_after.unwrap_or_default());
        rows.push(row(&error, &delivery, verdict.code.as_str(), &verdict.description, verdict.section));
    }
    rows.push("# /userinfo".to_owned());
    for error in bearer_errors() {
        let (status, code, description) = error.verdict();
        let code = code.map_or("-", |code| code.as_str());
        rows.push(row(&error, &format!("challenge {status}"), code, description, "RFC 6750 §3.1"));
    }
    rows.push("# /register".to_owned());
    for error in registration_errors() {
        let verdict = error.verdict();
        let retry_after = verdict.retry_after.map(|seconds| format!(", Retry-After {seconds}"));
        let delivery = format!("JSON {}{}", verdict.status, retry_after.unwrap_or_default());
        let code = verdict.code.map_or("-", |code| code.as_str());
        rows.push(row(&error, &delivery, code, &verdict.description, verdict.section));
    }
    rows.push("# /login".to_owned());
    rows.extend(sign_in_errors().iter().map(|error| format!("{error:?}")));
    rows.extend(
        login_messages()
            .iter()
            .map(|message| format!("{message:?}\n  {}\n", message.words(&Layout::new("")))),
    );
    rows.push("# /logout".to_owned());
    for error in logout_errors() {
        let verdict = error.verdict();
        let delivery = format!("page {}", verdict.status);
        rows.push(row(&error, &delivery, verdict.code.as_str(), &verdict.description, verdict.section));
    }
    rows.push("# bodies and URLs".to_owned());
    for error in form_errors() {
        let (delivery, code) = (error.status().as_u16().to_string(), error.code());
        rows.push(row(&error, &delivery, code.as_str(), &error.description(), &error.to_string()));
    }
    rows.push("# from other sites".to_owned());
    rows.extend(foreign_requests().iter().map(|error| format!("{error:?} {}\n  {error}\n", error.status())));
    assert_golden("errors.txt", &rows.join("\n"));
}

/// RFC 6749 §4.1.2.1, §5.2, RFC 6750 §3: what a description may hold, and nothing of what is for operators.
#[test]
fn no_refusal_tells_the_caller_what_is_for_operators() {
    let descriptions = authorization_errors().into_iter().map(|error| error.verdict().description);
    let descriptions =
        descriptions.chain(token_errors().into_iter().map(|error| error.verdict().description));
    let descriptions =
        descriptions.chain(registration_errors().into_iter().map(|error| error.verdict().description));
    for description in descriptions {
        assert!(!description.contains("for operators") && !description.contains('"'), "{description}");
    }
    // Threat 139, and RFC 6749 §5.2 for clients: every way to fail reads alike.
    let is_unknown = |error: &TokenError| match error {
        // Of these nothing is said about who the client is.
        TokenError::Client(
            ClientAuthenticationError::TwoMethods
            | ClientAuthenticationError::Busy(_)
            | ClientAuthenticationError::Unchecked,
        ) => false,
        TokenError::Client(_) => true,
        _ => false,
    };
    let wrong = client_authentication_errors().into_iter().map(TokenError::from).filter(is_unknown);
    let mut told: Vec<_> = wrong.map(|error| error.verdict()).collect();
    told.iter_mut().for_each(|verdict| verdict.retry_after = None);
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
}

/// RFC 6750 §3: what stands in a challenge is ASCII without quotes and backslashes, and says what the body says.
#[tokio::test]
async fn a_challenge_holds_what_a_header_may_hold() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let twice = [("authorization", "Bearer x"), ("authorization", "Bearer y")];
    let mut browser = Browser::new();
    for (path, body, headers) in [
        ("/userinfo?access_token=x", None, &[][..]),
        ("/userinfo", Some("access_token=x"), &[("authorization", "Bearer x")][..]),
        ("/userinfo", None, &twice[..]),
        ("/userinfo", None, &[("authorization", "Bearer a,b")][..]),
        ("/userinfo", Some("access_token=%00"), &[][..]),
    ] {
        let answer = browser.request(&server, Method::POST, path, body.map(str::to_owned), headers).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        let challenge = answer.header("www-authenticate").unwrap_or_else(|| panic!("not ASCII: {answer:?}"));
        let description = answer.json()["error_description"].as_str().expect("a description").to_owned();
        assert!(challenge.ends_with(&format!("error_description=\"{description}\"")), "{challenge}");
        let allowed = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
        assert!(description.chars().all(allowed), "{description}");
    }
}

/// How an answer was delivered, in the file's words.
fn delivered(answer: &Answer, app: &RelyingParty) -> (String, String) {
    if answer.status == StatusCode::SEE_OTHER {
        assert!(answer.location().starts_with(&app.redirect_uri), "{answer:?}");
        assert!(answer.parameter("iss").is_some() && answer.parameter("code").is_none());
        return ("redirect 303".to_owned(), answer.parameter("error").expect("an error"));
    }
    let (_, rest) = answer.body.split_once("id=\"error-code\"").unwrap_or_else(|| panic!("{answer:?}"));
    let code = rest.split(['>', '<']).nth(1).unwrap_or_default().to_owned();
    assert!(!answer.headers.contains_key("location"));
    (format!("page {}", answer.status.as_u16()), code)
}

/// The table is what the server does: each refusal that a request can provoke is provoked.
#[tokio::test]
async fn refusals_are_delivered_as_the_file_says() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let web = RelyingParty::new("web", "openid");
    let groupless = RelyingParty::new("staff", "openid");
    server.add_person("bob", serde_json::json!({})).await;
    let mut provoked: Vec<(AuthorizationError, Answer, &RelyingParty)> = Vec::new();
    let long = AuthorizationError::ScopeNotAllowed("admin".to_owned());
    for (error, changes) in [
        (AuthorizationError::ClientMissing, ("client_id", "")),
        (AuthorizationError::UnknownClient, ("client_id", "nobody")),
        (AuthorizationError::RedirectUriMissing, ("redirect_uri", "")),
        (AuthorizationError::RedirectUriMismatch, ("redirect_uri", "https://evil.example/")),
        (malformed(""), ("response_type", "")),
        (AuthorizationError::ChallengeMissing, ("code_challenge", "")),
        (long, ("scope", "admin")),
        (AuthorizationError::Target(TargetError::Unknown), ("resource", "https://unknown.example/")),
        (AuthorizationError::LoginRequired, ("prompt", "none")),
    ] {
        let without_method = ("code_challenge_method", "");
        let changes =
            if changes.0 == "code_challenge" { vec![changes, without_method] } else { vec![changes] };
        provoked.push((error, Browser::new().get(&server, &web.authorize(&changes)).await, &web));
    }
    let repeated = format!("{}&state=again", web.authorize(&[]));
    let repeated = Browser::new().get(&server, &repeated).await;
    provoked.push((AuthorizationError::Unreadable(ParameterError::Repeated("state".into())), repeated, &web));
    let mut browser = Browser::new();
    let page = browser.get(&server, &web.authorize(&[])).await;
    let page = browser.follow(&server, page).await;
    let consent = browser.sign_in(&server, &page, "bob").await;
    let none = browser.get(&server, &web.authorize(&[("prompt", "none")])).await;
    provoked.push((AuthorizationError::ConsentRequired, none, &web));
    provoked.push((AuthorizationError::Denied, browser.decide(&server, &consent, "deny").await, &web));
    let outside = browser.get(&server, &groupless.authorize(&[])).await;
    provoked.push((AuthorizationError::NotInGroup, outside, &groupless));
    server.app.store.close().await;
    let unavailable = browser.get(&server, &web.authorize(&[])).await;
    provoked.push((AuthorizationError::Unavailable(String::new()), unavailable, &web));
    for (error, answer, app) in provoked {
        let verdict = error.verdict();
        let expected = match is_never_redirected(&error) {
            true => format!("page {}", verdict.status),
            false => "redirect 303".to_owned(),
        };
        assert_eq!(delivered(&answer, app), (expected, verdict.code.as_str().to_owned()), "{error:?}");
    }
}

/// The sign-in page's statuses: refused, expired, to wait, and while the store does not answer.
#[tokio::test]
async fn a_failed_sign_in_has_a_status_for_each_reason() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let mut browser = Browser { address: Some([192, 0, 2, 1].into()), ..Browser::new() };
    let page = browser.get(&server, "/account").await;
    let page = browser.follow(&server, page).await;
    let action = form(&page).action;
    let forged = browser.post(&server, &action, &[("username", "ada"), ("password", "x")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "{forged:?}");
    assert!(forged.body.contains("open for too long"));
    for _ in 0..5 {
        let refused = browser.submit_login(&server, &page, "ada", "wrong").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
        assert!(refused.body.contains("That did not work"));
    }
    let mut answer = browser.submit_login(&server, &page, "ada", "wrong").await;
    if answer.status == StatusCode::BAD_REQUEST {
        answer = browser.submit_login(&server, &page, "ada", "wrong").await;
    }
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert!(answer.header("retry-after").is_some() && answer.body.contains("Too many attempts"));
    server.app.store.close().await;
    let busy = browser.submit_login(&server, &page, "nobody", "wrong").await;
    assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE, "{busy:?}");
    assert!(busy.header("retry-after").is_some() && busy.body.contains("try again shortly"));
}
