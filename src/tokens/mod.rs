//! Issues, reads, introspects and revokes tokens. One function makes access tokens, one ID tokens, one refresh tokens;
//! which grant deserves them is decided in `grants`.

pub mod audience;
pub mod bearer;
pub mod bearer_error;
pub mod claims;
pub mod code;
pub mod id_token_hint;
pub mod introspect;
pub mod issue;
pub mod refresh;
pub mod revoke;
pub mod subject;
