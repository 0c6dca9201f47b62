//! HTTP: extract, call one rule, match the outcome.

pub mod app;
pub mod client_address;
pub mod connection;
pub mod cross_origin;
pub mod framing;
pub mod listener;
pub mod pulse;
pub mod security_headers;
pub mod tls;
pub mod visit;
