//! Portreeve: a standalone OAuth 2.0 / OpenID Connect authorization server.
//!
//! # The map
//!
//! Rooms lie on floors; imports only go down (`tests/architecture.rs` holds the table and enforces it).
//!
//! | floor | rooms |
//! |---|---|
//! | 6 | [`cli`], [`tasks`]: composition, commands, what runs on its own |
//! | 5 | [`http`]: extract, call one rule, match the outcome |
//! | 4 | [`pages`]: what people see |
//! | 3 | [`audit`] < [`outbound`] < [`keys`] < [`clients`] < [`users`] < [`sessions`] < [`tokens`] < [`authorization`], [`grants`], [`logout`]: the rules |
//! | 2 | [`storage`]: the only room that knows SQL |
//! | 1 | [`model`], [`config`]: what is kept, and what was typed |
//! | 0 | [`protocol`], [`jose`]: what travels on the wire |
//!
//! Read this page, then `http/router.rs`, then any room.

pub mod jose;
pub mod protocol;

pub mod config;
pub mod model;

pub mod storage;

pub mod audit;
pub mod authorization;
pub mod clients;
pub mod grants;
pub mod keys;
pub mod logout;
pub mod outbound;
pub mod sessions;
pub mod tokens;
pub mod users;

pub mod pages;

pub mod http;

pub mod cli;
pub mod tasks;
