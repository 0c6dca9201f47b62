//! Whole visits, as an app and a person make them.

mod authorization_request;
mod claims;
mod consent;
mod consent_taken_back;
mod guessing;
mod interaction;
mod key_life;
mod main_road;
mod marker;
mod openidconnect_crate;
mod redirect_uri;
mod shortcuts;
pub(crate) mod steps;
mod userinfo;
