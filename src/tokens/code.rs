//! Authorization codes: 256 random bits, of which only a digest is kept. The digest is the grant's very name, so a code is
//! found by primary key and the table of codes is the table of grants.

use crate::model::entropy::SharedEntropy;
use crate::protocol::identifiers::GrantId;
use sha2::{Digest, Sha256};

/// Makes a code and the name of the grant it opens.
pub fn mint(entropy: &SharedEntropy) -> (String, GrantId) {
    let code = entropy.text::<32>();
    let grant_id = grant_id(&code);
    (code, grant_id)
}

/// The name of the grant that a presented code would open, whatever was presented.
pub fn grant_id(code: &str) -> GrantId {
    let digest = Sha256::new().chain_update(b"portreeve code ").chain_update(code.as_bytes()).finalize();
    let mut bytes = [0; 24];
    bytes.copy_from_slice(&digest[..24]);
    GrantId::from_random(bytes)
}
