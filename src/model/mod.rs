//! What is kept, and its lawful changes; pure.

pub mod client;
pub mod clock;
pub mod entropy;
pub mod secret;
