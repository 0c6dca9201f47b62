//! A resolver that lies (threat 88): names are asked for once, every answer is checked, and only what was checked is dialled.

use super::*;

/// A client on `network`, which leads to `server`.
fn on(network: HostileNetwork, server: &HttpsServer, limits: Limits) -> (Outbound, Arc<HostileNetwork>) {
    let network = Arc::new(HostileNetwork { leads_to: Some(server.address), ..network });
    (Outbound::on(network.clone(), &trusting(server), limits), network)
}

#[tokio::test]
async fn a_name_is_asked_for_once_and_what_was_checked_is_dialled() {
    let server = honest().await;
    // Public first, then this machine: what a second question would be answered (DNS rebinding).
    let network = HostileNetwork::answering(&[&["93.184.215.14"], &["127.0.0.1"]]);
    let (outbound, network) = on(network, &server, Limits::default());
    assert_still_fetches(&outbound).await;
    assert_eq!(network.asked(), ["app.example"]);
    assert_eq!(network.dialled(), ["93.184.215.14:443".parse().expect("valid")]);
    let error = refusal(&outbound, "https://app.example/keys").await;
    assert_eq!(error, OutboundError::PrivateAddress(address("127.0.0.1")));
    assert_eq!(network.dialled().len(), 1, "the second answer was checked anew, and not dialled");
    assert_eq!(server.connections.accepted(), 1, "no connection outlives its request, to be used again");
}

#[tokio::test]
async fn one_private_address_refuses_them_all() {
    let server = honest().await;
    for list in [
        &["8.8.8.8", "127.0.0.1"][..],
        &["10.0.0.1", "8.8.8.8"],
        &["2606:4700::1", "8.8.8.8", "::1"],
        &["8.8.8.8", "::ffff:8.8.8.8"],
    ] {
        let (outbound, network) = on(HostileNetwork::answering(&[list]), &server, Limits::default());
        assert_eq!(
            refusal(&outbound, "https://app.example/keys").await.verdict().outcome,
            "forbidden",
            "{list:?}"
        );
        assert!(network.dialled().is_empty(), "{list:?}");
    }
    let mut hundred: Vec<String> = (1..=99).map(|number| format!("8.8.8.{number}")).collect();
    hundred.push("169.254.169.254".into());
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    let (outbound, network) = on(HostileNetwork::answering(&[&hundred]), &server, Limits::default());
    let error = refusal(&outbound, "https://app.example/keys").await;
    assert_eq!(error, OutboundError::PrivateAddress(address("169.254.169.254")), "the last one, too");
    assert!(network.dialled().is_empty());
    assert_eq!(server.connections.accepted(), 0);
}

#[tokio::test]
async fn a_name_without_addresses_is_an_error() {
    let server = honest().await;
    let (outbound, network) = on(HostileNetwork::answering(&[&[]]), &server, Limits::default());
    assert_eq!(
        refusal(&outbound, "https://app.example/keys").await,
        OutboundError::NotResolved("no address".into())
    );
    let nowhere = HostileNetwork::default();
    nowhere.answers.lock().expect("whole").push_back(Err(io::Error::other("no such name")));
    let (unknown, other) = on(nowhere, &server, Limits::default());
    assert_eq!(
        refusal(&unknown, "https://app.example/keys").await,
        OutboundError::NotResolved("no such name".into())
    );
    assert!(network.dialled().is_empty() && other.dialled().is_empty());
}

#[tokio::test]
async fn of_a_hundred_addresses_four_are_tried() {
    let server = honest().await;
    let hundred: Vec<String> = (1..=100).map(|number| format!("8.8.8.{number}")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    let network = Arc::new(HostileNetwork::answering(&[&hundred]));
    let outbound = Outbound::on(network.clone(), &trusting(&server), Limits::default());
    let error = refusal(&outbound, "https://app.example/keys").await;
    assert_eq!(error.verdict().outcome, "not_connected", "{error}");
    let tried: Vec<String> = network.dialled().iter().map(ToString::to_string).collect();
    assert_eq!(tried, ["8.8.8.1:443", "8.8.8.2:443", "8.8.8.3:443", "8.8.8.4:443"]);
}

#[tokio::test]
async fn an_address_that_is_dead_does_not_hold_up_the_next() {
    let server = honest().await;
    let network = HostileNetwork::answering(&[&["2606:4700::1", "8.8.8.8"]]);
    let dead = HostileNetwork { dead: vec![address("2606:4700::1")], ..network };
    let (outbound, network) = on(dead, &server, Limits::default());
    assert_still_fetches(&outbound).await;
    assert_eq!(network.dialled().len(), 2);
}

#[tokio::test]
async fn the_other_end_must_be_who_was_dialled() {
    let server = honest().await;
    let claims = Some("127.0.0.1:443".parse().expect("valid"));
    let network = HostileNetwork { claims, ..HostileNetwork::answering(&[&[PUBLIC]]) };
    let (outbound, _) = on(network, &server, Limits::default());
    let error = refusal(&outbound, "https://app.example/keys").await;
    assert_eq!(error, OutboundError::OtherPeer("127.0.0.1:443".parse().expect("valid")));
}

// F-33: a resolver that answers nobody
#[tokio::test]
async fn a_resolver_that_does_not_answer_is_given_up() {
    struct Silent;
    impl Network for Silent {
        fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            Box::pin(std::future::pending())
        }
        fn connect(&self, _: SocketAddr) -> BoxFuture<'static, io::Result<Connection>> {
            panic!("nothing was resolved")
        }
    }
    let server = honest().await;
    let limits = Limits { connect: Duration::from_millis(50), ..short() };
    let outbound = Outbound::on(Arc::new(Silent), &trusting(&server), limits);
    let error = refusal(&outbound, "https://app.example/keys").await;
    assert_eq!(error, OutboundError::NotResolved("no answer in time".into()));
}
