//! People: passwords, signing in, lifecycle. Sessions are begun in `sessions`.

pub mod device;
pub mod ending;
pub mod import;
pub mod lifecycle;
pub mod password;
pub mod sign_in;
