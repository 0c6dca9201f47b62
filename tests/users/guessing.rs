//! Guessing passwords at the sign-in page: slowed from the sixth failure on, counted on the person whatever they are called,
//! and nobody's way out of their own account (threats 140–142).

use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{Answer, PASSWORD, TestServer};
use axum::http::StatusCode;
use std::net::IpAddr;
use std::time::Duration;

/// One try from an address, in a browser that was never here.
async fn attempt(server: &TestServer, address: [u8; 4], username: &str, password: &str) -> Answer {
    let mut browser = Browser { address: Some(IpAddr::from(address)), ..Browser::new() };
    let page = browser.get(server, "/account").await;
    browser.submit_login(server, &page, username, password).await
}

fn wait(answer: &Answer) -> u64 {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    answer.header("retry-after").expect("a time").parse().expect("seconds")
}

on_both_stores! {
    /// Threats 140, 142: every way to write a person's name is one counter, from as many addresses as there are.
    async fn the_names_of_one_person_share_their_failures(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let names = ["ada", "ADA", " ada", "Ada ", "ada@example.com", "ADA@example.com", "ａｄａ"];
        for number in 0..6_u8 {
            let answer = attempt(&server, [192, 0, 2, number], names[usize::from(number)], "wrong").await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{number}: {answer:?}");
        }
        for (number, name) in (0_u8..).zip(names) {
            let answer = attempt(&server, [198, 51, 100, number], name, PASSWORD).await;
            assert!((1..=30).contains(&wait(&answer)), "{name}");
        }
        // somebody else is not delayed
        let other = attempt(&server, [198, 51, 100, 99], "nobody", "wrong").await;
        assert_eq!(other.status, StatusCode::BAD_REQUEST);
    }

    /// Threat 140: one password at many people from one address.
    async fn spraying_many_people_from_one_address_is_slowed(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut slowed = 0;
        for number in 0..40 {
            let answer = attempt(&server, [192, 0, 2, 1], &format!("person{number}"), "Summer2026").await;
            slowed += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
        }
        assert!(slowed >= 30, "{slowed} of 40 were told to wait");
        assert_eq!(attempt(&server, [198, 51, 100, 1], "ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
    }

    /// Threat 141: no number of failures shuts a person out; who is signed in on a device signs in there again at once.
    async fn a_thousand_failures_lock_nobody_out(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut known = Browser { address: Some([203, 0, 113, 7].into()), ..Browser::new() };
        let page = known.get(&server, "/account").await;
        assert_eq!(known.submit_login(&server, &page, "ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
        let mut looked_at = 0;
        for number in 0..1_000_u32 {
            let [_, _, high, low] = number.to_be_bytes();
            let answer = attempt(&server, [10, 1, high, low], "ada", "wrong").await;
            looked_at += usize::from(answer.status == StatusCode::BAD_REQUEST);
        }
        assert_eq!(looked_at, 6, "five, and the one that the first wait follows");
        let request = crate::support::relying_party::RelyingParty::new("web", "openid").request(&[]);
        let page = known.get(&server, &format!("/login?{request}&account=other")).await;
        assert_eq!(known.submit_login(&server, &page, "ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
        let seconds = match attempt(&server, [203, 0, 113, 8], "ada", PASSWORD).await {
            answer if answer.status == StatusCode::SEE_OTHER => 0,
            answer => wait(&answer),
        };
        assert!(seconds <= 30, "{seconds}");
        server.clock.advance(Duration::from_secs(seconds));
        let answer = attempt(&server, [203, 0, 113, 8], "ada", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    }
}
