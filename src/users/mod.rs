//! People: passwords, throttling, lifecycle.
