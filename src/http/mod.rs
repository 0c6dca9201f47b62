//! HTTP: extract, call one rule, match the outcome.

pub mod app;
pub mod assets;
pub mod client_address;
pub mod connection;
pub mod cross_origin;
pub mod entity_tag;
pub mod framing;
pub mod jwks;
pub mod limits;
pub mod listener;
pub mod metadata;
pub mod operations;
pub mod pulse;
pub mod security_headers;
pub mod tls;
pub mod visit;
