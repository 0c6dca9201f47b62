//! `[mail]`, and what is wrong with it.

use super::MailSecurity;
use super::testing::{Folder, MAIN};

fn under(section: &str) -> Folder {
    let folder = Folder::valid();
    folder.file("portreeve.toml", &format!("{MAIN}\n{section}"));
    folder
}

#[test]
fn the_mail_server_is_read_with_its_usual_ports() {
    let mail = |text: &str| {
        let config = under(text).load().expect("valid").config;
        config.mail.expect("there")
    };
    let from = "from = \"Example <no-reply@example.com>\"";
    for (server, security, expected) in [
        ("smtp.example.com", "", (MailSecurity::StartTls, 587)),
        ("smtp.example.com", "security = \"implicit\"", (MailSecurity::Implicit, 465)),
        ("[::1]", "security = \"none\"", (MailSecurity::None, 25)),
        ("LOCALHOST", "security = \"none\"\nport = 2525", (MailSecurity::None, 2525)),
    ] {
        let read = mail(&format!("[mail]\nserver = \"{server}\"\n{security}\n{from}\n"));
        assert_eq!((read.security, read.port), expected, "{server}");
    }
    assert_eq!(Folder::valid().load().expect("valid").config.mail, None);
}

// threats 150, 179: a link is not to travel in clear, nor a password to stand in clear
#[test]
fn a_mail_server_that_could_not_be_used_safely_is_refused_and_told() {
    let good = "server = \"smtp.example.com\"\nfrom = \"a@example.com\"\n";
    for (text, rule, key) in [
        ("from = \"a@example.com\"\n".to_owned(), "missing-key", "mail.server"),
        ("server = \"smtp.example.com\"\n".to_owned(), "missing-key", "mail.from"),
        (format!("{good}security = \"none\"\n"), "contradiction", "mail.server"),
        (format!("{good}security = \"opportunistic\"\n"), "invalid-value", "mail.security"),
        (format!("{good}port = 0\n"), "out-of-range", "mail.port"),
        (format!("{good}username = \"u\"\n"), "missing-key", "mail.username"),
        (format!("{good}password = {{ env = \"NOT_SET\" }}\n"), "missing-secret", "mail.password.env"),
        (
            format!("{good}username = \"u\"\npassword = \"hunter2hunter2\"\n"),
            "clear-text-secret",
            "mail.password",
        ),
        (format!("{good}host = \"x\"\n"), "unknown-key", "mail.host"),
        (good.replace("a@example.com", "nobody"), "invalid-value", "mail.from"),
        (
            good.replace("a@example.com", "a@example.com\\r\\nBcc: b@example.com"),
            "invalid-value",
            "mail.from",
        ),
        (good.replace("smtp.example.com", "smtp://x"), "invalid-value", "mail.server"),
        (good.replace("smtp.example.com", "0x7f.1"), "invalid-value", "mail.server"),
    ] {
        let problems = under(&format!("[mail]\n{text}")).load().expect_err("refused");
        let found = problems.iter().any(|problem| problem.rule == rule && problem.key == key);
        assert!(found, "{text}: {problems:?}");
        assert!(problems.iter().all(|problem| !problem.to_string().contains("hunter2")), "{problems:?}");
    }
}
