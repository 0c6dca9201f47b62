//! People: passwords, signing in, lifecycle. Sessions are begun in `sessions`.

pub mod device;
pub mod ending;
pub mod granted;
pub mod import;
pub mod lifecycle;
pub mod own_password;
pub mod password;
pub mod recovery;
pub mod sign_in;
