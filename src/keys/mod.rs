//! The keys of this server: who signs now, what the JWKS shows, rotation, sealing at rest.

pub mod derive;
pub mod seal;
