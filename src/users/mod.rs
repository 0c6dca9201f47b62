//! People: passwords, throttling, lifecycle.

pub mod password;
