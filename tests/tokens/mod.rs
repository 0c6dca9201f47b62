//! This server's own access tokens, as it takes them back: at introspection and at userinfo.

mod forged;
