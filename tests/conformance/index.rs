//! Every module of the plans, and the test with its outcome.

use crate::support::sources;
use std::collections::BTreeSet;

/// What shows a module's outcome.
enum Shown {
    /// The test of this name.
    By(&'static str),
    /// Nothing, and why.
    Not(&'static str),
}
use Shown::{By, Not};

/// Basic (and Form Post, which walks the same modules by its own response mode).
const BASIC: [(&str, Shown); 39] = [
    ("oidcc-server", By("the_happy_flow_and_userinfo_by_every_lawful_method")),
    ("oidcc-response-type-missing", By("what_is_refused_is_refused_where_and_how_the_plans_want_it")),
    ("oidcc-idtoken-signature", By("the_happy_flow_and_userinfo_by_every_lawful_method")),
    ("oidcc-idtoken-unsigned", By("what_is_refused_is_refused_where_and_how_the_plans_want_it")),
    ("oidcc-userinfo-get", By("the_happy_flow_and_userinfo_by_every_lawful_method")),
    ("oidcc-userinfo-post-header", By("the_happy_flow_and_userinfo_by_every_lawful_method")),
    ("oidcc-userinfo-post-body", By("the_happy_flow_and_userinfo_by_every_lawful_method")),
    (
        "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
        By("wishes_and_unknown_parameters_never_fail_a_request"),
    ),
    ("oidcc-scope-profile", By("every_claim_of_a_scope_is_there_and_none_is_in_the_id_token")),
    ("oidcc-scope-email", By("every_claim_of_a_scope_is_there_and_none_is_in_the_id_token")),
    ("oidcc-scope-address", By("every_claim_of_a_scope_is_there_and_none_is_in_the_id_token")),
    ("oidcc-scope-phone", By("every_claim_of_a_scope_is_there_and_none_is_in_the_id_token")),
    ("oidcc-scope-all", By("every_claim_of_a_scope_is_there_and_none_is_in_the_id_token")),
    ("oidcc-alternate-happy-flow", By("the_happy_flow_and_userinfo_by_every_lawful_method")),
    ("oidcc-display-page", By("wishes_and_unknown_parameters_never_fail_a_request")),
    ("oidcc-display-popup", By("wishes_and_unknown_parameters_never_fail_a_request")),
    ("oidcc-prompt-login", By("a_fresh_sign_in_is_asked_for_and_told")),
    ("oidcc-prompt-none-not-logged-in", By("a_silent_visit_succeeds_when_it_can_and_tells_why_when_not")),
    ("oidcc-prompt-none-logged-in", By("a_silent_visit_succeeds_when_it_can_and_tells_why_when_not")),
    ("oidcc-max-age-1", By("a_fresh_sign_in_is_asked_for_and_told")),
    ("oidcc-max-age-10000", By("a_sign_in_that_is_recent_enough_is_not_asked_for_again")),
    (
        "oidcc-ensure-request-with-unknown-parameter-succeeds",
        By("wishes_and_unknown_parameters_never_fail_a_request"),
    ),
    ("oidcc-id-token-hint", By("a_silent_visit_succeeds_when_it_can_and_tells_why_when_not")),
    ("oidcc-login-hint", By("wishes_and_unknown_parameters_never_fail_a_request")),
    ("oidcc-ui-locales", By("wishes_and_unknown_parameters_never_fail_a_request")),
    ("oidcc-claims-locales", By("wishes_and_unknown_parameters_never_fail_a_request")),
    (
        "oidcc-ensure-request-with-acr-values-succeeds",
        By("wishes_and_unknown_parameters_never_fail_a_request"),
    ),
    ("oidcc-codereuse", By("a_code_that_comes_again_is_invalid_and_after_a_while_ends_its_tokens")),
    ("oidcc-codereuse-30seconds", By("a_code_that_comes_again_is_invalid_and_after_a_while_ends_its_tokens")),
    (
        "oidcc-ensure-registered-redirect-uri",
        By("what_is_refused_is_refused_where_and_how_the_plans_want_it"),
    ),
    ("oidcc-ensure-post-request-succeeds", By("the_request_may_be_posted_and_so_may_the_secret")),
    ("oidcc-server-client-secret-post", By("the_request_may_be_posted_and_so_may_the_secret")),
    (
        "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
        By("what_is_refused_is_refused_where_and_how_the_plans_want_it"),
    ),
    (
        "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
        By("what_is_refused_is_refused_where_and_how_the_plans_want_it"),
    ),
    ("oidcc-claims-essential", By("every_claim_of_a_scope_is_there_and_none_is_in_the_id_token")),
    (
        "oidcc-ensure-request-object-with-redirect-uri",
        By("a_request_object_is_no_way_around_the_registered_redirect_uris"),
    ),
    ("oidcc-refresh-token", By("a_refresh_token_refreshes_for_its_own_client_only")),
    (
        "oidcc-ensure-request-with-valid-pkce-succeeds",
        By("wishes_and_unknown_parameters_never_fail_a_request"),
    ),
    ("oidcc-discovery-endpoint-verification", By("discovery_says_what_the_config_plan_wants")),
];

/// Dynamic, for the response type `code`: its registration, and what goes with it.
const DYNAMIC: [(&str, Shown); 24] = [
    ("oidcc-idtoken-rs256", By("a_client_with_keys_of_its_own_signs_its_way_through_a_flow")),
    ("oidcc-idtoken-unsigned", By("hostile_metadata_is_refused_at_registration_and_at_an_update")),
    ("oidcc-userinfo-rs256", By("userinfo_is_signed_for_a_client_that_wants_it_so")),
    (
        "oidcc-ensure-redirect-uri-in-authorization-request",
        By("redirect_uri_may_be_left_out_only_by_a_client_of_one_uri_without_openid"),
    ),
    ("oidcc-redirect-uri-query-OK", By("what_is_registered_in_the_query_stays_and_the_response_follows")),
    (
        "oidcc-redirect-uri-query-mismatch",
        By("a_redirect_uri_that_is_not_registered_byte_for_byte_gets_a_page"),
    ),
    ("oidcc-redirect-uri-query-added", By("a_redirect_uri_that_is_not_registered_byte_for_byte_gets_a_page")),
    ("oidcc-redirect-uri-regfrag", By("hostile_metadata_is_refused_at_registration_and_at_an_update")),
    (
        "oidcc-discovery-endpoint-verification",
        Not("it demands the implicit response types, which this server does not have by design"),
    ),
    ("oidcc-server", By("a_client_with_keys_of_its_own_signs_its_way_through_a_flow")),
    ("oidcc-registration-logo-uri", By("pages_show_logo_policy_and_terms_of_a_client_from_here")),
    ("oidcc-registration-policy-uri", By("pages_show_logo_policy_and_terms_of_a_client_from_here")),
    ("oidcc-registration-tos-uri", By("pages_show_logo_policy_and_terms_of_a_client_from_here")),
    ("oidcc-registration-jwks-uri", By("a_client_with_keys_at_an_address_walks_a_flow_and_changes_its_key")),
    (
        "oidcc-registration-sector-uri",
        By("the_document_lists_every_redirect_uri_at_registration_and_at_update"),
    ),
    (
        "oidcc-registration-sector-bad",
        By("the_document_lists_every_redirect_uri_at_registration_and_at_update"),
    ),
    ("oidcc-server-rotate-keys", By("a_rotation_shows_a_new_key_of_each_algorithm_beside_the_old")),
    (
        "oidcc-refresh-token-rp-key-rotation",
        By("a_client_with_keys_at_an_address_walks_a_flow_and_changes_its_key"),
    ),
    ("oidcc-request-uri-unsigned", By("what_is_refused_is_refused_where_and_how_the_plans_want_it")),
    ("oidcc-request-uri-signed-rs256", By("a_request_at_a_registered_address_is_fetched_once_and_processed")),
    (
        "oidcc-ensure-request-object-with-redirect-uri",
        By("a_request_object_is_no_way_around_the_registered_redirect_uris"),
    ),
    ("oidcc-refresh-token", By("a_refresh_token_refreshes_for_its_own_client_only")),
    (
        "oidcc-ensure-client-assertion-with-iss-aud-succeeds",
        By("a_client_that_knows_no_better_may_name_the_token_endpoint"),
    ),
    ("oidcc-idtoken-signature", By("defaults_and_echoes_are_those_of_openid_connect")),
];

/// Third-party-initiated login.
const THIRD_PARTY: [(&str, Shown); 2] = [
    ("oidcc-3rd_party-init-login", By("defaults_and_echoes_are_those_of_openid_connect")),
    ("oidcc-3rd_party-init-login-nohttps", By("defaults_and_echoes_are_those_of_openid_connect")),
];

/// RP-Initiated Logout, Back-Channel Logout and Front-Channel Logout.
const LOGOUT: [(&str, Shown); 15] = [
    ("oidcc-rp-initiated-logout-discovery-endpoint-verification", By("the_metadata_says_what_there_is")),
    ("oidcc-rp-initiated-logout", By("an_app_with_the_hint_of_this_session_signs_out_and_gets_people_back")),
    (
        "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
        By("a_redirect_uri_that_is_not_registered_byte_for_byte_leads_nowhere"),
    ),
    (
        "oidcc-rp-initiated-logout-modified-id-token-hint",
        By("a_forged_or_changed_hint_leads_nowhere_and_ends_nothing"),
    ),
    ("oidcc-rp-initiated-logout-no-id-token-hint", By("a_redirect_uri_of_nobody_leads_nowhere")),
    ("oidcc-rp-initiated-logout-no-params", By("without_a_hint_the_person_is_asked_and_then_signed_out")),
    (
        "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
        By("with_a_hint_and_nowhere_to_go_people_read_that_they_are_signed_out"),
    ),
    ("oidcc-rp-initiated-logout-no-state", By("a_state_that_was_not_sent_does_not_come_back")),
    ("oidcc-rp-initiated-logout-only-state", By("without_a_hint_the_person_is_asked_and_then_signed_out")),
    (
        "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
        By("a_redirect_uri_that_is_not_registered_byte_for_byte_leads_nowhere"),
    ),
    ("oidcc-rp-initiated-logout-bad-id-token-hint", By("a_hint_that_another_key_signed_is_a_hint_of_nobody")),
    ("oidcc-backchannel-discovery-endpoint-verification", By("the_metadata_says_what_there_is")),
    ("oidcc-backchannel-rp-initiated-logout", By("every_app_that_took_part_gets_its_logout_token")),
    ("oidcc-frontchannel-discovery-endpoint-verification", By("the_page_loads_the_apps_frames_and_goes_on")),
    ("oidcc-frontchannel-rp-initiated-logout", By("the_page_loads_the_apps_frames_and_goes_on")),
];

#[test]
fn every_module_of_the_dynamic_and_third_party_plans_has_its_test_or_a_reason() {
    judge(&DYNAMIC);
    judge(&THIRD_PARTY);
}

#[test]
fn every_module_of_the_basic_plan_has_its_test() {
    judge(&BASIC);
}

#[test]
fn every_module_about_logout_has_its_test() {
    judge(&LOGOUT);
}

/// Each module once, and each test there.
fn judge(modules: &[(&str, Shown)]) {
    let sources = sources::of_all_tests();
    let mut seen = BTreeSet::new();
    for (module, shown) in modules {
        assert!(seen.insert(*module), "{module} stands here twice");
        match shown {
            By(test) => {
                assert!(sources.contains(&format!("fn {test}(")), "{module}: there is no test {test}")
            }
            Not(why) => assert!(why.len() > 20, "{module}: say why"),
        }
    }
}
