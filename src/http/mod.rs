//! HTTP: extract, call one rule, match the outcome.
