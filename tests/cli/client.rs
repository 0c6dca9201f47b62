//! `portreeve client`.

use super::Operator;
use sha2::{Digest as _, Sha256};

const SHOP: &str = r#"
[[client]]
client_id = "shop"
client_name = "Shop"
redirect_uris = ["https://shop.example/cb"]
client_secrets = [{ sha256 = "62d8e284155502bc0f6d680710e7a3899a8fa205f15d944ffb4f37b1fa656949" }]
scope = "openid"
"#;

fn operator() -> Operator {
    let operator = Operator::with_url("sqlite://data/portreeve.db", "");
    operator.write("config/clients/shop.toml", SHOP);
    operator
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_new_secret_has_256_bits_and_its_line_holds_their_hash_only() {
    let operator = Operator::newcomer();
    let (first, second) = (operator.done(&["client", "secret"]), operator.done(&["client", "secret"]));
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].len(), 43);
    assert_eq!(lines[1], format!("client_secrets = [{{ sha256 = \"{}\" }}]", hex(lines[0])));
    assert_ne!(first, second);
}

#[test]
fn a_new_client_can_be_pasted_as_it_is_printed() {
    let operator = operator();
    for (id, arguments) in [
        ("web", &["--redirect-uri", "https://web.example/cb", "--name", "A \"web\" shop"][..]),
        (
            "spa",
            &[
                "--public",
                "--redirect-uri",
                "https://spa.example/cb",
                "--redirect-uri",
                "https://spa.example/b",
            ],
        ),
        ("tool", &["--public", "--native", "--redirect-uri", "http://127.0.0.1/cb"]),
        ("robot", &["--service"]),
    ] {
        let table = operator.done(&[&["client", "new", "--id", id][..], arguments].concat());
        operator.write(format!("config/clients/{id}.toml"), &table);
        let checked = operator.run(&["check"]);
        assert_eq!(checked.status, 0, "{table}{checked:?}");
    }
    let document = operator.document(&["client", "show", "web"]);
    assert_eq!(document["client_name"], "A \"web\" shop");
    assert_eq!(document["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(operator.document(&["client", "show", "spa"])["token_endpoint_auth_method"], "none");
    assert_eq!(operator.document(&["client", "list"])["clients"].as_array().unwrap().len(), 5);
}

#[test]
fn the_secret_of_a_new_client_is_not_in_its_table() {
    let operator = operator();
    let outcome = operator.run(&["client", "new", "--id", "robot", "--service"]);
    let secret = outcome.complaint.lines().last().unwrap();
    assert_eq!(secret.len(), 43);
    assert!(!outcome.output.contains(secret));
    assert!(outcome.output.contains(&hex(secret)));
    let public =
        operator.run(&["client", "new", "--id", "p", "--public", "--redirect-uri", "https://p.example/"]);
    assert_eq!((public.status, public.complaint.as_str()), (0, ""), "{public:?}");
    assert!(!public.output.contains("client_secrets"));
}

#[test]
fn a_new_client_that_could_not_be_one_is_refused() {
    let operator = operator();
    for arguments in [
        &["--id", "x"][..],
        &["--id", "x", "--redirect-uri", "http://shop.example/cb"],
        &["--id", "x", "--redirect-uri", "javascript:alert(1)"],
        &["--id", "x", "--redirect-uri", "https://shop.example/*#f"],
        &["--id", "usr_x", "--service"],
        &["--id", "a b", "--service"],
        &["--id", "x", "--service", "--public"],
        &["--id", "x", "--service", "--redirect-uri", "https://shop.example/cb"],
        &["--id", "x", "--native", "--redirect-uri", "http://127.0.0.1/cb"],
        &["--redirect-uri", "https://shop.example/cb"],
    ] {
        let outcome = operator.run(&[&["client", "new"][..], arguments].concat());
        assert_eq!((outcome.status, outcome.output.as_str()), (2, ""), "{arguments:?}: {outcome:?}");
    }
}

#[test]
fn the_id_of_a_client_that_is_there_is_refused() {
    let complaint = operator().refused(1, &["client", "new", "--id", "shop", "--service"]);
    assert!(complaint.contains("shop"), "{complaint}");
}

#[test]
fn neither_list_nor_show_tells_a_secret_or_its_hash() {
    let operator = operator();
    for arguments in [&["client", "list"][..], &["client", "show", "shop"]] {
        for format in ["human", "json"] {
            let shown = operator.done(&[arguments, &["--format", format]].concat());
            assert!(shown.contains("shop") && !shown.contains("62d8e284"), "{shown}");
        }
    }
    assert_eq!(
        operator.document(&["client", "show", "shop"])["client_secrets"],
        serde_json::json!(["sha256"])
    );
}

#[test]
fn a_client_that_is_not_there_cannot_be_shown() {
    let operator = operator();
    assert!(operator.refused(1, &["client", "show", "shpo"]).contains("shpo"));
    operator.refused(2, &["client", "show", "usr_x"]);
    operator.refused(2, &["client", "show"]);
}
