//! What is kept, and its lawful changes; pure.

pub mod address_pace;
pub mod audit_event;
pub mod claims;
pub mod client;
pub mod clock;
pub mod consent;
pub mod entropy;
pub mod grant;
pub mod outbox;
pub mod password_hash;
pub mod recovery;
pub mod registered_client;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod throttle;
mod throttle_ledger;
pub mod user;
pub mod username;
