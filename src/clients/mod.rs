//! Who asks: the registry of clients, how clients register themselves, the one way to prove who one is, and the keys that clients
//! sign with. What a client may do is its metadata; what it gets is decided in `authorization` and `grants`.

pub mod authentication;
pub mod logos;
pub mod named;
mod picture;
pub mod registered;
pub mod registration;
pub mod registration_error;
pub mod registration_policy;
pub mod registry;
pub mod remote_keys;
