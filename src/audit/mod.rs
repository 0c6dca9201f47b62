//! Records an event in the same transaction as the fact.
