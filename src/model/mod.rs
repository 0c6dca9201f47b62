//! What is kept, and its lawful changes; pure.

pub mod claims;
pub mod clock;
pub mod entropy;
pub mod password_hash;
pub mod secret;
pub mod username;
