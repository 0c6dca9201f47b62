//! Issues, reads, introspects and revokes tokens.
