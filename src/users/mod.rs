//! People: passwords, throttling, lifecycle.

pub mod password;
pub mod throttle;
