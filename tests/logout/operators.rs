//! What operators see of deliveries: how many wait and since when, what failed and why, what was given up (threats 174, 179).

use super::delivery::{one_waits, only_request_id};
use super::{deliver, start};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::log::KeptLog;
use metrics_exporter_prometheus::PrometheusBuilder;
use portreeve::model::outbox::LOGOUT_TOKEN_PATIENCE;
use portreeve::tasks::deliver_outbox::Report;
use std::time::Duration;

/// The counters, in the order of [`counted`].
const COUNTERS: [&str; 3] = ["delivered_total", "failed_attempts_total", "abandoned_total"];

/// The value of a metric for messages of this kind. It is there from the first round on, at zero: of a counter that begins at one,
/// Prometheus sees no increase.
fn value(rendered: &str, name: &str, kind: &str) -> f64 {
    let start = format!("portreeve_outbox_{name}{{kind=\"{kind}\"}} ");
    let line = rendered.lines().find_map(|line| line.strip_prefix(start.as_str()));
    line.unwrap_or_else(|| panic!("no {start}: {rendered}")).parse().expect("a number")
}

/// What was delivered, what failed and what was abandoned.
fn counted(rendered: &str) -> [f64; 3] {
    COUNTERS.map(|name| value(rendered, name, "logout_token"))
}

/// What waits, and since how many seconds.
fn waiting(rendered: &str) -> (f64, f64) {
    let gauge = |name: &str| value(rendered, name, "logout_token");
    (gauge("pending"), gauge("oldest_seconds"))
}

on_both_stores! {
    async fn the_metrics_follow_a_message_from_failure_to_its_end(database: TestDatabase) {
        let recorder = PrometheusBuilder::new().build_recorder();
        let numbers = recorder.handle();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let (server, receiver) = start(&database).await;
        deliver(&server).await;
        assert_eq!((waiting(&numbers.render()), counted(&numbers.render())), ((0.0, 0.0), [0.0, 0.0, 0.0]));
        // a failure
        one_waits(&server).await;
        receiver.answer(503);
        server.clock.advance(Duration::from_secs(7));
        assert_eq!(deliver(&server).await.failed, 1);
        assert_eq!((waiting(&numbers.render()), counted(&numbers.render())), ((1.0, 7.0), [0.0, 1.0, 0.0]));
        // before the retry is due it waits and grows older, and nothing is tried
        server.clock.advance(Duration::from_secs(3));
        assert_eq!(deliver(&server).await, Report::default());
        assert_eq!((waiting(&numbers.render()), counted(&numbers.render())), ((1.0, 10.0), [0.0, 1.0, 0.0]));
        // the retry
        receiver.answer(200);
        server.clock.advance(Duration::from_secs(10));
        assert_eq!(deliver(&server).await.delivered, 1);
        assert_eq!(counted(&numbers.render()), [1.0, 1.0, 0.0]);
        deliver(&server).await;
        assert_eq!(waiting(&numbers.render()), (0.0, 0.0));
        // two that nobody takes: one whose last attempt fails, one that nobody tried in time
        one_waits(&server).await;
        receiver.answer(400);
        server.clock.advance(LOGOUT_TOKEN_PATIENCE - Duration::from_secs(1));
        assert_eq!(deliver(&server).await.abandoned, 1);
        assert_eq!(counted(&numbers.render()), [1.0, 2.0, 1.0]);
        one_waits(&server).await;
        server.clock.advance(LOGOUT_TOKEN_PATIENCE);
        assert_eq!(deliver(&server).await.abandoned, 1);
        assert_eq!(counted(&numbers.render()), [1.0, 2.0, 2.0]);
        deliver(&server).await;
        assert_eq!((waiting(&numbers.render()), counted(&numbers.render())), ((0.0, 0.0), [1.0, 2.0, 2.0]));
        // nothing of it was counted as mail
        let rendered = numbers.render();
        assert_eq!(COUNTERS.map(|name| value(&rendered, name, "mail")), [0.0, 0.0, 0.0]);
    }
}

async fn log_of_a_failure_and_a_retry(database: TestDatabase) {
    // With one listener alone, a place in the code that another test's thread comes by first would be taken for one that
    // nobody listens to.
    let _other = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let (server, receiver) = start(&database).await;
    one_waits(&server).await;
    let request_id = only_request_id(&server).await;
    receiver.answer(503);
    let log = KeptLog::start("trace");
    assert_eq!(deliver(&server).await.failed, 1);
    let text = log.text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("outbox.attempt_failed")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    for told in [
        "WARN",
        "message.kind=\"logout_token\"",
        "message.recipient=app ",
        &format!("request.id={request_id} "),
        "attempt=1 ",
        "reason=the app answered with status 503",
    ] {
        assert!(lines[0].contains(told), "{told} in {}", lines[0]);
    }
    // at no level, and by no crate that takes part
    let token = &receiver.tokens()[0];
    assert!(token.split('.').all(|part| part.len() > 40 && !text.contains(part)), "{text}");
    assert!(!text.contains("eyJ") && !text.contains("logout_token="), "{text}");
    // what was taken is no warning
    log.clear();
    receiver.answer(200);
    server.clock.advance(Duration::from_secs(13));
    assert_eq!(deliver(&server).await.delivered, 1);
    let text = log.text();
    assert!(text.contains("logout_token.delivered") && !text.contains("attempt_failed"), "{text}");
    assert!(!text.contains("eyJ"), "{text}");
}

#[tokio::test]
async fn the_log_says_whom_a_failed_attempt_was_for_and_why_and_holds_no_token_on_sqlite() {
    log_of_a_failure_and_a_retry(TestDatabase::sqlite()).await;
}

#[tokio::test]
async fn the_log_says_whom_a_failed_attempt_was_for_and_why_and_holds_no_token_on_postgresql() {
    log_of_a_failure_and_a_retry(TestDatabase::postgres().await).await;
}
