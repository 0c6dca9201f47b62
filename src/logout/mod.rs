//! The end of a session: who may ask for it and where they go (RP-Initiated Logout), and how the apps hear of it
//! (Back-Channel Logout, Front-Channel Logout). The ending itself, and what goes with it, is in `users::ending`.

pub mod back_channel;
pub mod end_session;
pub mod error;
pub mod front_channel;
