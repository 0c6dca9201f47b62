//! The README's table of standards: every test that it names is there, and it names everything that the metadata advertises
//! (threat 170).

use crate::support::sources;
use portreeve::pages::Language;
use portreeve::protocol::client_authentication_method::ClientAuthenticationMethod;
use portreeve::protocol::client_metadata::SubjectType;
use portreeve::protocol::display::Display;
use portreeve::protocol::grant_type::GrantType;
use portreeve::protocol::prompt::Prompt;
use portreeve::protocol::response_mode::ResponseMode;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use std::collections::BTreeSet;

fn table() -> &'static str {
    let readme = include_str!("../README.md");
    let after = readme.split_once("## Standards").expect("the section").1;
    after.split_once("Not in yet").expect("its end").0
}

#[test]
fn every_standard_is_shown_by_a_test_that_is_there() {
    let sources = sources::of_all_tests();
    let rows: Vec<&str> = table().lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 15, "{rows:?}");
    for row in rows {
        let test = row.trim_end_matches(" |").rsplit('|').next().expect("a column").trim().trim_matches('`');
        assert!(sources.contains(&format!("fn {test}(")), "{row}: there is no test {test}");
    }
}

/// The row whose first column begins so, and the words that it sets in code.
fn words_of(standard: &str) -> BTreeSet<&'static str> {
    let row = table().lines().find(|line| line.starts_with(&format!("| {standard}")));
    let column = row.unwrap_or_else(|| panic!("no row {standard}")).split('|').nth(2).expect("what of it");
    column.split('`').skip(1).step_by(2).collect()
}

/// Nothing advertised is missing, and nothing is claimed that is not advertised.
#[test]
fn each_row_says_what_the_metadata_s_list_says() {
    let rows: [(&str, Vec<&str>, &[&str]); 9] = [
        ("OAuth 2.0 (RFC 6749)", GrantType::ALL.map(GrantType::as_str).to_vec(), &["code"]),
        (
            "client authentication (RFC 6749",
            ClientAuthenticationMethod::ALL
                .map(ClientAuthenticationMethod::as_str)
                .into_iter()
                .filter(|method| *method != "private_key_jwt")
                .collect(),
            &[],
        ),
        (
            "assertions of clients",
            VerificationAlgorithm::ALL.map(VerificationAlgorithm::as_str).to_vec(),
            &["private_key_jwt", "jwks", "jwks_uri"],
        ),
        ("PKCE", vec![], &["S256"]),
        ("JWT access tokens", SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).to_vec(), &[]),
        ("OpenID Connect Core |", Prompt::ALL.map(Prompt::as_str).to_vec(), &["prompt", "claims"]),
        ("subjects", SubjectType::ALL.map(SubjectType::as_str).to_vec(), &[]),
        (
            "pages for people",
            [Display::ALL.map(Display::as_str).to_vec(), Language::ALL.map(Language::tag).to_vec()].concat(),
            &["display", "ui_locales"],
        ),
        ("Form Post", ResponseMode::ALL.map(ResponseMode::as_str).to_vec(), &[]),
    ];
    for (standard, advertised, names) in rows {
        let expected: BTreeSet<&str> = advertised.iter().chain(names).copied().collect();
        assert_eq!(words_of(standard), expected, "{standard}");
    }
}
