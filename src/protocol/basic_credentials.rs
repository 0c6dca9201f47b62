//! Client credentials in the Authorization header (RFC 6749 §2.3.1, RFC 7617 §2), decoded strictly: identifier and secret
//! are form-encoded first, so a raw `+` or `%` that is no escape is refused (threat 55).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// Why a header is not Basic credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Authorization header does not hold Basic credentials in the encoding of RFC 6749 §2.3.1")]
pub struct BasicCredentialsError;

/// Decodes the value of an Authorization header; `None` when its scheme is not Basic.
pub fn parse(header: &str) -> Option<Result<(String, String), BasicCredentialsError>> {
    let (scheme, encoded) = header.split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("basic").then(|| decode(encoded).ok_or(BasicCredentialsError))
}

fn decode(encoded: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decode(id)?, form_decode(secret)?))
}

fn form_decode(encoded: &str) -> Option<String> {
    let visible = |byte: u8| (0x21..=0x7e).contains(&byte) && byte != b':';
    if !encoded.bytes().all(visible) {
        return None;
    }
    let mut rest = encoded;
    while let Some(at) = rest.find('%') {
        let digits = rest.as_bytes().get(at + 1..at + 3)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = rest.get(at + 3..)?;
    }
    let spaced = encoded.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_form_decoded_strictly() {
        // threat 55
        let header = |text: &[u8]| format!("Basic {}", STANDARD.encode(text));
        let read = |header: String| parse(&header);
        assert_eq!(read(header(b"a%3Ab:s%3A%25%2B+%C3%A9")), Some(Ok(("a:b".into(), "s:%+ é".into()))));
        assert_eq!(read("bAsIc YTpi".into()), Some(Ok(("a".into(), "b".into()))));
        for wrong in [
            header(b"no-colon"),
            header(b"a:b:c"),
            header(b"a:%"),
            header(b"a:%4"),
            header(b"a:%zz"),
            header(b"a:\xc3\xa9"),
            header(b"a:\xff"),
            header(b"a:%ff"),
            header(b"a:b c"),
            header(b"a:%00"),
            "Basic YTpi ".into(),
            "Basic  YTpi".into(),
            "Basic YT pi".into(),
            "Basic YTpi=".into(),
            "Basic".into(),
            "Basic ".into(),
            "Basic !!!!".into(),
            "basic\tYTpi".into(),
        ] {
            assert!(matches!(read(wrong.clone()), Some(Err(_)) | None), "{wrong}");
        }
        assert_eq!(parse("Bearer YTpi"), None);
    }
}
