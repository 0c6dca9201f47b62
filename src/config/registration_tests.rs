use super::super::testing::{Folder, MAIN};
use crate::config::difference::difference;
use crate::model::client::{AssertionAudience, PkcePolicy};
use crate::protocol::grant_type::GrantType;

const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn under(section: &str) -> Folder {
    let folder = Folder::valid();
    folder.file("portreeve.toml", &format!("{MAIN}\n[registration]\n{section}\n"));
    folder
}

#[test]
fn nobody_registers_unless_the_section_is_there() {
    assert_eq!(Folder::valid().load().expect("valid").config.registration, None);
}

#[test]
fn the_section_alone_turns_it_on_with_the_usual_policy() {
    let registration = under("").load().expect("valid").config.registration.expect("on");
    assert!(registration.is_open());
    assert_eq!(registration.pkce, PkcePolicy::Required);
    assert_eq!(registration.assertion_audience, AssertionAudience::Issuer);
    assert_eq!(registration.scope.to_string(), "openid profile email offline_access");
    assert_eq!(registration.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
}

#[test]
fn every_setting_is_read_and_a_token_is_never_shown() {
    let folder = under(&format!(
        "initial_access_tokens = [{{ sha256 = \"{HASH}\" }}]\nrequire_pkce = false\n\
         client_assertion_audience = \"token_endpoint\"\nscope = \"openid photos.read\"\n\
         grant_types = [\"authorization_code\"]"
    ));
    let loaded = folder.load().unwrap_or_else(|problems| panic!("{problems:?}"));
    let registration = loaded.config.registration.clone().expect("on");
    assert!(!registration.is_open());
    assert_eq!(registration.initial_access_tokens[0].0[..2], [0x00, 0x11]);
    assert_eq!(registration.pkce, PkcePolicy::Excused);
    assert_eq!(registration.assertion_audience, AssertionAudience::TokenEndpoint);
    assert_eq!(registration.scope.to_string(), "openid photos.read");
    assert!(!format!("{registration:?}").contains("17, 34"), "threat 179");
    let changes = difference(&Folder::valid().load().expect("valid").config, &loaded.config);
    let told: String = changes
        .iter()
        .filter(|one| one.path.starts_with("registration"))
        .map(|one| format!("{one}\n"))
        .collect();
    assert!(told.contains("registration.initial_access_tokens: changed") && !told.contains("0011"), "{told}");
    assert!(told.contains("registration.require_pkce: false added"), "{told}");
}

#[test]
fn what_makes_no_sense_is_refused_at_its_place() {
    let folder = under(
        "initial_access_tokens = [\"word\", { sha256 = \"00\" }, { argon2 = \"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$OqAvBBbHHR29D3g1vSN4tQ\" }]\n\
         require_pkce = \"yes\"\nclient_assertion_audience = \"both\"\nscope = \"openid undeclared.one\"\n\
         grant_types = [\"password\"]\nopen = true",
    );
    let problems = folder.problems();
    let told: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.key.as_str(), problem.rule)).collect();
    assert_eq!(
        told,
        [
            ("registration.initial_access_tokens[0]", "clear-text-secret"),
            ("registration.initial_access_tokens[1].sha256", "invalid-hash"),
            ("registration.initial_access_tokens[2]", "invalid-value"),
            ("registration.require_pkce", "wrong-type"),
            ("registration.client_assertion_audience", "invalid-value"),
            ("registration.scope", "undeclared-scope"),
            ("registration.grant_types[0]", "invalid-value"),
            ("registration.open", "unknown-key"),
        ],
        "{problems:#?}"
    );
}

// threat 114
#[test]
fn open_registration_and_registration_without_pkce_are_warned_of() {
    let advice = under("require_pkce = false").advice();
    assert!(
        advice.contains(&"open-registration") && advice.contains(&"registration-without-pkce"),
        "{advice:?}"
    );
    let guarded = under(&format!("initial_access_tokens = [{{ sha256 = \"{HASH}\" }}]")).advice();
    assert!(!guarded.contains(&"open-registration"), "{guarded:?}");
}

#[test]
fn a_client_of_the_files_knows_what_to_say_when_one_of_its_name_registered_itself() {
    let loaded = under("").load().expect("valid");
    let id = loaded.config.clients[0].id.clone();
    let clash = loaded.clash(&id).expect("a word about it");
    assert_eq!(
        (clash.rule, clash.file.to_str()),
        ("registered-client-shadowed", Some("clients/clients.toml"))
    );
    assert!(clash.line > 0 && !clash.is_error());
}
