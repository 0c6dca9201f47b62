//! The token endpoint: from a grant to tokens.
