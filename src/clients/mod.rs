//! Who asks: the registry of clients, and the one way to prove who one is. What a client may do is its metadata; what it
//! gets is decided in `authorization` and `grants`.

pub mod authentication;
pub mod registry;
