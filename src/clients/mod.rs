//! Who asks: the registry of clients, and their authentication.
