//! The mail with the link, through a server that nobody here wrote (aiosmtpd): in clear on the loopback, by STARTTLS and by TLS from
//! the beginning, with and without a password; and all the ways in which it must not leave (threat 150).

use super::recovery::{NEW, ask, filled, signs_in};
use super::{Pressed, events};
use crate::flows::steps::{SECOND, open};
use crate::support::browser::Browser;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::server::TestServer;
use crate::support::smtp_server::{SmtpServer, SmtpSetting};
use axum::http::{Method, StatusCode};
use portreeve::model::audit_event::EventName;
use portreeve::tasks::deliver_outbox::{Report, run_once};
use portreeve::tasks::delivery_pace::Pace;
use std::time::Duration;

async fn deliver(server: &TestServer) -> Report {
    run_once(&server.app, &Pace::default()).await.expect("a round")
}

/// A server that sends by `smtp`, with a mail to Ada waiting.
async fn with_mail_waiting(database: &TestDatabase, smtp: &SmtpServer, security: &str) -> TestServer {
    let server = TestServer::start_with(database, &smtp.settings(security), "").await;
    ask(&server, "ada").await;
    server
}

on_both_stores! {
    /// RFC 5322, RFC 6409, RFC 3834 §5; the link leads to the issuer and works.
    async fn the_mail_arrives_and_its_link_sets_a_password(database: TestDatabase) {
        let mut smtp = SmtpServer::start(SmtpSetting::default()).await;
        let server = TestServer::start_with(&database, &smtp.settings("none"), "").await;
        // threat 150: whatever host the request names
        let mut browser = Browser::new();
        let page = open(&server, &mut browser, "/recovery").await;
        let pressed = Pressed::of(&page, "recovery-submit").with("username", "Ada@Example.com");
        let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
        let answer = browser.request(&server, Method::POST, &pressed.action, Some(pressed.body()), &headers).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        ask(&server, "nobody").await;
        assert_eq!(deliver(&server).await, Report { delivered: 1, ..Report::default() });
        let mail = smtp.mail().await;
        assert_eq!(mail.fact("from"), "no-reply@example.com");
        assert_eq!(mail.fact("to"), &serde_json::json!(["ada@example.com"]));
        let text = mail.text();
        for told in [
            "From: Example <no-reply@example.com>\n", "To: ada@example.com\n", "Subject: Set a new password for Example\n",
            "Auto-Submitted: auto-generated\n", "@auth.example.com>\n", "Date: Fri, 15 Jan 2027 08:00:00 +0000\n", "for 30 minutes",
            "Content-Language: en\n",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        let link = mail.link();
        let token = link.strip_prefix("https://auth.example.com/recovery/new-password?ui_locales=en&token=").expect("the issuer's link");
        let mut browser = Browser::new();
        let answer = filled(&server, &mut browser, token).await.send(&server, &mut browser).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(signs_in(&server, NEW).await);
        assert_eq!(events(&database, EventName::MailSent).await, 1);
        // it is sent once
        assert_eq!(deliver(&server).await, Report::default());
    }

    /// A stranger may ask for the mail; a link that lives already is sent again with the time that is left of it.
    async fn the_mail_is_in_the_person_s_language_and_promises_no_more_than_is_left(database: TestDatabase) {
        let mut smtp = SmtpServer::start(SmtpSetting::default()).await;
        let server = TestServer::start_with(&database, &smtp.settings("none"), "").await;
        let claims = serde_json::json!({"email": "Grace.Hopper@example.com", "email_verified": true, "locale": "de_AT"});
        server.add_person("grace", claims).await;
        for minutes in [30, 16] {
            ask(&server, "grace").await;
            assert_eq!(deliver(&server).await.delivered, 1);
            let mail = smtp.mail().await;
            assert!(mail.text().contains("Content-Language: de\n"), "{}", mail.text());
            // RFC 5321 §2.4: whose mailbox it is, the host knows, by the letters as they were verified
            assert_eq!(mail.fact("to"), &serde_json::json!(["Grace.Hopper@example.com"]));
            assert!(mail.text().contains(&format!("{minutes} Minuten")), "{}", mail.text());
            assert!(mail.link().starts_with("https://auth.example.com/recovery/new-password?ui_locales=de&token="), "{}", mail.link());
            server.clock.advance(Duration::from_secs(14 * 60));
        }
    }
}

/// RFC 3207, RFC 8314 §3.3, RFC 4954: what the settings demand is what happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_leave_encrypted_and_with_the_password_where_that_is_asked_for() {
    for (security, asks_for_password) in
        [("starttls", false), ("starttls", true), ("implicit", false), ("implicit", true)]
    {
        let database = TestDatabase::sqlite();
        let mut smtp =
            SmtpServer::start(SmtpSetting { security, asks_for_password, ..SmtpSetting::default() }).await;
        let server = with_mail_waiting(&database, &smtp, security).await;
        assert_eq!(deliver(&server).await.delivered, 1, "{security}");
        let mail = smtp.mail().await;
        assert_eq!(mail.fact("encrypted"), true);
        let expected = asks_for_password.then_some("portreeve");
        assert_eq!(mail.fact("username"), &serde_json::json!(expected));
    }
}

/// Threat 150: nothing leaves in clear, or to a server that cannot show who it is; it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_to_a_server_that_is_not_the_one_or_offers_no_tls() {
    let named = SmtpSetting::default();
    for (setting, security, trusts) in [
        // no STARTTLS there, or TLS where none is spoken
        (named, "starttls", true),
        (named, "implicit", true),
        // another name in the certificate, or an authority nobody knows
        (SmtpSetting { security: "starttls", names: &["mail.example.com"], ..named }, "starttls", true),
        (SmtpSetting { security: "implicit", names: &["mail.example.com"], ..named }, "implicit", true),
        (SmtpSetting { security: "starttls", ..named }, "starttls", false),
        (SmtpSetting { security: "implicit", ..named }, "implicit", false),
    ] {
        let database = TestDatabase::sqlite();
        let smtp = SmtpServer::start(setting).await;
        let mut settings = smtp.settings(security);
        if !trusts {
            settings =
                settings.lines().filter(|line| !line.contains("trusted")).collect::<Vec<_>>().join("\n");
        }
        let server = TestServer::start_with(&database, &settings, "").await;
        ask(&server, "ada").await;
        let report = deliver(&server).await;
        assert_eq!(
            (report.delivered, report.failed, report.abandoned),
            (0, 1, 0),
            "{setting:?} by {security}"
        );
        assert_eq!(
            database.number("SELECT COUNT(*) FROM outbox WHERE state = 'pending' AND attempts = 1").await,
            1
        );
        assert_eq!(events(&database, EventName::MailSent).await, 0);
        let leaked = "SELECT COUNT(*) FROM outbox WHERE last_error LIKE '%@%' OR last_error LIKE '%token%'";
        assert_eq!(database.number(leaked).await, 0);
    }
}

/// RFC 5321 §4.2.1: 4xx is for now, 5xx for good; and a wrong password is for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    let refusing = |refusal| SmtpSetting { refusal: Some(refusal), ..SmtpSetting::default() };
    for (refusal, again) in [("451 later, ada@example.com", true), ("550 no such ada@example.com", false)] {
        let database = TestDatabase::sqlite();
        let smtp = SmtpServer::start(refusing(refusal)).await;
        let server = with_mail_waiting(&database, &smtp, "none").await;
        let report = deliver(&server).await;
        assert_eq!((report.failed, report.abandoned), if again { (1, 0) } else { (0, 1) }, "{refusal}");
        assert_eq!(events(&database, EventName::MailAbandoned).await, i64::from(!again));
        let leaked = "SELECT COUNT(*) FROM outbox WHERE last_error LIKE '%ada%'";
        assert_eq!(database.number(leaked).await, 0);
    }
}

/// A mail server that was away gets the mail when it is back, within the link's life; later nobody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_waits_for_a_server_that_is_away_and_not_beyond_its_link() {
    let database = TestDatabase::sqlite();
    let smtp = SmtpServer::start(SmtpSetting::default()).await;
    let server = with_mail_waiting(&database, &smtp, "none").await;
    let settings = server.configuration.settings.clone();
    drop(smtp);
    assert_eq!(deliver(&server).await.failed, 1);
    let mut back = SmtpServer::start(SmtpSetting::default()).await;
    let port = settings.lines().find(|line| line.starts_with("port = ")).expect("a port");
    let settings = settings.replace(port, &format!("port = {}", back.port));
    let settings =
        settings.lines().filter(|line| !line.contains("trusted_certificates")).collect::<Vec<_>>().join("\n");
    server.reload(&settings, &server.configuration.clients);
    server.clock.advance(60 * SECOND);
    assert_eq!(deliver(&server).await.delivered, 1);
    back.mail().await;
    // the next one is used before it is sent, another is too old: neither leaves
    server.clock.advance(Duration::from_secs(3600));
    ask(&server, "ada").await;
    server.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(deliver(&server).await, Report { discarded: 1, ..Report::default() });
}
