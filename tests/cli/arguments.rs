//! The command line itself.

use super::{Operator, PASSWORD};
use clap::CommandFactory as _;
use std::process::{Command, Stdio};

#[test]
fn no_two_options_of_a_command_get_in_each_others_way() {
    portreeve::cli::Arguments::command().debug_assert();
}

#[test]
fn a_secret_is_never_an_argument() {
    // threat 179
    let operator = Operator::newcomer();
    for arguments in [
        &["user", "add", "ada", "--password=hunter2hunter2"][..],
        &["user", "add", "ada", "--password", "hunter2hunter2"],
        &["user", "password", "ada", "--password=hunter2hunter2"],
        &["user", "set", "ada", "--password=hunter2hunter2"],
        &["user", "add", "ada", "--password-stdin=hunter2hunter2"],
        &["client", "new", "--id", "x", "--service", "--secret=hunter2hunter2"],
        &["init", "--secret-key=hunter2hunter2"],
    ] {
        operator.refused(2, arguments);
    }
    let complaint = operator.refused(2, &["user", "add", "ada", "--password=hunter2hunter2"]);
    assert!(complaint.contains("--password-stdin") && !complaint.contains("hunter2"), "{complaint}");
}

#[test]
fn what_is_no_command_is_refused_with_status_2() {
    let operator = Operator::newcomer();
    for arguments in [
        &[][..],
        &["sreve"],
        &["user"],
        &["user", "rename", "ada"],
        &["key", "retire"],
        &["check", "--format", "xml"],
        &["dev", "--port", "65535"],
        &["dev", "--port", "0"],
        &["dev", "--config", "config/portreeve.toml"],
    ] {
        operator.refused(2, arguments);
    }
}

#[test]
fn help_and_version_are_results() {
    let operator = Operator::newcomer();
    assert!(operator.done(&["--version"]).starts_with("portreeve "));
    let help = operator.done(&["--help"]);
    for command in ["dev", "init", "serve", "check", "migrate", "client", "user", "key", "revoke"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
    }
}

#[test]
fn every_command_but_dev_says_where_its_configuration_is() {
    let operator = Operator::newcomer();
    for arguments in [
        &["check"][..],
        &["migrate"],
        &["client", "list"],
        &["user", "list"],
        &["user", "show", "ada"],
        &["key", "list"],
        &["revoke", "--user", "ada"],
    ] {
        for with in [&[arguments, &["--config", "elsewhere.toml"]].concat()[..], arguments] {
            let outcome = operator.run(with);
            assert_eq!(outcome.status, 2, "{with:?}: {outcome:?}");
            let said = format!("{}{}", outcome.output, outcome.complaint);
            let expected =
                if with.len() == arguments.len() { "config/portreeve.toml" } else { "elsewhere.toml" };
            assert!(said.contains(expected), "{with:?}: {said}");
        }
    }
}

#[test]
fn the_environment_may_say_where_the_configuration_is() {
    let operator = Operator::newcomer();
    let output = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["client", "list"])
        .env_clear()
        .env("PORTREEVE_CONFIG", "by-variable.toml")
        .current_dir(operator.path("."))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("by-variable.toml"));
}

#[test]
fn a_broken_configuration_is_told_whole_before_anything_is_done() {
    let operator =
        Operator::with_url("sqlite://data/portreeve.db", "colour = \"red\"\n[lifetimes]\nid_token = 5\n");
    let complaint = operator.refused_with(PASSWORD, 2, &["user", "add", "ada", "--password-stdin"]);
    assert!(complaint.contains("colour") && complaint.contains("lifetimes.id_token"), "{complaint}");
    assert!(complaint.contains("config/portreeve.toml:6:"), "{complaint}");
    assert!(!operator.path("config/data/portreeve.db").exists());
}

#[test]
fn a_reader_that_has_gone_away_is_no_fault() {
    let operator = Operator::newcomer();
    let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["client", "secret"])
        .env_clear()
        .current_dir(operator.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
}
