//! Every test that is not a small one beside its code: one binary, in folders that mirror `src/`. `./tests/run` starts
//! the PostgreSQL that half of them need and runs them all.

// A test that cannot go on should fail where it stands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;
mod architecture;
mod browser;
mod cli;
mod clients;
mod conformance;
mod faults;
mod flows;
mod golden;
mod grants;
mod http;
mod keys;
mod libraries;
mod logout;
mod openid;
mod outbound;
mod properties;
mod pushed;
mod races;
mod readme;
mod registration;
mod sessions;
mod standards;
mod storage;
mod support;
mod tasks;
mod threats;
mod tokens;
mod users;
