//! The authorization endpoint: from a request to a code.
