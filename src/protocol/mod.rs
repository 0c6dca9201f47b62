//! What travels on the wire: pure values, no I/O. A value that exists is valid.

pub mod client_authentication_method;
pub mod client_metadata;
pub mod error_code;
pub mod grant_type;
pub mod identifiers;
pub mod issuer;
pub mod pkce;
pub mod prompt;
pub mod redirect_uri;
pub mod resource;
pub mod response_mode;
pub mod scope;
pub mod signing_algorithm;
pub mod timestamp;
