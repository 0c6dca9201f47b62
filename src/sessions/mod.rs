//! A browser and the person signed in there: cookies, sign-in, and what proves that a form came from our own page.
//! Passwords are checked in `users`; when somebody must sign in is decided in `authorization`.

pub mod accounts;
pub mod anti_forgery;
pub mod browser;
pub mod cookies;
