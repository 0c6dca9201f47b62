//! A pushed request becomes one code, whatever the parallelism (threat 77, decision 125).

use super::{on_every_fleet, together};
use crate::support::browser::Browser;
use crate::support::relying_party::RelyingParty;
use crate::support::request_signer::request_uri;
use crate::support::server::encode;
use axum::http::StatusCode;
use url::form_urlencoded;

on_every_fleet! {
    async fn of_many_visits_with_one_pushed_request_exactly_one_gets_a_code(servers: Fleet) {
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = Browser::new();
        app.tokens(&servers[0], &mut browser).await;
        for _ in 0..4 {
            let request = app.request(&[]);
            let pairs: Vec<(String, String)> = form_urlencoded::parse(request.as_bytes()).into_owned().collect();
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let uri = request_uri(&app.post(&servers[0], "/par", &pairs).await);
            let url = format!("/authorize?{}", encode(&[("client_id", "web"), ("request_uri", &uri)]));
            let answers = together(16, |number| {
                let (server, mut browser, url) = (servers[number % servers.len()].clone(), browser.clone(), url.clone());
                async move { browser.get(&server, &url).await }
            })
            .await;
            let (won, lost): (Vec<_>, Vec<_>) =
                answers.iter().partition(|answer| answer.status == StatusCode::SEE_OTHER);
            assert_eq!(won.len(), 1, "{lost:?}");
            assert!(won[0].parameter("code").is_some());
            assert!(lost.iter().all(|answer| answer.status == StatusCode::BAD_REQUEST && answer.body.contains("invalid_request_uri")));
        }
    }
}
