//! What was typed becomes what is meant; all problems at once.
