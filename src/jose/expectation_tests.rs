//! The claims, judged without a signature around them; `verify_tests` has the whole token.

use super::*;
use serde_json::json;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://auth.example.com";

fn expectation() -> Expectation<'static> {
    Expectation {
        typ: ExpectedType::Only(JwtType::AccessToken),
        issuer: Some(ISSUER),
        audience: Audience::Contains("api"),
        algorithms: &VerificationAlgorithm::OWN,
        now_seconds: NOW,
        leeway_seconds: 5,
        expiry: Expiry::Required,
        maximum_age_seconds: None,
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "ada", "aud": "api", "exp": NOW + 60, "nbf": NOW, "iat": NOW, "jti": "1"})
}

/// Judges the good claims with `name` set to `value`, or taken away.
fn judge(expectation: &Expectation, name: &str, value: Option<Value>) -> Result<(), VerifyError> {
    let mut claims = claims();
    match value {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    expectation.check_claims(claims.as_object().unwrap())
}

#[test]
fn good_claims_are_good() {
    assert_eq!(expectation().check_claims(claims().as_object().unwrap()), Ok(()));
}

// threat 70
#[test]
fn dates_that_are_no_whole_numbers_are_refused_even_where_they_do_not_count() {
    let ignoring = Expectation { expiry: Expiry::Ignored, ..expectation() };
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1800000060"),
            json!(null),
            json!(true),
            json!([NOW]),
            json!({"v": NOW}),
            json!(0.5),
            json!(1_800_000_000.5),
        ] {
            for expectation in [expectation(), ignoring] {
                assert_eq!(
                    judge(&expectation, name, Some(value.clone())),
                    Err(VerifyError::ClaimType(name)),
                    "{name} {value}"
                );
            }
        }
        for value in [
            json!(1_u64 << 53),
            json!(1_u64 << 63),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(-(1_i64 << 53)),
            json!(1e300),
            json!(-1e300),
        ] {
            assert_eq!(
                judge(&ignoring, name, Some(value.clone())),
                Err(VerifyError::ClaimRange(name)),
                "{name} {value}"
            );
        }
    }
}

// threat 70
#[test]
fn texts_that_are_no_strings_are_refused_even_where_they_are_not_expected() {
    let indifferent = Expectation { issuer: None, audience: Audience::Any, ..expectation() };
    for name in ["iss", "sub", "jti"] {
        for value in [json!(1), json!(null), json!(true), json!([ISSUER]), json!({"iss": ISSUER})] {
            for expectation in [expectation(), indifferent] {
                assert_eq!(
                    judge(&expectation, name, Some(value.clone())),
                    Err(VerifyError::ClaimType(name)),
                    "{name} {value}"
                );
            }
        }
    }
    for value in [
        json!(1),
        json!(null),
        json!(true),
        json!({"api": "api"}),
        json!(["api", 1]),
        json!([["api"]]),
        json!([null]),
    ] {
        for expectation in [expectation(), indifferent] {
            assert_eq!(
                judge(&expectation, "aud", Some(value.clone())),
                Err(VerifyError::ClaimType("aud")),
                "{value}"
            );
        }
    }
}

/// RFC 7519 §4.1.3.
#[test]
fn an_audience_is_compared_as_a_whole_and_in_the_expected_form() {
    let with = |audience| Expectation { audience, ..expectation() };
    let judge_aud = |audience, value| judge(&with(audience), "aud", Some(value));
    let refused = Err(VerifyError::Audience);
    for value in [
        json!("evil"),
        json!("api2"),
        json!("API"),
        json!("api "),
        json!(""),
        json!([]),
        json!(["evil"]),
        json!(["a", "pi"]),
    ] {
        assert_eq!(judge_aud(Audience::Contains("api"), value.clone()), refused, "{value}");
        assert_eq!(judge_aud(Audience::Exactly("api"), value.clone()), refused, "{value}");
        assert_eq!(judge_aud(Audience::ExactlyOneOf(&["api", "b"]), value.clone()), refused, "{value}");
        assert_eq!(judge_aud(Audience::Any, value), Ok(()));
    }
    for value in [json!(["api"]), json!(["evil", "api"])] {
        assert_eq!(judge_aud(Audience::Contains("api"), value.clone()), Ok(()));
        assert_eq!(judge_aud(Audience::Exactly("api"), value.clone()), refused);
        assert_eq!(judge_aud(Audience::ExactlyOneOf(&["api", "b"]), value), refused);
    }
    assert_eq!(judge_aud(Audience::Exactly("api"), json!("api")), Ok(()));
    assert_eq!(judge_aud(Audience::ExactlyOneOf(&["b", "api"]), json!("api")), Ok(()));
    assert_eq!(judge_aud(Audience::ExactlyOneOf(&[]), json!("api")), refused);
    assert_eq!(judge(&with(Audience::Any), "aud", None), Ok(()));
    for audience in [Audience::Exactly("api"), Audience::Contains("api"), Audience::ExactlyOneOf(&["api"])] {
        assert_eq!(judge(&with(audience), "aud", None), Err(VerifyError::MissingClaim("aud")));
    }
}

#[test]
fn an_expected_claim_that_is_absent_is_refused() {
    assert_eq!(judge(&expectation(), "iss", None), Err(VerifyError::MissingClaim("iss")));
    assert_eq!(judge(&expectation(), "exp", None), Err(VerifyError::MissingClaim("exp")));
    let aged = Expectation { maximum_age_seconds: Some(60), ..expectation() };
    assert_eq!(judge(&aged, "iat", None), Err(VerifyError::MissingClaim("iat")));
    for name in ["iat", "nbf", "sub", "jti"] {
        assert_eq!(judge(&expectation(), name, None), Ok(()));
    }
}

#[test]
fn the_issuer_is_compared_byte_by_byte() {
    for other in [
        "https://auth.example.com/",
        "https://AUTH.example.com",
        "http://auth.example.com",
        "",
        "https://auth.example.co",
    ] {
        assert_eq!(judge(&expectation(), "iss", Some(json!(other))), Err(VerifyError::Issuer), "{other}");
    }
}

/// RFC 7519 §4.1.4 to §4.1.6: at the edges of the leeway.
#[test]
fn dates_count_with_the_leeway_and_no_second_more() {
    for (name, offset, expected) in [
        ("exp", -5, Err(VerifyError::Expired)),
        ("exp", -4, Ok(())),
        ("nbf", 5, Ok(())),
        ("nbf", 6, Err(VerifyError::NotYetValid)),
        ("iat", 5, Ok(())),
        ("iat", 6, Err(VerifyError::IssuedInTheFuture)),
    ] {
        assert_eq!(judge(&expectation(), name, Some(json!(NOW + offset))), expected, "{name} {offset}");
    }
    let aged = Expectation { maximum_age_seconds: Some(60), ..expectation() };
    assert_eq!(judge(&aged, "iat", Some(json!(NOW - 65))), Ok(()));
    assert_eq!(judge(&aged, "iat", Some(json!(NOW - 66))), Err(VerifyError::TooOld));
    assert_eq!(judge(&expectation(), "exp", Some(json!(-1))), Err(VerifyError::Expired));
    assert_eq!(judge(&expectation(), "exp", Some(json!(1.9e9))), Ok(()));
    let ignoring = Expectation { expiry: Expiry::Ignored, ..expectation() };
    assert_eq!(judge(&ignoring, "exp", Some(json!(1))), Ok(()));
    assert_eq!(judge(&ignoring, "exp", None), Ok(()));
}

#[test]
fn no_time_makes_the_arithmetic_overflow() {
    let claims = claims();
    for now_seconds in [i64::MIN, -1, 0, i64::MAX] {
        for leeway_seconds in [0, i64::MAX] {
            for maximum_age_seconds in [None, Some(0), Some(i64::MAX)] {
                let expectation =
                    Expectation { now_seconds, leeway_seconds, maximum_age_seconds, ..expectation() };
                let _ = expectation.check_claims(claims.as_object().unwrap());
            }
        }
    }
}

// threat 74
#[test]
fn a_token_of_one_type_passes_for_no_other() {
    for expected in JwtType::ALL {
        for found in JwtType::ALL {
            let verdict = |expectation: ExpectedType| expectation.check(Some(found.as_str())).is_ok();
            assert_eq!(verdict(ExpectedType::Only(expected)), found == expected);
            assert_eq!(verdict(ExpectedType::JwtOrAbsent), found == JwtType::Jwt);
            assert_eq!(
                verdict(ExpectedType::JwtOrAbsentOr(expected)),
                found == expected || found == JwtType::Jwt
            );
        }
        assert_eq!(ExpectedType::Only(expected).check(None), Err(VerifyError::Type));
        assert_eq!(ExpectedType::JwtOrAbsentOr(expected).check(None), Ok(()));
        for unknown in ["", "at", "secevent+jwt", "JOSE"] {
            assert_eq!(ExpectedType::Only(expected).check(Some(unknown)), Err(VerifyError::Type));
            assert_eq!(ExpectedType::JwtOrAbsentOr(expected).check(Some(unknown)), Err(VerifyError::Type));
            assert_eq!(ExpectedType::JwtOrAbsent.check(Some(unknown)), Err(VerifyError::Type));
        }
    }
    assert_eq!(ExpectedType::JwtOrAbsent.check(None), Ok(()));
}

#[test]
fn a_strict_end_gets_no_leeway_and_the_other_dates_keep_theirs() {
    let strict = Expectation { expiry: Expiry::Strict, leeway_seconds: 60, ..expectation() };
    assert_eq!(judge(&strict, "exp", Some(json!(NOW + 1))), Ok(()));
    for past in [NOW, NOW - 1, NOW - 59] {
        assert_eq!(judge(&strict, "exp", Some(json!(past))), Err(VerifyError::Expired));
    }
    assert_eq!(judge(&strict, "exp", None), Err(VerifyError::MissingClaim("exp")));
    for name in ["nbf", "iat"] {
        assert_eq!(judge(&strict, name, Some(json!(NOW + 60))), Ok(()));
        assert!(judge(&strict, name, Some(json!(NOW + 61))).is_err());
    }
}
