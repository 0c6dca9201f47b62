//! The README's table of standards: every test that it names is there, and it names everything that the metadata advertises
//! (threat 170).

use crate::support::sources;
use portreeve::protocol::client_authentication_method::ClientAuthenticationMethod;
use portreeve::protocol::client_metadata::SubjectType;
use portreeve::protocol::grant_type::GrantType;
use portreeve::protocol::prompt::Prompt;
use portreeve::protocol::response_mode::ResponseMode;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;

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

#[test]
fn what_is_advertised_stands_in_the_table() {
    let lists: [Vec<&str>; 7] = [
        GrantType::ALL.map(GrantType::as_str).to_vec(),
        ClientAuthenticationMethod::ALL.map(ClientAuthenticationMethod::as_str).to_vec(),
        ResponseMode::ALL.map(ResponseMode::as_str).to_vec(),
        Prompt::ALL.map(Prompt::as_str).to_vec(),
        SubjectType::ALL.map(SubjectType::as_str).to_vec(),
        SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).to_vec(),
        VerificationAlgorithm::ALL.map(VerificationAlgorithm::as_str).to_vec(),
    ];
    for name in lists.concat() {
        assert!(table().contains(name), "{name} is advertised and stands in no row");
    }
}
