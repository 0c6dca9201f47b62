//! What the tests stand on: a database of its own for each test. Nothing here decides what is right; the tests do.

pub mod database;
