//! Makes and recognises refresh tokens. The salt is the grant's: the store keeps its digest, the token carries it, and the
//! tag over everything needs the secret key. So a successor can be made again without being stored anywhere.

use crate::keys::derive::KeyedMac;
use crate::protocol::identifiers::GrantId;
use crate::protocol::refresh_token::RefreshToken;
use sha2::{Digest, Sha256};

/// Makes the token of `generation`.
pub fn mint(keys: &KeyedMac, grant_id: &GrantId, generation: u32, salt: [u8; 16]) -> String {
    let tag = keys.mac(&parts(&grant_id.to_bytes(), &generation.to_be_bytes(), &salt));
    RefreshToken { grant_id: grant_id.clone(), generation, salt, tag }.encode()
}

/// Reads a token whose tag is right; `None` for everything else, without telling what.
pub fn recognise(keys: &KeyedMac, text: &str) -> Option<RefreshToken> {
    let token = RefreshToken::parse(text)?;
    let grant_id = token.grant_id.to_bytes();
    let generation = token.generation.to_be_bytes();
    keys.verify(&parts(&grant_id, &generation, &token.salt), &token.tag).then_some(token)
}

/// What the store keeps of a salt.
pub fn salt_hash(salt: &[u8; 16]) -> [u8; 32] {
    Sha256::digest(salt).into()
}

fn parts<'a>(grant_id: &'a [u8], generation: &'a [u8], salt: &'a [u8]) -> [&'a [u8]; 3] {
    [grant_id, generation, salt]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_another_key_generation_grant_or_salt_is_not_recognised() {
        // threats 50, 177
        let keys = KeyedMac::new(&[1; 32], &[], "refresh token");
        let (grant, other) = (GrantId::from_random([1; 24]), GrantId::from_random([2; 24]));
        let token = mint(&keys, &grant, 3, [4; 16]);
        assert!(recognise(&keys, &token).is_some_and(|read| read.generation == 3 && read.grant_id == grant));
        assert!(recognise(&KeyedMac::new(&[2; 32], &[], "refresh token"), &token).is_none());
        assert!(recognise(&KeyedMac::new(&[1; 32], &[], "marker"), &token).is_none());
        assert!(recognise(&KeyedMac::new(&[2; 32], &[[1; 32]], "refresh token"), &token).is_some());
        let mut forged = RefreshToken::parse(&token).expect("well-formed");
        forged.generation = 4;
        assert!(recognise(&keys, &forged.encode()).is_none());
        forged.generation = 3;
        forged.grant_id = other;
        assert!(recognise(&keys, &forged.encode()).is_none());
    }
}
