//! oidcc-frontchannel-rp-initiated-logout-certification-test-plan; threat 175: off unless configured, and nothing is framed
//! but the apps that took part.

use super::{AFTER, app, confirm, logout, start, start_with};
use crate::support::browser::{Browser, attribute, unescape};
use crate::support::database::on_both_stores;
use crate::support::server::{Answer, claims, parameter};
use axum::http::StatusCode;
use url::Url;

const ON: &str = "[front_channel_logout]";

/// The addresses of a page's frames.
fn frames(page: &Answer) -> Vec<String> {
    let tags = page.body.split("<iframe").skip(1);
    tags.map(|rest| attribute(&format!("<iframe{}", rest.split('>').next().unwrap()), "src").unwrap())
        .collect()
}

/// Where a page goes by itself.
fn refresh(page: &Answer) -> Option<String> {
    let (_, rest) = page.body.split_once("http-equiv=\"refresh\"")?;
    let content = attribute(rest, "content")?;
    content.split_once("url=").map(|(_, url)| url.to_owned())
}

on_both_stores! {
    /// oidcc-frontchannel-rp-initiated-logout
    async fn the_page_loads_the_apps_frames_and_goes_on(database: TestDatabase) {
        let (server, _receiver) = start_with(&database, ON).await;
        let document = server.get("/.well-known/openid-configuration").await.json();
        assert_eq!(document["frontchannel_logout_supported"], true);
        assert_eq!(document["frontchannel_logout_session_supported"], true);
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let parameters = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER), ("state", "x&y")];
        let page = logout(&server, &mut browser, &parameters).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(refresh(&page).as_deref(), Some("https://app.example.com/post_logout_redirect?state=x%26y"));
        assert!(page.body.contains("id=\"logout-continue\""), "and a link, where nothing refreshes");
        let [frame] = frames(&page).try_into().expect("one frame");
        let url = Url::parse(&frame).expect("a URL");
        assert_eq!((url.host_str(), url.path()), (Some("app.example.com"), "/frontchannel_logout"));
        assert_eq!(url.query_pairs().count(), 2, "iss and sid, and nothing else");
        assert_eq!(parameter(&frame, "iss").as_deref(), Some("https://auth.example.com"));
        assert_eq!(parameter(&frame, "sid").as_deref(), claims(tokens.id())["sid"].as_str());
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.ends_with("; frame-src https://app.example.com"), "{policy}");
        assert!(!policy.contains("script-src") && policy.contains("default-src 'none'"), "{policy}");
        assert!(!crate::logout::is_signed_in(&server, &mut browser).await);
        // reloaded, there is nothing to frame any more: the way on is direct
        assert_eq!(logout(&server, &mut browser, &parameters).await.location(), format!("{AFTER}?state=x%26y"));
    }

    /// Front-Channel Logout §3: both parameters beside what the app has in its own query, and only apps that took part
    async fn each_app_that_took_part_has_its_frame_and_no_other(database: TestDatabase) {
        let (server, receiver) = start_with(&database, ON).await;
        let mut browser = Browser::new();
        app("other").tokens(&server, &mut browser).await;
        let page = logout(&server, &mut browser, &[]).await;
        assert!(frames(&page).is_empty(), "asking loads nothing");
        let page = confirm(&server, &mut browser, &page).await;
        let [frame] = frames(&page).try_into().expect("one frame");
        assert!(frame.starts_with("https://other.example.com/out?keep=1&iss="), "{frame}");
        assert!(parameter(&frame, "sid").is_some() && refresh(&page).is_none());
        assert!(unescape(&page.body).contains("You are signed out"));
        assert!(page.header("content-security-policy").unwrap().ends_with("; frame-src https://other.example.com"));
        // the back channel is told all the same
        crate::logout::deliver(&server).await;
        assert_eq!(receiver.tokens().len(), 1);
    }

    /// threat 175
    async fn without_the_section_nothing_is_framed(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let page = logout(&server, &mut browser, &[("id_token_hint", tokens.id())]).await;
        crate::logout::assert_logged_out_page(&page);
        assert!(frames(&page).is_empty() && !page.body.contains("iframe"));
        assert!(!page.header("content-security-policy").unwrap().contains("frame-src"));
    }
}
