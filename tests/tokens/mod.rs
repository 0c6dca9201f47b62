//! Tokens, as this server takes them back: at introspection, revocation and userinfo.

mod forged;
mod introspection;
