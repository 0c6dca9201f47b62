//! People: passwords, throttling, lifecycle.

pub mod import;
pub mod lifecycle;
pub mod password;
