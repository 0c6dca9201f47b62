use super::*;
use axum::http::HeaderValue;
use futures_util::stream;
use serde_json::Value;

const FORM: &str = "application/x-www-form-urlencoded";

fn of_type(content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a value"));
    headers
}

async fn read_text(content_type: &str, body: impl Into<Body>) -> Result<Parameters, FormError> {
    read_form(&of_type(content_type), body.into()).await
}

fn in_pieces(pieces: Vec<Result<Vec<u8>, axum::BoxError>>) -> Body {
    Body::from_stream(stream::iter(pieces))
}

// threat 156, RFC 6749 Appendix B
#[tokio::test]
async fn a_body_is_a_form_in_utf_8_or_refused() {
    for lawful in [
        FORM,
        "Application/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        "application/x-www-form-urlencoded ; charset=\"utf-8\"",
        "application/x-www-form-urlencoded;",
    ] {
        let form = read_text(lawful, "a=1").await.expect(lawful);
        assert_eq!(form.get("a"), Some("1"), "{lawful}");
    }
    for foreign in [
        "",
        "application/json",
        "application/x-www-form-urlencodedx",
        "application/x-www-form-urlencoded, application/json",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
        "application/x-www-form-urlencoded; charset=",
        "application/x-www-form-urlencoded; charset=utf-8; charset=utf-16",
        "application/x-www-form-urlencoded; boundary=x",
        "multipart/form-data; boundary=application/x-www-form-urlencoded",
        "text/plain",
        "x/application/x-www-form-urlencoded",
    ] {
        assert_eq!(read_text(foreign, "a=1").await, Err(FormError::NotAForm), "{foreign}");
    }
    assert_eq!(read_form(&HeaderMap::new(), Body::from("a=1")).await, Err(FormError::NotAForm));
    let mut twice = of_type(FORM);
    twice.append(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
    assert_eq!(read_form(&twice, Body::from("a=1")).await, Err(FormError::NotAForm));
}

// threats 9, 156, 157
#[tokio::test]
async fn a_form_that_is_no_list_of_parameters_is_refused() {
    for (body, wrong) in [
        ("a=1&a=2", ParameterError::Repeated("a".to_owned())),
        ("a=%00", ParameterError::Nul),
        ("a=%ff", ParameterError::Malformed),
        ("a=%", ParameterError::Malformed),
    ] {
        let error = read_text(FORM, body).await.expect_err(body);
        assert_eq!((error.status(), &error), (StatusCode::BAD_REQUEST, &FormError::Parameters(wrong)));
    }
    let semicolons = read_text(FORM, "a=1;b=2").await.expect("one parameter");
    assert_eq!((semicolons.get("a"), semicolons.get("b")), (Some("1;b=2"), None));
}

// threat 158, RFC 9110 §15.5.14
#[tokio::test]
async fn a_body_of_more_than_64_kib_is_refused_whether_it_says_so_or_not() {
    let value = |length: usize| format!("a={}", "x".repeat(length - 2));
    assert!(read_text(FORM, value(MAXIMUM_BODY)).await.is_ok());
    assert_eq!(read_text(FORM, value(MAXIMUM_BODY + 1)).await, Err(FormError::TooLarge));
    let endless = Body::from_stream(stream::repeat_with(|| Ok::<_, axum::BoxError>(vec![b'x'; 1024])));
    assert_eq!(read_text(FORM, endless).await, Err(FormError::TooLarge));
    assert_eq!(FormError::TooLarge.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

// threat 159, RFC 9110 §15.5.9
#[tokio::test]
async fn a_body_that_comes_too_late_is_told_from_one_that_does_not_come() {
    let late = in_pieces(vec![Ok(b"a=".to_vec()), Err(BodyTimedOut.into())]);
    assert_eq!(read_text(FORM, late).await, Err(FormError::TimedOut));
    let broken = in_pieces(vec![Ok(b"a=".to_vec()), Err("the connection was reset".into())]);
    assert_eq!(read_text(FORM, broken).await, Err(FormError::Incomplete));
    assert_eq!(FormError::TimedOut.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(FormError::Incomplete.status(), StatusCode::BAD_REQUEST);
}

// OpenID Connect Core §5.3.1
#[tokio::test]
async fn where_a_form_may_be_absent_anything_else_still_is_not_one() {
    let empty = read_form_if_any(&HeaderMap::new(), Body::empty()).await;
    assert_eq!(empty, Ok(Parameters::default()));
    let nothing_of_a_type = read_form_if_any(&of_type("application/json"), Body::empty()).await;
    assert_eq!(nothing_of_a_type, Ok(Parameters::default()));
    let form = read_form_if_any(&of_type(FORM), Body::from("access_token=a")).await;
    assert_eq!(form.expect("a form").get("access_token"), Some("a"));
    for headers in [HeaderMap::new(), of_type("application/json"), of_type("text/plain")] {
        let refused = read_form_if_any(&headers, Body::from("access_token=a")).await;
        assert_eq!(refused, Err(FormError::NotAForm), "{headers:?}");
    }
}

// threat 158, RFC 9110 §15.5.15
#[test]
fn a_url_of_more_than_16_kib_is_refused() {
    let of_length = |length: usize| -> Uri {
        format!("/authorize?{}", "x".repeat(length - "/authorize?".len())).parse().expect("a URL")
    };
    assert_eq!(admit_url(&of_length(MAXIMUM_URL)), Ok(()));
    assert_eq!(admit_url(&of_length(MAXIMUM_URL + 1)), Err(FormError::UrlTooLong));
    assert_eq!(FormError::UrlTooLong.status(), StatusCode::URI_TOO_LONG);
    let page = refusal_page(&FormError::UrlTooLong, "R1", Layout::new("Example"));
    assert_eq!(page.status(), StatusCode::URI_TOO_LONG);
    assert!(page.extensions().get::<PagePolicy>().is_some());
}

// threats 156, 169, RFC 6749 §5.2
#[tokio::test]
async fn a_refusal_is_an_oauth_error_in_the_characters_that_are_allowed() {
    for error in [
        FormError::UrlTooLong,
        FormError::NotAForm,
        FormError::TooLarge,
        FormError::TimedOut,
        FormError::Incomplete,
        FormError::Parameters(ParameterError::Repeated("a\"\\é".to_owned())),
        FormError::Parameters(ParameterError::Malformed),
    ] {
        let response = error.clone().into_response();
        assert_eq!(response.status(), error.status());
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        let body: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(body["error"], "invalid_request");
        let description = body["error_description"].as_str().expect("text");
        assert!(!description.is_empty());
        assert!(description.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)));
    }
}

// threat 166
#[tokio::test]
async fn head_is_refused_with_what_is_allowed_instead() {
    let response = refuse_head().await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[header::ALLOW], "GET, POST");
}
