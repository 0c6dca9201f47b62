//! Every page, rendered with ordinary and with hostile texts.

use super::*;
use crate::protocol::timestamp::Timestamp;

/// Every page in English, its name first, with `text` wherever a foreign text may stand.
fn every_page(text: &str) -> Vec<(&'static str, String)> {
    every_page_in(Layout { name: text, ..Layout::new("") }, text)
}

/// Every page in a frame of the caller's.
fn every_page_in(layout: Layout<'_>, text: &str) -> Vec<(&'static str, String)> {
    let person = Person { name: text, username: text };
    let accounts = [Account { sid: text, person }, Account { sid: "second", person }];
    let scopes = [
        ConsentScope { token: "openid", words: text },
        ConsentScope { token: text, words: text },
        ConsentScope { token: "email", words: text },
    ];
    let client = ConsentClient {
        name: text,
        host: Some(text),
        logo: Some("/assets/client-logo/x"),
        standing: Standing::Unverified,
        policy: WebLink::parse("https://photos.example.com/policy?a=1&b='\""),
        terms: WebLink::parse("https://photos.example.com/terms"),
    };
    let asking = LoginClient {
        is_unverified: true,
        name: text,
        logo: Some("/assets/client-logo/x"),
        policy: client.policy,
        terms: client.terms,
    };
    let login = LoginPage {
        layout,
        action: text,
        form_token: text,
        client: Some(asking),
        destination: Some(Destination::Host(text)),
        username: text,
        message: None,
        recovery: Some(text),
    };
    let consent = ConsentPage {
        layout,
        action: text,
        form_token: text,
        request_digest: text,
        person,
        not_you: text,
        client,
        destination: Destination::Host(text),
        scopes: &scopes,
        resources: &[text, text],
    };
    let logout = LogoutPage {
        layout,
        action: text,
        form_token: text,
        client: Some(text),
        about_another: true,
        destination: Some(Destination::Host(text)),
        person: Some(person),
        has_others: true,
        stay: text,
    };
    let frames = ["https://app.example.com/out?iss=https%3A%2F%2Fa.example&sid=x".to_owned()];
    let logged_out = LoggedOutPage { layout, sign_in: text, frames: &[], onward: None };
    let onward = |after_seconds| {
        let link = ReturnLink::parse("https://app.example.com/?state='\"").unwrap();
        Some(Onward { link, client: text, after_seconds })
    };
    let back = ReturnLink::parse("com.example.app:/cb?error=x&state='\"").unwrap();
    let error = |way_on| ErrorPage { layout, code: text, reason: text, error_id: text, way_on };
    let message = |message| LoginPage { message: Some(message), ..login };
    let since = Since(Timestamp::from_seconds(0));
    let apps = [GrantedApp {
        client_id: text,
        name: text,
        scopes: vec![text.to_owned()],
        resources: vec![text],
        since,
        used: Some(since),
    }];
    let session = |is_here| OpenSession { sid: text, is_here, since, seen: since };
    let sessions = [session(true), session(false)];
    let account = AccountPage {
        layout,
        person,
        since,
        done: Some(AccountDone::TakenBack),
        form_token: text,
        apps: &apps,
        sessions: &sessions,
        has_others: true,
        paths: AccountPaths {
            grants: text,
            sessions: text,
            password: Some(text),
            switch: text,
            login_other: text,
            sign_out: text,
        },
    };
    let password = PasswordPage {
        layout,
        action: text,
        form_token: text,
        username: text,
        is_forced: false,
        message: Some(PasswordMessage::Refused),
        stay: text,
    };
    let new_password = NewPasswordPage {
        layout,
        action: text,
        form_token: text,
        token: text,
        username: text,
        message: Some(PasswordMessage::TooShort),
    };
    let recovery = RecoveryPage {
        layout,
        action: text,
        form_token: text,
        username: text,
        message: Some(RecoveryMessage::Wait { seconds: 3 }),
        sign_in: text,
    };
    vec![
        ("login", render(&login)),
        ("login refused", render(&message(LoginMessage::Refused))),
        ("login waits", render(&message(LoginMessage::Wait { seconds: 30 }))),
        ("login waits long", render(&message(LoginMessage::Wait { seconds: 3_000 }))),
        ("login too late", render(&message(LoginMessage::FormExpired))),
        ("login busy", render(&message(LoginMessage::Busy))),
        ("login on this device", render(&LoginPage { destination: Some(Destination::ThisDevice), ..login })),
        (
            "account_choice",
            render(&AccountChoicePage {
                layout,
                action: text,
                form_token: text,
                client: Some(text),
                accounts: &accounts,
                login_other: text,
            }),
        ),
        ("consent", render(&consent)),
        ("consent on this device", render(&ConsentPage { destination: Destination::ThisDevice, ..consent })),
        ("logout", render(&logout)),
        ("logged_out", render(&logged_out)),
        ("logged_out by a button", render(&LoggedOutPage { onward: onward(None), ..logged_out })),
        (
            "logged_out framing",
            render(&LoggedOutPage { onward: onward(Some(3)), frames: &frames, ..logged_out }),
        ),
        ("account", render(&account)),
        ("account with nothing", render(&AccountPage { apps: &[], has_others: false, ..account })),
        ("password", render(&password)),
        ("password forced", render(&PasswordPage { is_forced: true, message: None, ..password })),
        ("new_password", render(&new_password)),
        ("recovery", render(&recovery)),
        ("recovery_sent", render(&RecoverySentPage { layout, sign_in: text })),
        ("recovered", render(&RecoveredPage { layout, sign_in: text })),
        ("error", render(&error(WayOn::BackToApp))),
        (
            "error with a link",
            render(&error(WayOn::Link { url: text, words: "error-look-again", lead: "error-stale" })),
        ),
        (
            "error with an app",
            render(&error(WayOn::App {
                link: WebLink::parse("https://photos.example.com/login?iss=x").unwrap(),
                name: text,
            })),
        ),
        ("error to continue", render(&error(WayOn::Continue { link: back, host: Destination::Host(text) }))),
        (
            "error to continue on this device",
            render(&error(WayOn::Continue { link: back, host: Destination::ThisDevice })),
        ),
        (
            "form_post",
            render(&FormPostPage {
                layout,
                action: back,
                client: text,
                fields: &[("state", text), (text, text)],
            }),
        ),
        (
            "playground",
            render(&PlaygroundPage {
                layout,
                issuer: text,
                client_id: text,
                redirect_uri: text,
                scope: text,
                resource: text,
            }),
        ),
    ]
    .into_iter()
    .map(|(name, page)| (name, page.unwrap()))
    .collect()
}

/// What a browser makes of `html`: its tags, each with the names and unescaped values of its attributes.
fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let name_end = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap();
        let name = rest[..name_end].to_ascii_lowercase();
        rest = &rest[name_end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '=').unwrap();
            let attribute = rest[..end].to_ascii_lowercase();
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let end = quoted.find('"').unwrap();
                value = unescaped(&quoted[..end]);
                rest = &quoted[end + 1..];
            }
            assert!(!rest.starts_with('='), "every attribute's value is quoted");
            attributes.push((attribute, value));
        }
        found.push((name, attributes));
    }
    found
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

fn ids(html: &str) -> Vec<String> {
    let attributes = tags(html).into_iter().flat_map(|(_, attributes)| attributes);
    attributes.filter(|(name, _)| name == "id").map(|(_, id)| id).collect()
}

fn hostile_texts() -> Vec<String> {
    vec![
        "\"><svg onload=1>".to_owned(),
        "'><svg/onload=1>".to_owned(),
        "</form><script>alert(1)</script>".to_owned(),
        "</title></bdi><svg onload=1>".to_owned(),
        "\u{202e}\u{2066}gnp.exe'\"`".to_owned(),
        "\"><svg onload=1>".repeat(256),
        "{{ layout.name }}{% include \"x\" %}&lt;svg&gt;&quot;".to_owned(),
        "--><!--<svg>".to_owned(),
        "\" autofocus onfocus=1 style=x y=\"".to_owned(),
    ]
}

// threats 26, 152
#[test]
fn no_foreign_text_opens_an_element_or_adds_an_attribute() {
    let shape = |html: &str| -> Vec<(String, Vec<String>)> {
        let names =
            |attributes: Vec<(String, String)>| attributes.into_iter().map(|(name, _)| name).collect();
        tags(html).into_iter().map(|(tag, attributes)| (tag, names(attributes))).collect()
    };
    let harmless = every_page("harmless");
    for text in hostile_texts() {
        for ((name, hostile), (_, harmless)) in every_page(&text).iter().zip(&harmless) {
            assert!(!hostile.contains("<svg") && !hostile.contains("<script>alert"), "{name}");
            assert_eq!(shape(hostile), shape(harmless), "{name} with {text:.60}");
        }
    }
}

// OAuth 2.0 Form Post Response Mode §4, threat 26
#[test]
fn a_state_comes_back_from_the_form_as_it_was_sent() {
    for text in hostile_texts() {
        let pages = every_page(&text);
        let (_, html) = pages.iter().find(|(name, _)| *name == "form_post").unwrap();
        let state = tags(html)
            .into_iter()
            .find(|(_, attributes)| attributes.contains(&("name".into(), "state".into())));
        let (_, attributes) = state.unwrap();
        let value = attributes.iter().find(|(name, _)| name == "value").map(|(_, value)| value.clone());
        assert_eq!(value.unwrap(), text);
    }
}

// threats 21, 152, 153
#[test]
fn no_page_carries_inline_style_or_handlers_or_loads_anything_from_elsewhere() {
    for (name, html) in every_page("x") {
        for (tag, attributes) in tags(&html) {
            // Front-Channel Logout §2: the one page that loads something of the apps
            if name == "logged_out framing" && tag == "iframe" {
                continue;
            }
            assert!(
                !["style", "iframe", "object", "embed", "base"].contains(&tag.as_str()),
                "{name}: <{tag}>"
            );
            if tag == "script" {
                let by_address = attributes.iter().any(|(attribute, _)| attribute == "src");
                assert!(by_address || name == "form_post", "{name}: an inline script");
            }
            for (attribute, value) in attributes {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {attribute}");
                let loads = attribute == "src" || (tag == "link" && attribute == "href");
                assert!(!loads || value.starts_with("/assets/"), "{name}: {attribute}={value}");
            }
        }
    }
}

#[test]
fn every_page_has_a_language_a_title_a_viewport_a_main_landmark_and_no_referrer() {
    for (name, html) in every_page("x") {
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\" dir=\"ltr\""), "{name}");
        assert!(html.contains(" · x</title>") && !html.contains("<title> "), "{name}");
        let has = |tag: &str, attribute: (&str, &str)| {
            let attribute = (attribute.0.to_owned(), attribute.1.to_owned());
            tags(&html).iter().any(|(found, attributes)| found == tag && attributes.contains(&attribute))
        };
        assert!(has("meta", ("name", "viewport")), "{name}");
        assert!(has("meta", ("content", "no-referrer")), "{name}");
        let count = |tag: &str| tags(&html).iter().filter(|(found, _)| found == tag).count();
        assert_eq!((count("main"), count("h1"), count("header")), (1, 1, 1), "{name}");
    }
}

#[test]
fn every_id_is_unique_and_every_reference_to_one_leads_somewhere() {
    for (name, html) in every_page("x") {
        let ids = ids(&html);
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{name}");
        for (_, attributes) in tags(&html) {
            for (attribute, value) in attributes {
                if ["for", "aria-describedby", "aria-labelledby"].contains(&attribute.as_str()) {
                    let every = value.split(' ').all(|id| ids.iter().any(|other| other == id));
                    assert!(every, "{name}: {attribute}={value}");
                }
            }
        }
    }
}

#[test]
fn every_page_has_the_ids_that_automation_relies_on() {
    let expected: [(&str, &[&str]); 17] = [
        ("login", &["username", "password", "login-submit"]),
        ("login refused", &["username", "password", "login-submit", "login-message"]),
        ("login waits", &["forgot-password"]),
        (
            "account",
            &[
                "account-name",
                "grant-1-revoke",
                "session-1",
                "session-2-end",
                "sign-out-everywhere",
                "account-password",
                "account-switch",
                "account-logout",
                "login-other",
            ],
        ),
        (
            "password",
            &["old-password", "new-password", "end-sessions", "password-submit", "password-message"],
        ),
        ("password forced", &["old-password", "new-password", "password-submit", "password-forced"]),
        ("new_password", &["new-password", "password-submit", "password-message"]),
        ("recovery", &["username", "recovery-submit", "recovery-message"]),
        ("account_choice", &["account-1", "account-2", "login-other"]),
        ("consent", &["consent-allow", "consent-deny"]),
        ("logout", &["logout-confirm", "logout-all"]),
        ("logged_out by a button", &["logout-continue"]),
        ("error", &["error-code", "error-reason", "error-id"]),
        ("error with a link", &["error-code", "error-reason", "error-id", "error-way-on"]),
        ("error to continue", &["error-code", "error-reason", "error-id", "continue"]),
        ("form_post", &["form-post", "form-post-submit"]),
        (
            "playground",
            &[
                "start",
                "callback",
                "token-request",
                "token-response",
                "access-token-claims",
                "id-token-claims",
                "verification",
                "call-userinfo",
                "userinfo-response",
                "refresh",
                "refresh-response",
                "revoke",
                "revoke-response",
            ],
        ),
    ];
    let pages = every_page("x");
    for (page, wanted) in expected {
        let (_, html) = pages.iter().find(|(name, _)| *name == page).unwrap();
        for id in wanted {
            assert!(ids(html).iter().any(|found| found == id), "{page}: {id}");
        }
    }
}

#[test]
fn every_scope_but_openid_has_a_ticked_box_with_its_token() {
    let pages = every_page("photos.read");
    let (_, html) = pages.iter().find(|(name, _)| *name == "consent").unwrap();
    let scope = ("name".to_owned(), "scope".to_owned());
    let boxes: Vec<_> =
        tags(html).into_iter().filter(|(_, attributes)| attributes.contains(&scope)).collect();
    let tokens: Vec<_> = boxes
        .iter()
        .map(|(_, attributes)| {
            assert!(attributes.iter().any(|(name, _)| name == "checked"));
            attributes.iter().find(|(name, _)| name == "value").unwrap().1.clone()
        })
        .collect();
    assert_eq!(tokens, ["photos.read", "email"]);
}

// CSP Level 3 §8.4, threat 153
#[test]
fn the_form_post_page_holds_exactly_the_script_whose_hash_the_policy_names() {
    let pages = every_page("x");
    let (_, html) = pages.iter().find(|(name, _)| *name == "form_post").unwrap();
    let (_, after) = html.split_once("<script>").unwrap();
    assert_eq!(after.split_once("</script>").unwrap().0, FORM_POST_SCRIPT);
    assert!(form_post_script_hash().starts_with("sha256-"));
    assert_eq!(form_post_script_hash().len(), "sha256-".len() + 44);
}

#[test]
fn a_refused_sign_in_says_the_same_whatever_the_reason_and_waiting_names_its_time() {
    let words = |message: LoginMessage| message.words(&Layout::new(""));
    assert!(!words(LoginMessage::Refused).contains("exist"));
    assert!(words(LoginMessage::Wait { seconds: 0 }).contains("1 second,"));
    assert!(words(LoginMessage::Wait { seconds: 30 }).contains("30 seconds"));
    assert!(words(LoginMessage::Wait { seconds: 121 }).contains("3 minutes"));
    let seconds = |language: Language, seconds| {
        LoginMessage::Wait { seconds }.words(&Layout::new("").in_language(language))
    };
    assert!(seconds(Language::German, 1).contains("1 Sekunde und"));
    assert!(seconds(Language::German, 2).contains("2 Sekunden und"));
    assert!(seconds(Language::French, 1).contains("1 seconde,"));
    assert!(seconds(Language::Japanese, 1).contains("1秒"));
}

#[test]
fn every_page_is_in_the_language_of_its_frame_and_says_everything_in_it() {
    // what the playground says to developers stays English
    let ours = |name: &str| name != "playground";
    let english = every_page("x");
    for language in Language::ALL {
        let frame = Layout { name: "x", ..Layout::new("").in_language(language) };
        for ((name, html), (_, english)) in every_page_in(frame, "x").iter().zip(&english) {
            let opening = format!("<!doctype html>\n<html lang=\"{}\" dir=\"ltr\"", language.tag());
            assert!(html.starts_with(&opening), "{name}");
            assert!(!html.contains(['\u{2068}', '\u{2069}', '\u{e000}']), "{name}");
            assert_eq!(tags(html).len(), tags(english).len(), "{name}: the same tags in every language");
            if ours(name) && language != Language::English {
                let title = |html: &str| {
                    html.split("<title>").nth(1).unwrap().split(" · ").next().unwrap().to_owned()
                };
                assert_ne!(title(html), title(english), "{name}");
            }
        }
    }
}

#[test]
fn a_page_from_right_to_left_says_so_and_is_otherwise_the_same() {
    let frame = Layout { direction: Direction::RightToLeft, ..Layout::new("x") };
    for ((name, html), (_, other)) in every_page_in(frame, "x").iter().zip(every_page("x")) {
        assert_eq!(html.replacen(" dir=\"rtl\"", " dir=\"ltr\"", 1), other, "{name}");
        assert!(html.contains("<html lang=\"en\" dir=\"rtl\""), "{name}");
    }
}
