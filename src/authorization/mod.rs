//! The authorization endpoint: from a request to a code. `begin` says who asks and where the answer goes, `interaction`
//! what is still missing, `consent` what a person decided, `finish` issues the code. The request travels in the URL from
//! page to page and is judged anew at each step; nothing is written before there is a code.

pub mod begin;
pub mod consent;
pub mod error;
pub mod finish;
pub mod in_force;
pub mod interaction;
pub mod marker;
pub mod push;
pub mod request_object;
pub mod target;
