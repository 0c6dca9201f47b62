use super::*;
use proptest::prelude::*;
use serde_json::json;

fn set(name: &str, value: Value) -> Result<(), ClaimError> {
    PersonClaims::default().set(name, value)
}

fn accepts(name: &str, values: &[Value]) {
    for value in values {
        assert_eq!(set(name, value.clone()), Ok(()), "{name} = {value}");
    }
}

fn refuses(name: &str, values: &[Value]) {
    for value in values {
        assert!(matches!(set(name, value.clone()), Err(ClaimError::Value { .. })), "{name} = {value}");
    }
}

// threat 75
#[test]
fn a_reserved_claim_cannot_be_set_in_any_case_or_way() {
    for name in RESERVED {
        for name in [(*name).to_owned(), name.to_ascii_uppercase()] {
            assert_eq!(set(&name, json!("x")), Err(ClaimError::Reserved(name.clone())));
            assert_eq!(parse_assignment(&format!("{name}=x")), Err(ClaimError::Reserved(name.clone())));
            let object = Map::from_iter([(name.clone(), json!("x"))]);
            assert_eq!(PersonClaims::from_object(object), Err(vec![ClaimError::Reserved(name)]));
        }
    }
}

// threat 75
#[test]
fn the_reserved_list_holds_what_tokens_say_of_themselves() {
    for name in "iss sub aud exp nbf iat jti azp nonce auth_time acr amr at_hash c_hash s_hash sid cnf client_id scope act may_act events txn \
                 token_type active grant"
        .split_whitespace()
    {
        assert!(RESERVED.contains(&name), "{name}");
    }
}

// OpenID Connect Core §5.1
#[test]
fn updated_at_is_kept_by_the_server() {
    assert_eq!(set("updated_at", json!(1)), Err(ClaimError::Computed("updated_at".into())));
    assert!(standard_claims_of("profile").is_some_and(|claims| claims.contains(&"updated_at")));
}

// threats 75, 195
#[test]
fn a_claim_name_is_visible_ascii_and_no_case_variant_of_a_standard_one() {
    for name in ["", "a b", "a\0", "a\n", "naïve", "ſub", "a\"b", "a\\b", "a=b", &"a".repeat(129)] {
        assert!(matches!(set(name, json!("x")), Err(ClaimError::Name(_))), "{name:?}");
    }
    assert!(matches!(
        set("Email_Verified", json!(true)),
        Err(ClaimError::Case { standard: "email_verified", .. })
    ));
    assert!(matches!(set("Groups", json!(["root"])), Err(ClaimError::Case { standard: "groups", .. })));
    accepts("https://example.com/role", &[json!("x"), json!(1), json!(false), json!({"a": [1]}), json!([])]);
}

// OpenID Connect Core §5.1
#[test]
fn a_string_claim_is_a_line_of_text() {
    for name in
        ["name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "gender"]
    {
        accepts(name, &[json!("Ada"), json!("Ñandú 山田")]);
        refuses(
            name,
            &[
                json!(""),
                json!(" "),
                json!("null"),
                json!(null),
                json!(1),
                json!(true),
                json!(["Ada"]),
                json!({"a": "b"}),
            ],
        );
        refuses(name, &[json!("a\0"), json!("a\nb"), json!("a\u{1b}[2J"), json!("a".repeat(2049))]);
    }
}

// OpenID Connect Core §5.1
#[test]
fn verified_is_a_boolean_and_nothing_like_one() {
    for name in ["email_verified", "phone_number_verified"] {
        accepts(name, &[json!(true), json!(false)]);
        refuses(name, &[json!("true"), json!(1), json!(0), json!(null), json!([true]), json!("")]);
    }
}

// OpenID Connect Core §5.1
#[test]
fn a_birthdate_is_a_date_a_year_or_a_day_without_year() {
    let dates = ["1815-12-10", "1815", "0000-12-10", "0000-02-29", "2024-02-29", "2000-02-29"];
    accepts("birthdate", &dates.map(Value::from));
    let nonsense = [
        "1815-13-10",
        "1815-00-10",
        "1815-12-32",
        "2023-02-29",
        "1900-02-29",
        "1815-12",
        "1815-12-10T00:00",
        "0000",
    ];
    refuses("birthdate", &nonsense.map(Value::from));
    refuses(
        "birthdate",
        &["15-12-10", "1815-1-1", "+815", "1815-12-10-1", "10.12.1815", "١٨١٥", "-1815"].map(Value::from),
    );
    refuses("birthdate", &[json!(1815)]);
}

// OpenID Connect Core §5.1.1
#[test]
fn an_address_is_an_object_of_its_six_strings() {
    accepts(
        "address",
        &[
            json!({"country": "GB"}),
            json!({"formatted": "12 St James's Square\nLondon", "postal_code": "SW1Y 4JH"}),
        ],
    );
    refuses(
        "address",
        &[
            json!("London"),
            json!({}),
            json!([]),
            json!({"country": 44}),
            json!({"country": ""}),
            json!({"planet": "Earth"}),
        ],
    );
    refuses(
        "address",
        &[
            json!({"country": null}),
            json!({"country": {"code": "GB"}}),
            json!({"Country": "GB"}),
            json!(null),
        ],
    );
}

// OpenID Connect Core §5.1; threat 152
#[test]
fn a_web_page_of_a_person_is_an_http_url() {
    for name in ["profile", "picture", "website"] {
        accepts(name, &[json!("https://example.com/ada"), json!("http://example.com")]);
        refuses(
            name,
            &["javascript:alert(1)", "data:text/html,x", "/ada", "ada", "", "file:///etc/passwd", "https://"]
                .map(Value::from),
        );
    }
}

// OpenID Connect Core §5.1
#[test]
fn zone_locale_phone_and_email_have_their_forms() {
    accepts(
        "zoneinfo",
        &["Europe/Paris", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+1"].map(Value::from),
    );
    refuses(
        "zoneinfo",
        &["", "/Paris", "Europe/", "../../etc/passwd", "Europe Paris", "+01:00"].map(Value::from),
    );
    accepts("locale", &["en", "en-GB", "en_US", "zh-Hant-TW", "de-1996"].map(Value::from));
    refuses("locale", &["", "e", "en-", "en GB", "-en", "12", "en-ninechars"].map(Value::from));
    accepts("phone_number", &["+44 20 7946 0018", "+1 (604) 555-1234;ext=5678", "112"].map(Value::from));
    refuses(
        "phone_number",
        &["", "+", "call me", "+44;ext=", "+44 20 7946 0018;ext=x", "1+2345", "tel:+44"].map(Value::from),
    );
    accepts("email", &["ada@example.com", "Ada@Example.com"].map(Value::from));
    refuses(
        "email",
        &["", "ada", "ada@", "a@b@c", " ada@example.com", "Ada <ada@example.com>"].map(Value::from),
    );
}

// RFC 9068 §2.2.3.1
#[test]
fn groups_are_an_array_of_names() {
    accepts("groups", &[json!([]), json!(["staff", "admins"])]);
    refuses(
        "groups",
        &[
            json!("staff"),
            json!([1]),
            json!([""]),
            json!(["a", null]),
            json!({"a": 1}),
            json!([["staff"]]),
            json!(["null"]),
        ],
    );
}

// threats 158, 195
#[test]
fn a_claim_is_bounded_in_size_and_depth_and_holds_no_nul() {
    let deep = (0..9).fold(json!(1), |inner, _| json!([inner]));
    refuses(
        "custom",
        &[
            deep,
            json!("x".repeat(17_000)),
            json!("a\0"),
            json!({"a\0": 1}),
            json!(null),
            json!([{"a": ["\0"]}]),
        ],
    );
    accepts("custom", &[(0..7).fold(json!(1), |inner, _| json!([inner]))]);
}

#[test]
fn a_refused_claim_changes_nothing_and_its_value_is_not_told() {
    let mut claims = PersonClaims::default();
    claims.set("birthdate", json!("1815-12-10")).expect("fits");
    let error = claims.set("birthdate", json!("hunter2")).expect_err("is no date");
    assert!(!error.to_string().contains("hunter2"));
    assert_eq!(claims.get("birthdate"), Some(&json!("1815-12-10")));
    assert_eq!(claims.unset("birthdate"), Some(json!("1815-12-10")));
    assert_eq!(claims.get("birthdate"), None);
}

#[test]
fn an_import_reports_every_bad_claim_at_once() {
    let object = json!({"sub": "x", "birthdate": "soon", "name": "Ada", "email_verified": "yes"});
    let Value::Object(object) = object else { unreachable!() };
    assert_eq!(PersonClaims::from_object(object).expect_err("three are bad").len(), 3);
}

// product.md, `user add --claim`
#[test]
fn an_assignment_is_json_where_the_claim_is_and_text_elsewhere() {
    let parsed = |text: &str| parse_assignment(text).map(|(_, value)| value);
    assert_eq!(parsed("given_name=Ada"), Ok(json!("Ada")));
    assert_eq!(parsed("given_name=true"), Ok(json!("true")));
    assert_eq!(parsed("birthdate=1815"), Ok(json!("1815")));
    assert_eq!(parsed("phone_number=+442079460018"), Ok(json!("+442079460018")));
    assert_eq!(parsed("phone_number=112"), Ok(json!("112")));
    assert_eq!(parsed(r#"address={"country":"GB"}"#), Ok(json!({"country": "GB"})));
    assert_eq!(parsed(r#"groups=["staff"]"#), Ok(json!(["staff"])));
    assert_eq!(parsed("email_verified=true"), Ok(json!(true)));
    assert_eq!(parsed("website=https://example.com/?a=b"), Ok(json!("https://example.com/?a=b")));
    assert_eq!(parsed("level=3"), Ok(json!(3)));
    assert_eq!(parsed("active_member=false"), Ok(json!(false)));
    assert_eq!(parsed("department=R&D {core}"), Ok(json!("R&D {core}")));
    for identifier in ["0042", "1e9", "123456789012345678901234567890", "+5", "null", ""] {
        assert_eq!(parsed(&format!("badge={identifier}")), Ok(json!(identifier)));
    }
    assert_eq!(parsed("given_name"), Err(ClaimError::Assignment));
    assert!(matches!(parsed("=x"), Err(ClaimError::Name(_))));
    assert!(matches!(parsed("updated_at=1"), Err(ClaimError::Computed(_))));
}

// OpenID Connect Core §5.4
#[test]
fn each_built_in_scope_stands_for_its_claims_and_no_other_does() {
    assert_eq!(standard_claims_of("profile").map(<[_]>::len), Some(14));
    assert_eq!(standard_claims_of("email"), Some(&["email", "email_verified"][..]));
    assert_eq!(standard_claims_of("address"), Some(&["address"][..]));
    assert_eq!(standard_claims_of("phone"), Some(&["phone_number", "phone_number_verified"][..]));
    for scope in ["openid", "offline_access", "groups", "Profile", "", "photos.read"] {
        assert_eq!(standard_claims_of(scope), None);
    }
}

// OpenID Connect Core §5.3.2
#[test]
fn what_is_absent_or_empty_is_left_out() {
    let mut claims = PersonClaims::default();
    claims.set("name", json!("Ada")).expect("fits");
    claims.set("nothing", json!("")).expect("fits");
    claims.set("list", json!([])).expect("fits");
    claims.set("nested", json!({"a": {"b": ""}, "c": null})).expect("fits");
    claims.set("kept", json!({"a": "", "b": false})).expect("fits");
    let selected = claims.select(["name", "nothing", "list", "nested", "kept", "absent"]);
    assert_eq!(Value::Object(selected), json!({"name": "Ada", "kept": {"b": false}}));
    assert!(claims.select([]).is_empty());
}

proptest! {
    // invariant 41
    #[test]
    fn no_assignment_panics_and_none_sets_what_is_reserved(text in "[a-z_]{1,9}=\\PC{0,20}|\\PC{0,20}") {
        if let Ok((name, value)) = parse_assignment(&text) {
            let mut claims = PersonClaims::default();
            let _ = claims.set(&name, value);
            prop_assert!(claims.as_object().keys().all(|name| !RESERVED.contains(&name.as_str())));
            prop_assert_eq!(PersonClaims::from_object(claims.as_object().clone()), Ok(claims));
        }
    }
}
