//! What runs on its own.

mod reloading;
mod sweeping;
