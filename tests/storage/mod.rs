//! The store when something else holds it up.

mod embedded_writer;
mod migrations;
mod refusals;
