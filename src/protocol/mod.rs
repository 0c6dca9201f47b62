//! What travels on the wire: pure values, no I/O. A value that exists is valid.

pub mod timestamp;
