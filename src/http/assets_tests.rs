use super::*;
use crate::http::operations::tests::{Signing, config, get_text, server};
use crate::pages::Layout;
use axum::Router;
use axum::routing::get;
use tempfile::TempDir;

const LOGO_SVG: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";

async fn files(mode: Mode) -> (Router, TempDir) {
    let mut config = config("https://auth.example.com");
    config.pages.accent = Some("#0a5".to_owned());
    config.pages.logo = Some(logo());
    let (app, folder) = server(config, mode, Signing::NotYet).await;
    let router = Router::new()
        .route("/assets/{file}", get(asset))
        .layer(axum::middleware::from_fn_with_state(app.clone(), crate::http::security_headers::add))
        .with_state(app);
    (router, folder)
}

fn logo() -> Logo {
    Logo { bytes: LOGO_SVG.to_vec(), media_type: "image/svg+xml" }
}

fn cache_control(response: &Response) -> &str {
    response.headers()[header::CACHE_CONTROL].to_str().expect("text")
}

// threat 163
#[tokio::test]
async fn what_pages_ask_for_by_version_may_be_kept_for_ever() {
    let (router, _folder) = files(Mode::Dev).await;
    let layout = Layout { accent: Some("#0a5"), ..Layout::new("Example") };
    for (url, content_type) in [
        (layout.stylesheet_url(), "text/css; charset=utf-8"),
        (layout.theme_url(), "text/css; charset=utf-8"),
        (layout.mark_url(), "image/svg+xml"),
        (layout.playground_script_url(), "text/javascript; charset=utf-8"),
        (logo_url("", &logo()), "image/svg+xml"),
    ] {
        let (response, body) = get_text(&router, &url).await;
        assert_eq!(response.status(), StatusCode::OK, "{url}");
        assert_eq!(cache_control(&response), "public, max-age=31536000, immutable", "{url}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], content_type, "{url}");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{url}");
        assert!(!body.is_empty(), "{url}");
    }
}

// threat 163: a replica of another version must not put its own content under this one's name
#[tokio::test]
async fn without_the_content_s_own_version_a_file_is_asked_about_again() {
    let (router, _folder) = files(Mode::Serve).await;
    for query in ["", "?v=", "?v=AAAAAAAAAAAA", "?x=1", "?v"] {
        for file in ["portreeve.css", "theme.css", "mark.svg", "logo"] {
            let url = format!("/assets/{file}{query}");
            let (response, _) = get_text(&router, &url).await;
            assert_eq!(response.status(), StatusCode::OK, "{url}");
            assert_eq!(cache_control(&response), "no-cache", "{url}");
            assert!(response.headers().contains_key(header::ETAG), "{url}");
        }
    }
}

// threats 163, 167
#[tokio::test]
async fn there_is_no_other_file_and_no_way_out_of_the_folder() {
    let (router, _folder) = files(Mode::Serve).await;
    for path in [
        "/assets/playground.js", // in dev only
        "/assets/",
        "/assets/portreeve.css/",
        "/assets/Portreeve.css",
        "/assets/..%2Fportreeve.css",
        "/assets/%2e%2e",
        "/assets/../Cargo.toml",
        "/assets/logo.svg",
        "/assets/form_post.js",
    ] {
        let (response, _) = get_text(&router, path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(cache_control(&response), "no-store", "{path}");
    }
}

// threat 152
#[tokio::test]
async fn a_logo_with_a_script_is_a_file_to_save_and_runs_nothing() {
    let (router, _folder) = files(Mode::Serve).await;
    let (response, _) = get_text(&router, "/assets/logo").await;
    assert_eq!(response.headers()[header::CONTENT_DISPOSITION], "attachment");
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    assert!(policy.contains("default-src 'none'") && policy.ends_with("sandbox"), "{policy}");
    assert!(!policy.contains("script-src"));
}
