//! The refresh token's form: it names grant and generation and carries the grant's salt, and a tag authenticates all of
//! it. The salt's digest is in the store and the tag's key is not, so neither the database nor the key alone forges one.

use crate::protocol::identifiers::GrantId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A refresh token whose form is right; whether its tag is, `tokens` knows.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The grant.
    pub grant_id: GrantId,
    /// The generation.
    pub generation: u32,
    /// The salt of the grant's tokens.
    pub salt: [u8; 16],
    /// The tag over all of these.
    pub tag: [u8; 32],
}

const PREFIX: &str = "prt_";
const LENGTH: usize = 24 + 4 + 16 + 32;

impl RefreshToken {
    /// Reads a token; `None` when it has not the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
        let (grant_id, rest) = bytes.split_first_chunk::<24>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (salt, tag) = rest.split_first_chunk::<16>()?;
        Some(Self {
            grant_id: GrantId::from_random(*grant_id),
            generation: u32::from_be_bytes(*generation),
            salt: *salt,
            tag: tag.try_into().ok()?,
        })
    }

    /// Writes the token.
    pub fn encode(&self) -> String {
        let generation = self.generation.to_be_bytes();
        let parts: [&[u8]; 4] = [&self.grant_id.to_bytes(), &generation, &self.salt, &self.tag];
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(parts.concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_its_mutations_do_not_read_as_itself() {
        // threat 50
        let token = RefreshToken {
            grant_id: GrantId::from_random([1; 24]),
            generation: 7,
            salt: [2; 16],
            tag: [3; 32],
        };
        let text = token.encode();
        assert!(RefreshToken::parse(&text).is_some_and(|read| read == token));
        for wrong in [
            &text[..text.len() - 1],
            &text[1..],
            &format!("{text}A"),
            &text.to_uppercase(),
            &format!("{text}="),
            "",
        ] {
            assert!(RefreshToken::parse(wrong).is_none_or(|read| read != token), "{wrong}");
        }
    }
}
