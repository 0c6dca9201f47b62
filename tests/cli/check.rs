//! `portreeve check`.

use super::{Operator, Outcome};
use crate::support::database::TestDatabase;
use portreeve::model::registered_client::RegisteredClient;
use portreeve::protocol::identifiers::ClientId;
use portreeve::protocol::timestamp::Timestamp;
use portreeve::storage::{Store, registered_clients};

fn operator(more: &str) -> Operator {
    Operator::with_url("sqlite://data/portreeve.db", more)
}

#[test]
fn a_configuration_with_nothing_to_say_exits_0() {
    let outcome = operator("").run(&["check"]);
    assert_eq!((outcome.status, outcome.output.as_str()), (0, ""), "{outcome:?}");
    assert_eq!(operator("").document(&["check"])["problems"], serde_json::json!([]));
}

#[test]
fn advice_alone_exits_0() {
    let operator = operator("[scopes.unused]\ndescription = \"Nothing\"\n");
    let outcome = operator.run(&["check"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.output.contains("config/portreeve.toml:"), "{outcome:?}");
}

#[test]
fn an_error_exits_1_and_every_one_is_told_with_file_line_and_column() {
    let operator = operator("colour = \"red\"\n[listen]\naddress = \"nowhere\"\n");
    operator.write("config/clients/shop.toml", "[[client]]\nclient_id = \"shop\"\nredirect_uri = \"x\"\n");
    let outcome = operator.run(&["check"]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    for place in [
        "config/portreeve.toml:6:1: error: ",
        "config/portreeve.toml:8:",
        "config/clients/shop.toml:3:1: error: ",
    ] {
        assert!(outcome.output.contains(place), "{place}: {outcome:?}");
    }
}

#[test]
fn json_is_one_document_also_when_there_are_errors() {
    let operator = operator("colour = \"red\"\n");
    let outcome = operator.run(&["check", "--format", "json"]);
    assert_eq!(outcome.status, 1);
    let document: serde_json::Value = serde_json::from_str(&outcome.output).unwrap();
    let problem = &document["problems"][0];
    assert_eq!(problem["severity"], "error");
    assert_eq!(problem["file"], "config/portreeve.toml");
    assert_eq!((&problem["line"], &problem["column"]), (&6.into(), &1.into()));
}

#[test]
fn a_file_that_is_not_there_or_is_not_toml_exits_2() {
    let absent = Operator::newcomer();
    assert_eq!(absent.run(&["check"]).status, 2);
    assert_eq!(absent.run(&["check", "--format", "json"]).status, 2);
    let broken = operator("this is not TOML\n");
    let outcome = broken.run(&["check"]);
    assert_eq!(outcome.status, 2);
    assert!(outcome.output.contains("config/portreeve.toml:6:"), "{outcome:?}");
}

#[test]
fn no_problem_shows_a_secret() {
    // threat 179
    let operator = operator("");
    operator.write("config/secret.key", "hunter2hunter2\n");
    operator.write(
        "config/clients/shop.toml",
        "[[client]]\nclient_id = \"shop\"\nclient_secrets = [\"hunter2hunter2\"]\n",
    );
    let outcome = operator.run(&["check"]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
}

/// Product: clients in files beat registered ones of the same id, and `check` reports the clash.
#[tokio::test]
async fn a_client_of_the_files_that_registered_itself_as_well_is_told_at_its_place() {
    let database = TestDatabase::sqlite();
    let operator = Operator::with_store(&database, "[registration]\n");
    let id = ClientId::from_random([7; 16]);
    let table = format!(
        "[[client]]\nredirect_uris = [\"https://app.example/cb\"]\nclient_id = \"{id}\"\n\
         token_endpoint_auth_method = \"none\"\nscope = \"openid\"\n"
    );
    operator.write("config/clients/app.toml", &table);
    let told = |outcome: &Outcome| outcome.output.contains("registered itself");
    assert!(!told(&operator.run(&["check"])), "there is no store yet");
    assert!(
        !std::path::Path::new(database.url().trim_start_matches("sqlite://")).exists(),
        "and none is made"
    );
    let now = Timestamp::from_seconds(1_800_000_000);
    let store = Store::open(database.url(), 1).await.unwrap();
    store.migrate(now).await.unwrap();
    assert!(!told(&operator.run(&["check"])));
    let client = RegisteredClient {
        id: id.clone(),
        members: serde_json::Map::new(),
        secret_hash: None,
        token_hash: [1; 32],
        created_at: now,
        used_at: now,
    };
    let row = client.clone();
    let insert = store.write(move |connection| {
        let row = row.clone();
        Box::pin(async move { registered_clients::insert(connection, &row).await })
    });
    insert.await.unwrap();
    let outcome = operator.run(&["check"]);
    assert_eq!(outcome.status, 0, "advice is no error: {outcome:?}");
    assert!(told(&outcome) && outcome.output.contains("config/clients/app.toml:3:"), "{outcome:?}");
    let problems = operator.document(&["check"])["problems"].clone();
    let rules: Vec<&str> =
        problems.as_array().unwrap().iter().filter_map(|one| one["rule"].as_str()).collect();
    assert!(rules.contains(&"registered-client-shadowed"), "{rules:?}");
}
