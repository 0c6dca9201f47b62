//! What `portreeve init` writes: the commented example of everything, for the issuer that the operator names, and a secret
//! key of its own. Nothing that exists is overwritten.

use super::writing::{FOLDER_MODE, SECRET_MODE, Written, create_folder, write_new};
use crate::model::entropy::Entropy;
use crate::protocol::issuer::Issuer;
use std::io;
use std::path::Path;

/// The example of everything, commented; it loads as it stands beside a `secret.key`.
pub const EXAMPLE: &str = include_str!("../../config/portreeve.toml");

/// The issuer of [`EXAMPLE`].
const EXAMPLE_ISSUER: &str = "https://auth.example.com";

/// Which of its files `portreeve init` wrote; those that were there already stay as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initialized {
    /// The configuration.
    pub configuration: Written,
    /// `secret.key` beside it.
    pub secret_key: Written,
}

/// The example for `issuer`.
pub fn example_for(issuer: &Issuer) -> String {
    EXAMPLE.replacen(&format!("\"{EXAMPLE_ISSUER}\""), &format!("\"{}\"", issuer.as_str()), 1)
}

/// A secret key's text: 32 random bytes in base64url.
pub fn new_secret_key(entropy: &dyn Entropy) -> String {
    text_of(entropy)
}

/// Writes the configuration at `path`, `secret.key` beside it (mode 0600), and the folders `clients` and `data`, whichever
/// of them is not there yet.
pub fn initialize(path: &Path, issuer: Option<&Issuer>, entropy: &dyn Entropy) -> io::Result<Initialized> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // The key first: a configuration without its key would not load.
    let secret_key =
        write_new(&folder.join("secret.key"), &format!("{}\n", new_secret_key(entropy)), SECRET_MODE)?;
    let text = issuer.map_or_else(|| EXAMPLE.to_owned(), example_for);
    let configuration = write_new(path, &text, 0o644)?;
    std::fs::create_dir_all(folder.join("clients"))?;
    create_folder(&folder.join("data"), FOLDER_MODE)?;
    Ok(Initialized { configuration, secret_key })
}

pub(super) fn text_of(entropy: &dyn Entropy) -> String {
    use base64::Engine as _;
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    entropy.fill(bytes.as_mut_slice());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes.as_slice())
}

#[cfg(test)]
#[path = "init_tests.rs"]
mod tests;
