//! What people see of a registered client: its logo from this server, its policy and its terms (threats 21, 87, 116, 152;
//! oidcc-registration-logo-uri, -policy-uri, -tos-uri).

use super::{OPEN, register, spa};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use image::{ImageFormat, RgbaImage};
use serde_json::{Value, json};
use std::io::Cursor;
use std::time::Duration;

fn png(side: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = RgbaImage::from_fn(side, side, |x, y| image::Rgba([x as u8, y as u8, 90, 255]));
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

async fn host() -> HttpsServer {
    let as_type = |media_type: &'static str, body: Vec<u8>| {
        get(move || {
            let body = body.clone();
            async move { ([(header::CONTENT_TYPE, media_type)], body) }
        })
    };
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec();
    let router = Router::new()
        .route("/logo.png", as_type("image/png", png(600)))
        .route("/logo.svg", as_type("image/svg+xml", svg.clone()))
        .route("/disguised.png", as_type("image/png", svg))
        .route("/huge.png", as_type("image/png", vec![0; 300 * 1024]));
    HttpsServer::start(router).await
}

fn shown(host: &HttpsServer, logo: &str) -> Value {
    let mut said = spa();
    said["logo_uri"] = json!(host.url(logo));
    said["policy_uri"] = json!("https://notes.example.com/policy");
    said["tos_uri"] = json!("https://notes.example.com/terms");
    said
}

async fn login_page(server: &TestServer, app: &RelyingParty, browser: &mut Browser) -> Answer {
    let answer = browser.get(server, &app.authorize(&[])).await;
    let page = browser.follow(server, answer).await;
    assert!(page.body.contains("id=\"login-submit\""), "{}", page.body);
    page
}

/// The address of the logo that the page shows.
fn logo(page: &Answer) -> Option<String> {
    let at = page.body.find("id=\"client-logo\"")?;
    crate::support::browser::attribute(&page.body[at..], "src")
}

/// A picture, unread as text.
async fn picture(server: &TestServer, path: &str) -> (StatusCode, Vec<u8>, Option<String>) {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let router = portreeve::http::router::router(server.app.clone());
    let request = axum::http::Request::get(path).body(Body::empty()).expect("a request");
    let (head, body) = router.oneshot(request).await.expect("an answer").into_parts();
    let policy =
        head.headers.get("content-security-policy").and_then(|value| value.to_str().ok()).map(str::to_owned);
    if head.status == StatusCode::OK {
        assert_eq!(head.headers["content-type"], "image/png");
        assert_eq!(head.headers["content-disposition"], "attachment");
    }
    (head.status, body.collect().await.expect("a body").to_bytes().to_vec(), policy)
}

on_both_stores! {
    async fn pages_show_logo_policy_and_terms_of_a_client_from_here(database: TestDatabase) {
        let host = host().await;
        let server = TestServer::start_with(&database, &format!("{OPEN}{}", host.settings()), "").await;
        let client = register(&server, &shown(&host, "/logo.png")).await;
        let mut browser = Browser::new();
        let login = login_page(&server, &client.app("openid"), &mut browser).await;
        assert_eq!(host.connections.accepted(), 0, "the page does not wait for the logo");
        let src = logo(&login).unwrap_or_else(|| panic!("no logo: {}", login.body));
        assert!(src.starts_with("/assets/client-logo/") && !login.body.contains(&host.authority()), "{src}");
        let consent = browser.sign_in(&server, &login, "ada").await;
        assert_eq!(logo(&consent).as_ref(), Some(&src));
        for page in [&login, &consent] {
            for url in ["https://notes.example.com/policy", "https://notes.example.com/terms"] {
                assert!(page.body.contains(&format!("href=\"{url}\"")), "{url}: {}", page.body);
            }
        }
        let (status, body, policy) = picture(&server, &src).await;
        assert_eq!(status, StatusCode::OK);
        assert!(policy.is_some_and(|policy| policy.contains("sandbox")));
        let made = image::load_from_memory_with_format(&body, ImageFormat::Png).expect("a PNG");
        assert_eq!((made.width(), made.height()), (256, 256));
        assert_eq!(picture(&server, &src).await.1, body);
        assert_eq!(host.connections.accepted(), 1, "it is fetched once");
        server.clock.advance(Duration::from_secs(2 * 86_400));
        picture(&server, &src).await;
        assert_eq!(host.connections.accepted(), 2, "and once more when it is old");
    }

    /// Threats 90, 152: what is no picture is not shown, and not asked for again at once.
    async fn a_logo_that_is_no_picture_is_not_shown(database: TestDatabase) {
        let host = host().await;
        let server = TestServer::start_with(&database, &format!("{OPEN}{}", host.settings()), "").await;
        for path in ["/logo.svg", "/disguised.png", "/huge.png", "/missing.png"] {
            let client = register(&server, &shown(&host, path)).await;
            let page = login_page(&server, &client.app("openid"), &mut Browser::new()).await;
            let src = logo(&page).expect("nobody knows yet");
            let before = host.connections.accepted();
            assert_eq!(picture(&server, &src).await.0, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(picture(&server, &src).await.0, StatusCode::NOT_FOUND);
            assert_eq!(host.connections.accepted(), before + 1, "{path}");
            let page = login_page(&server, &client.app("openid"), &mut Browser::new()).await;
            assert_eq!(logo(&page), None, "{path}");
        }
    }

    async fn a_client_of_the_files_has_a_logo_as_well_and_nobody_else_has(database: TestDatabase) {
        let host = host().await;
        let more = format!(
            "[[client]]\nclient_id = \"https://pictured.example/app\"\nredirect_uris = [\"https://pictured.example/callback\"]\n\
             token_endpoint_auth_method = \"none\"\nscope = \"openid\"\nlogo_uri = \"{}\"\n", host.url("/logo.png"));
        let server = TestServer::start_with(&database, &format!("{OPEN}{}", host.settings()), &more).await;
        let mut app = RelyingParty::new("spa", "openid");
        assert_eq!(logo(&login_page(&server, &app, &mut Browser::new()).await), None);
        app.client_id = "https://pictured.example/app";
        app.redirect_uri = "https://pictured.example/callback".into();
        let src = logo(&login_page(&server, &app, &mut Browser::new()).await).expect("a logo");
        assert_eq!(picture(&server, &src).await.0, StatusCode::OK);
        for path in ["/assets/client-logo/spa", "/assets/client-logo/nobody", "/assets/client-logo/%00", "/assets/client-logo/"] {
            assert_eq!(picture(&server, path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
