//! From when until when an assertion counts (threat 59).

use super::*;
use crate::support::clock::BEGINNING;
use crate::support::database::on_both_stores;

const NOW: i64 = BEGINNING.seconds();

/// An assertion with these dates, in seconds from now.
fn dated(signed: &Signed, exp: Option<i64>, iat: Option<i64>, nbf: Option<i64>) -> String {
    let mut claims = signed.claims();
    for (name, offset) in [("exp", exp), ("iat", iat), ("nbf", nbf)] {
        set(&mut claims, name, offset.map(|offset| json!(NOW + offset)));
    }
    signed.signer.sign(&signed.signer.header(), &claims)
}

on_both_stores! {
    /// RFC 7523 §3 (4) to (6); conformance `client-assertions-nbf-8-seconds-in-the-future-is-accepted`.
    async fn an_assertion_counts_for_ten_minutes_at_most_and_clocks_may_differ_a_little(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for (exp, iat, nbf) in [
            (Some(60), Some(0), None),
            (Some(60), None, None),
            (Some(60), Some(0), Some(0)),
            (Some(1), None, None),
            (Some(600), Some(0), Some(0)),
            (Some(600), None, Some(-3600)),
            (Some(60), Some(8), Some(8)),
            (Some(610), Some(10), Some(10)),
            (Some(630), Some(30), Some(30)),
            (Some(60), Some(-540), None),
            (Some(-29), Some(-89), None),
        ] {
            let why = format!("{exp:?} {iat:?} {nbf:?}");
            signed.assert_taken(&dated(&signed, exp, iat, nbf), &why).await;
        }
    }

    /// RFC 7523 §3 (4) to (6), threat 59; conformance `client-assertion-with-exp-is-5-minutes-in-past-fails`.
    async fn an_assertion_outside_its_life_or_with_too_long_a_life_is_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for (exp, iat, nbf) in [
            (None, Some(0), None),
            (None, None, None),
            (Some(-300), Some(-360), None),
            (Some(-300), None, None),
            (Some(-30), Some(-90), None),
            (Some(120), Some(0), Some(61)),
            (Some(120), Some(61), None),
            (Some(120), Some(0), Some(31)),
            (Some(120), Some(31), None),
            (Some(601), Some(0), None),
            (Some(631), None, None),
            (Some(3600), None, None),
            (Some(3600), Some(0), None),
            (Some(60), Some(-541), None),
            (Some(60), Some(-86_400), None),
            (Some(5), Some(10), None),
            (Some(10), Some(10), None),
            (Some(60), Some(-NOW), None),
        ] {
            let why = format!("{exp:?} {iat:?} {nbf:?}");
            signed.assert_refused(&why, || dated(&signed, exp, iat, nbf)).await;
        }
    }

    /// Threats 59, 70, 190: whatever is no date is none.
    async fn dates_that_are_no_numbers_or_beyond_reason_are_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let header = signed.signer.header().to_string();
        let soon = NOW + 60;
        for date in [
            format!("\"{soon}\""),
            format!("{soon}.5"),
            format!("[{soon}]"),
            format!("{{\"exp\":{soon}}}"),
            "null".into(),
            "true".into(),
            "\"soon\"".into(),
            "\"\"".into(),
            "9007199254740992".into(),
            "9223372036854775808".into(),
            "-9223372036854775808".into(),
            "99999999999999999999999".into(),
            "1e400".into(),
        ] {
            for name in ["exp", "nbf", "iat"] {
                let assertion = || {
                    let mut claims = signed.claims();
                    set(&mut claims, name, None);
                    let payload = format!("{{\"{name}\":{date},{}", &claims.to_string()[1..]);
                    signed.signer.sign_text(&header, &payload)
                };
                signed.assert_refused(&format!("{name}: {date}"), assertion).await;
            }
        }
        for exp in ["-1", "0", "1.8e9"] {
            let assertion = || {
                let mut claims = signed.claims();
                set(&mut claims, "exp", None);
                signed.signer.sign_text(&header, &format!("{{\"exp\":{exp},{}", &claims.to_string()[1..]))
            };
            signed.assert_refused(exp, assertion).await;
        }
    }
}
