//! What the OpenID Foundation's plans for providers ask (Basic, Form Post, Config, Dynamic's registration, third-party-initiated
//! login, the three logouts), module by module: `basic` walks those of the Basic and Form Post plans as they are walked there,
//! `index` names for every module the test with the same outcome, or says why there is none.

mod basic;
mod index;
mod sessions;
mod walk;
