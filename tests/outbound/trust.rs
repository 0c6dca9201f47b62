//! Whose word is taken for who they are: certificates of authorities that are trusted, for the name that was asked.

use super::*;
use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use portreeve::tasks::reload_configuration::Report;

async fn tls_refusal(outbound: &Outbound, text: &str) -> String {
    match refusal(outbound, text).await {
        OutboundError::Tls(why) => why,
        other => panic!("refused for something else: {other}"),
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let server = honest().await;
    let (outbound, _) = leading_to(&server, Limits::default());
    for text in ["https://other.example/keys", "https://x.app.example/keys", "https://8.8.8.8/keys"] {
        let why = tls_refusal(&outbound, text).await;
        assert!(why.contains("not valid for name") || why.contains("NotValidForName"), "{text}: {why}");
    }
    assert_still_fetches(&outbound).await;
}

#[tokio::test]
async fn an_authority_that_nobody_trusts_is_refused() {
    let (server, other) = (honest().await, honest().await);
    let network = Arc::new(HostileNetwork::to(&server));
    let outbound = Outbound::on(network, &trusting(&other), Limits::default());
    let why = tls_refusal(&outbound, "https://app.example/keys").await;
    assert!(
        why.contains("UnknownIssuer") || why.contains("BadSignature") || why.contains("unknown"),
        "{why}"
    );
}

#[tokio::test]
async fn an_address_may_be_what_a_certificate_names() {
    let document = || async { ([(header::CONTENT_TYPE, "application/json")], "[]") };
    let server = HttpsServer::start_as(&["8.8.8.8"], Router::new().route("/keys", get(document))).await;
    let (outbound, network) = leading_to(&server, Limits::default());
    assert_eq!(outbound.get(&url("https://8.8.8.8/keys"), JSON).await.expect("fetched").bytes, "[]");
    assert!(network.asked().is_empty(), "there is no name to look up");
}

#[tokio::test]
async fn a_server_without_tls_or_without_http_1_is_refused() {
    let clear = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = honest().await;
    let leads_to = Some(clear.local_addr().expect("an address"));
    let network = Arc::new(HostileNetwork { leads_to, ..HostileNetwork::answering(&[&[PUBLIC]]) });
    let answering = tokio::spawn(async move {
        let (mut stream, _) = clear.accept().await.expect("a connection");
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.expect("sent");
        stream
    });
    let outbound = Outbound::on(network, &trusting(&server), Limits::default());
    tls_refusal(&outbound, "https://app.example/keys").await;
    answering.abort();

    let only_2 = HttpsServer::start_speaking(&["app.example"], &["h2"], |_| async {}).await;
    let (outbound, _) = leading_to(&only_2, Limits::default());
    tls_refusal(&outbound, "https://app.example/keys").await;
}

on_both_stores! {
    /// The settings reach the client, at the start and after a reload (F-21).
    async fn a_reload_changes_whom_the_server_trusts_and_what_it_may_reach(database: TestDatabase) {
        let document = || async { ([(header::CONTENT_TYPE, "application/json")], "[]") };
        let app = HttpsServer::start(Router::new().route("/keys", get(document))).await;
        let server = TestServer::start(&database).await;
        let asked = url(&app.url("/keys"));
        let outbound = server.app.snapshot.load().outbound.clone();
        let error = outbound.get(&asked, JSON).await.expect_err("nothing private by default");
        assert_eq!(error, OutboundError::PrivateName("localhost".into()));
        assert_eq!(app.connections.accepted(), 0);

        let settings = format!("{}\n{}", server.configuration.settings, app.settings());
        let report = server.reload(&settings, &server.configuration.clients);
        assert_eq!(report, Report::Reloaded { changes: 2 });
        let outbound = server.app.snapshot.load().outbound.clone();
        assert_eq!(outbound.get(&asked, JSON).await.expect("allowed").bytes, "[]");

        let replica = server.replica().await;
        let outbound = replica.app.snapshot.load().outbound.clone();
        assert_eq!(outbound.get(&asked, JSON).await.expect("allowed").bytes, "[]");
    }
}
