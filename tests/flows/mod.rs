//! Whole visits, as an app and a person make them.

mod main_road;
