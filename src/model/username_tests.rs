use super::*;
use proptest::prelude::*;

fn name(text: &str) -> String {
    CanonicalUsername::parse(text).map_or_else(|error| format!("refused: {error:?}"), |name| name.to_string())
}

fn refusal(text: &str) -> UsernameError {
    CanonicalUsername::parse(text).expect_err(text)
}

fn mail(text: &str) -> String {
    CanonicalEmail::parse(text)
        .map_or_else(|error| format!("refused: {error:?}"), |address| address.to_string())
}

fn key(typed: &str) -> String {
    SignInName::parse(typed).throttle_key()
}

// RFC 8265 §3.3; threat 143
#[test]
fn usernames_that_differ_by_case_width_or_composition_are_one() {
    assert_eq!(name("ADMIN"), "admin");
    assert_eq!(name("ａｄａ"), "ada");
    assert_eq!(name("Rene\u{301}e"), name("renée"));
    assert_eq!(name("ΝΊΚΟΣ"), name("νίκος"));
    assert_eq!(name("ada.lovelace-1815"), "ada.lovelace-1815");
}

// RFC 8265 §3.3
#[test]
fn a_username_may_be_written_in_any_living_script() {
    for text in [
        "håkon",
        "şükrü",
        "адмін",
        "ελένη",
        "שָׁלוֹם",
        "שלום",
        "محمد",
        "प्रिया",
        "สมชาย",
        "山田たろう",
        "김민준",
        "ճոն",
    ] {
        let refused = CanonicalUsername::parse(text).err();
        // Pointed Hebrew is the exception: its points are optional, so two spellings would look alike.
        assert_eq!(refused.is_some(), text == "שָׁלוֹם", "{text}: {refused:?}");
    }
}

// threat 143
#[test]
fn a_username_of_two_scripts_is_refused() {
    for text in ["\u{430}dmin", "admin\u{43e}", "раypal", "αdmin", "aд1", "ада山", "カ김"] {
        assert_eq!(refusal(text), UsernameError::MixedScripts, "{text}");
    }
}

// threat 143
#[test]
fn a_username_of_one_script_that_reads_as_ascii_is_refused() {
    for text in ["асе", "рауѕе", "ѕсоре.1", "οικ", "admın", "ոսօ", "АСЕ", "о", "0о0"]
    {
        assert_eq!(refusal(text), UsernameError::LooksLikeAscii, "{text}");
    }
}

// threat 143
#[test]
fn a_username_holds_no_space_control_invisible_or_foreign_digit() {
    for text in [
        "ada lovelace",
        "admin\u{200d}",
        "admin\u{200b}",
        "ad\u{ad}min",
        "admin\0",
        "a\tb",
        "admin\u{202e}",
        "\u{feff}admin",
        "ada\n",
        "a\u{338}da",
        "i\u{307}da",
        "ada\u{661}",
        "०००",
        "ad\u{34f}a",
        "😀",
        "ﬁsh",
        "Ⅷ",
        "\u{378}",
        "ክ\u{135f}\u{135f}",
        "क्\u{200d}ष",
        "adminא",
    ] {
        assert_eq!(refusal(text), UsernameError::Disallowed, "{text:?}");
    }
    assert_eq!(refusal(""), UsernameError::Empty);
}

// threat 142: sign-in is by username or e-mail address, so the two may never meet
#[test]
fn a_username_holds_no_at_sign_of_any_width() {
    assert_eq!(refusal("ada@example.com"), UsernameError::AtSign);
    assert_eq!(refusal("ada＠example.com"), UsernameError::AtSign);
}

// threats 143, 158
#[test]
fn a_username_has_one_to_sixty_four_characters_after_mapping() {
    assert_eq!(name(&"a".repeat(64)).len(), 64);
    assert_eq!(name(&"е\u{308}б".repeat(32)).chars().count(), 64);
    assert_eq!(refusal(&"a".repeat(65)), UsernameError::TooLong);
    assert_eq!(refusal(&"a".repeat(1 << 20)), UsernameError::TooLong);
}

// RFC 5321 §4.1.2, RFC 5890; threat 142
#[test]
fn addresses_that_reach_one_mailbox_are_one() {
    assert_eq!(mail("Ada@Example.COM"), "ada@example.com");
    assert_eq!(mail("ada@BÜCHER.example"), "ada@xn--bcher-kva.example");
    assert_eq!(mail("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ"), "ada@example.com");
    assert_eq!(mail("\"ada\"@example.com"), "ada@example.com");
    assert_eq!(mail("\"A\\da\"@example.com"), "ada@example.com");
    assert_eq!(mail("\"a@ B\"@example.com"), "\"a@ b\"@example.com");
    assert_eq!(mail("ada+tag@example.com"), "ada+tag@example.com");
    assert_eq!(mail("josé@example.com"), mail("JOSE\u{301}@example.com"));
}

// RFC 5321 §4.1.2
#[test]
fn an_address_has_exactly_one_at_sign_outside_quotes() {
    for text in ["", "ada", "a@b@example.com", "\"a\"@b@example.com", "a@\"b\"@example.com"] {
        assert!(CanonicalEmail::parse(text).is_err(), "{text}");
    }
}

// RFC 5321 §4.1.2; threats 142, 152
#[test]
fn a_malformed_address_is_refused() {
    for text in [
        "@example.com",
        "ada@",
        " ada@example.com",
        "ada@example.com ",
        "a da@example.com",
        "ada\0@example.com",
        "ada\r\n@example.com",
        "ada@exa mple.com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@[::1]",
        "ada@example..com",
        "ada@example.com.",
        "ada@.com",
        "ada@ex%61mple.com",
        "ada@example.com/x",
        "ada@example.com:80",
        "ada@-example.com",
        "ada@exa_mple.com",
        "\"\"@example.com",
        "\"ada@example.com",
        "ad\"a@example.com",
        "\"a\"b\"@example.com",
        "\"a\\\"@example.com",
        "ada\u{200d}@example.com",
        "ada@xn--a",
    ] {
        assert!(CanonicalEmail::parse(text).is_err(), "{text:?}: {}", mail(text));
    }
    assert_eq!(CanonicalEmail::parse(&format!("{}@example.com", "a".repeat(243))), Err(EmailError::TooLong));
    assert!(CanonicalEmail::parse(&format!("{}@example.com", "a".repeat(242))).is_ok());
}

// threat 142
#[test]
fn variants_of_a_name_share_one_throttle_key() {
    for variant in [
        "ADA",
        "ada ",
        "\t ada\n",
        "ａｄａ",
        "a\u{200b}da",
        "ada\u{200d}",
        "ad\u{ad}a",
        "a d a",
        "ada\0",
        "\u{feff}Ada",
    ] {
        assert_eq!(key(variant), key("ada"), "{variant:?}");
    }
    for variant in [
        "ADA@EXAMPLE.COM",
        " ada@example.com",
        "ada＠example．com",
        "\"ada\"@example.com",
        "a\u{200b}da@example.com",
    ] {
        assert_eq!(key(variant), key("ada@example.com"), "{variant:?}");
    }
    assert_ne!(key("ada"), key("ada@example.com"));
    assert_ne!(key("ada"), key("bob"));
}

// threat 139
#[test]
fn what_is_malformed_signs_nobody_in_and_still_has_a_key() {
    for typed in ["", " ", "\0", "@", "a b", "\u{430}dmin", "admin\u{200d}", "a@b@c", "асе"] {
        assert!(matches!(SignInName::parse(typed), SignInName::Nobody(_)), "{typed:?}");
        assert!(!key(typed).is_empty());
    }
    assert_eq!(key("a b c@"), key("A  B C @"));
}

// threat 158
#[test]
fn a_name_beyond_a_kibibyte_signs_nobody_in_under_a_short_key() {
    for typed in
        ["a".repeat(1 << 20), format!("ada{}x", " ".repeat(2000)), "é".repeat(1000), "ﷺ".repeat(1000)]
    {
        assert!(matches!(SignInName::parse(&typed), SignInName::Nobody(_)));
        assert!(key(&typed).len() < 16 * 1024);
    }
}

proptest! {
    // RFC 8264 §7; fuzz target 20
    #[test]
    fn a_canonical_username_is_its_own_canonical_form(text in "\\PC{0,24}|[a-zA-Zа-яА-Яα-ωΑ-Ωà-žǄ-ɏ\u{300}-\u{345}]{1,12}") {
        if let Ok(name) = CanonicalUsername::parse(&text) {
            prop_assert_eq!(CanonicalUsername::parse(name.as_str()), Ok(name.clone()));
            prop_assert!(!name.as_str().contains('@') && !name.as_str().chars().any(|c| c.is_whitespace() || c.is_control()));
        }
    }

    #[test]
    fn a_canonical_address_is_its_own_canonical_form(text in "\\PC{0,8}@\\PC{1,12}|[a-zA-Z\"\\\\. @]{1,8}@[a-zA-ZàéüßÀ.-]{1,12}") {
        if let Ok(address) = CanonicalEmail::parse(&text) {
            prop_assert_eq!(CanonicalEmail::parse(address.as_str()), Ok(address));
        }
    }

    // threats 139, 142
    #[test]
    fn every_text_has_a_key_that_case_and_spaces_around_do_not_change(text in "\\PC{0,40}|[ -~]{0,20}") {
        prop_assert_eq!(key(&text), key(&format!(" {text}\t")));
        if text.is_ascii() {
            prop_assert_eq!(key(&text), key(&text.to_ascii_uppercase()));
        }
    }
}
