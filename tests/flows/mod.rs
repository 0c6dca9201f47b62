//! Whole visits, as an app and a person make them.

mod authorization_request;
mod main_road;
mod redirect_uri;
mod steps;
