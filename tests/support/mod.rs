//! What the tests stand on: a database of its own for each test, a server in memory whose clock they move, a browser, and
//! an app that walks whole flows. Nothing here decides what is right; the tests do.

#![allow(dead_code)] // every folder of tests leans on a part of it

pub mod assertion;
pub mod browser;
pub mod callback_app;
pub mod chromium;
pub mod clock;
pub mod configuration;
pub mod database;
pub mod https_server;
pub mod log;
pub mod process;
pub mod relying_party;
pub mod request_signer;
pub mod server;
pub mod slow_database;
pub mod smtp_server;
pub mod sources;
