//! What holds whatever happens: random histories against a reference model (security.md §3.2), and random input to what
//! reads it (§3.3). A failure prints the seed that finds it again (`PORTREEVE_TEST_SEED`) and the shortest history.

mod driver;
mod forgeries;
mod history;
mod model;
mod parsers;
mod responses;

use crate::support::database::TestDatabase;
use crate::support::server::TestServer;
use driver::{Driver, Place};
use history::Operation;
use model::{CONTRACT, Model, Rules};
use portreeve::model::entropy::{Entropy as _, SystemEntropy};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;

/// How many histories a run plays on each store (`PORTREEVE_TEST_HISTORIES` for more), and how many pieces the longest has.
const HISTORIES: u32 = 40;
const MORE: &str = "PORTREEVE_TEST_HISTORIES";
const LONGEST: usize = 20;
/// How many shorter inputs are tried after a failure.
const MOST_TO_SHRINK: u32 = 2_000;
/// How many histories a wrong contract may live.
const MOST_TO_CONTRADICT: u32 = 1_500;
/// A seed, in hexadecimal, to play a run again.
const SEED: &str = "PORTREEVE_TEST_SEED";

/// A runner whose seed can be told.
fn runner(cases: u32, max_shrink_iters: u32) -> (TestRunner, String) {
    let seed = std::env::var(SEED).ok().filter(|seed| !seed.is_empty()).unwrap_or_else(|| {
        let mut bytes = [0; 8];
        SystemEntropy.fill(&mut bytes);
        format!("{:016x}", u64::from_be_bytes(bytes))
    });
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(seed.bytes()) {
        *place = byte;
    }
    let config = Config { cases, failure_persistence: None, max_shrink_iters, ..Config::default() };
    (TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)), seed)
}

/// Runs `property` for values of `strategy`; a failure tells how to see it again.
fn hold<S: proptest::strategy::Strategy>(
    cases: u32,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let (mut runner, seed) = runner(cases, MOST_TO_SHRINK);
    if let Err(failure) = runner.run(strategy, property) {
        panic!("{failure}\nto see it again: {SEED}={seed}");
    }
}

async fn places() -> Vec<Place> {
    let (sqlite, postgres) = (TestDatabase::sqlite(), TestDatabase::postgres().await);
    let alone = TestServer::start(&sqlite).await;
    let first = TestServer::start(&postgres).await;
    let second = first.replica().await;
    vec![
        Place { name: "SQLite", database: sqlite, servers: vec![alone] },
        Place { name: "PostgreSQL", database: postgres, servers: vec![first, second] },
    ]
}

/// Plays a history in one place and yields everything that was answered.
async fn play(
    place: &Place,
    rules: Rules,
    number: u32,
    history: &[Operation],
) -> Result<Vec<String>, String> {
    let (mut model, mut driver) = (Model::new(rules, Driver::now(place)), Driver::begin(place, number).await);
    let mut told = Vec::with_capacity(history.len());
    for (step, operation) in history.iter().enumerate() {
        let complain = |what: String| format!("{}: step {step}, {operation:?}: {what}", place.name);
        let expected = model.apply(operation);
        told.push(driver.perform(operation, &expected, &model).await.map_err(complain)?);
        driver.check(&model).await.map_err(complain)?;
    }
    Ok(told)
}

/// Invariants 1–7, 9, 12, 16–20, 24–26, and 39: both stores give the same answers for the same history, on PostgreSQL from two
/// replicas in turn. Threats 29, 30, 38–41, 44–49, 121, 122, 173, 192 in every order that is drawn.
#[test]
fn every_history_goes_as_the_model_says_on_both_stores() {
    let runtime = Runtime::new().unwrap();
    let places = runtime.block_on(places());
    let number = AtomicU32::new(0);
    let histories = std::env::var(MORE).ok().and_then(|more| more.parse().ok()).unwrap_or(HISTORIES);
    hold(histories, &history::history(LONGEST), |history| {
        let number = number.fetch_add(1, Ordering::SeqCst);
        runtime.block_on(async {
            // A history that failed in one place leaves the other behind.
            let latest = places.iter().map(Driver::now).max().unwrap_or_default();
            let mut told = Vec::new();
            for place in &places {
                place.servers[0].clock.set(portreeve::protocol::timestamp::Timestamp::from_millis(latest));
                told.push(play(place, CONTRACT, number, &history).await.map_err(TestCaseError::fail)?);
            }
            match told.windows(2).all(|pair| pair[0] == pair[1]) {
                true => Ok(()),
                false => Err(TestCaseError::fail(format!("the stores differ: {told:#?}"))),
            }
        })
    });
    runtime.block_on(async { drop(places) });
}

/// The histories that are drawn come to every boundary: a model that is wrong by the least bit about any of them is
/// contradicted. What the property above says is worth that much.
#[test]
fn a_contract_that_differs_by_the_least_bit_is_contradicted() {
    let runtime = Runtime::new().unwrap();
    let database = TestDatabase::sqlite();
    let server = runtime.block_on(TestServer::start(&database));
    let place = Place { name: "SQLite", database, servers: vec![server] };
    let number = AtomicU32::new(0);
    for (what, rules) in [
        ("codes", Rules { code: CONTRACT.code + 1, ..CONTRACT }),
        ("access tokens", Rules { access_token: CONTRACT.access_token + 1_000, ..CONTRACT }),
        ("idle sessions", Rules { session_idle: CONTRACT.session_idle + 1, ..CONTRACT }),
        ("idle grants", Rules { refresh_token_idle: CONTRACT.refresh_token_idle + 1, ..CONTRACT }),
        ("noted uses", Rules { use_noted_every: CONTRACT.use_noted_every + 1, ..CONTRACT }),
        ("lost answers", Rules { lost_answer: CONTRACT.lost_answer + 1, ..CONTRACT }),
        ("double submits", Rules { double_submit: CONTRACT.double_submit + 1, ..CONTRACT }),
    ] {
        let (mut runner, seed) = runner(MOST_TO_CONTRADICT, 0);
        let contradicted = runner.run(&history::scenes(4), |history| {
            let number = number.fetch_add(1, Ordering::SeqCst);
            let played = runtime.block_on(play(&place, rules, number, &history));
            played.map(drop).map_err(TestCaseError::fail)
        });
        assert!(contradicted.is_err(), "{what}: {MOST_TO_CONTRADICT} histories do not tell; {SEED}={seed}");
    }
    runtime.block_on(async { drop(place) });
}
