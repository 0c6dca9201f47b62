//! Who asks: the registry of clients, the one way to prove who one is, and the keys that clients sign with. What a client may
//! do is its metadata; what it gets is decided in `authorization` and `grants`.

pub mod authentication;
pub mod registry;
pub mod remote_keys;
