//! Ends sessions.
