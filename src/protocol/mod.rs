//! What travels on the wire: pure values, no I/O. A value that exists is valid.

pub mod access_token;
pub mod authorization_request;
pub mod basic_credentials;
pub mod client_authentication_method;
pub mod client_metadata;
pub mod error_code;
pub mod grant_type;
pub mod id_token;
pub mod identifiers;
pub mod introspection_response;
pub mod issuer;
pub mod localized;
mod metadata_members;
mod metadata_reader;
pub mod outbound_url;
pub mod parameters;
pub mod pkce;
pub mod prompt;
pub mod redirect_uri;
pub mod refresh_token;
pub mod resource;
pub mod response_mode;
pub mod scope;
pub mod server_metadata;
pub mod signing_algorithm;
pub mod timestamp;
pub mod token_response;
