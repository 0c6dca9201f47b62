//! Every test that is not a small one beside its code: one binary, in folders that mirror `src/`. `./tests/run` starts
//! the PostgreSQL that half of them need and runs them all.

// A test that cannot go on should fail where it stands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod cli;
mod flows;
mod grants;
mod logout;
mod outbound;
mod races;
mod support;
