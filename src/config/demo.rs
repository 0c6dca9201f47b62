//! The demo that `portreeve dev` serves: its files are compiled in, its URLs follow the port, and every secret of it is
//! generated in the data folder at the first start. No secret is shipped (threat 180).

use super::init::text_of;
use super::load::{Clients, Document, finish, parse};
use super::reader::Reader;
use super::writing::{FOLDER_MODE, SECRET_MODE, close_folder, create_folder, write_new};
use super::{DatabaseUrl, Environment, Loaded, Problem};
use crate::model::entropy::Entropy;
use crate::model::secret::Secret;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const CONFIGURATION: &str = include_str!("../../config/demo/portreeve.toml");
const CLIENTS: &str = include_str!("../../config/demo/clients.toml");

/// The demo person: a JSON object with `username` and `claims`, as a line of `portreeve user import` has them; the password
/// is generated ([`DemoSecrets::ada_password`]).
pub const PERSON: &str = include_str!("../../config/demo/person.json");

/// What the checked-in files say of the port.
const HERE: &str = "http://localhost:8080";

/// The secrets of the demo, generated in the data folder.
#[derive(Clone, Debug)]
pub struct DemoSecrets {
    /// The secret key's text.
    pub secret_key: Secret,
    /// The secret of the client `photo-web`.
    pub photo_web: Secret,
    /// The secret of the client `photo-backup`.
    pub photo_backup: Secret,
    /// The password of the person `ada`.
    pub ada_password: Secret,
}

/// Makes the data folder (mode 0700) and each secret that is not in it yet (mode 0600): `secret.key`, `photo-web.secret`,
/// `photo-backup.secret`, `ada.password`; those that exist are read.
pub fn prepare_demo_secrets(data: &Path, entropy: &dyn Entropy) -> io::Result<DemoSecrets> {
    create_folder(data, FOLDER_MODE)?;
    close_folder(data)?;
    let secret = |name: &str, text: String| -> io::Result<Secret> {
        let path = data.join(name);
        write_new(&path, &format!("{text}\n"), SECRET_MODE)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(SECRET_MODE))?;
        let text = std::fs::read_to_string(&path)?;
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            let why = format!("{} is empty: remove it and start again", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Secret::new(text))
    };
    Ok(DemoSecrets {
        secret_key: secret("secret.key", text_of(entropy))?,
        photo_web: secret("photo-web.secret", text_of(entropy))?,
        photo_backup: secret("photo-backup.secret", text_of(entropy))?,
        // Long enough, and short enough to be typed.
        ada_password: secret("ada.password", text_of(entropy).chars().take(16).collect())?,
    })
}

/// The demo's configuration on `port`, operations on the next one, its store and secrets in `data`, which
/// [`prepare_demo_secrets`] made.
pub fn demo(port: u16, data: &Path, secrets: &DemoSecrets) -> Result<Loaded, Vec<Problem>> {
    // The compiled-in files name their secrets by variables; these exist within this call only.
    let environment = Environment::new(
        [
            ("DEMO_SECRET_KEY", secrets.secret_key.expose()),
            ("DEMO_PHOTO_WEB_SECRET", secrets.photo_web.expose()),
            ("DEMO_PHOTO_BACKUP_SECRET", secrets.photo_backup.expose()),
        ],
        PathBuf::new(),
    );
    let mut reader = Reader::new(&environment);
    // A URL in its plain form does not say its scheme's own port.
    let origin = if port == 80 { "http://localhost".to_owned() } else { format!("http://localhost:{port}") };
    let here = |text: &str| text.replace(HERE, &origin);
    let path = PathBuf::from("config/demo/portreeve.toml");
    let main = parse(&mut reader, &path, &here(CONFIGURATION));
    let clients = Clients::Given(vec![(PathBuf::from("config/demo/clients.toml"), here(CLIENTS))]);
    let mut loaded = finish(reader, Document { main, path, clients })?;
    loaded.config.listen.address.set_port(port);
    loaded.config.operations.address.set_port(port.checked_add(1).unwrap_or(port - 1));
    let store = data.join("portreeve.db");
    loaded.config.database.url = DatabaseUrl::of_file(&store);
    // Nothing of the demo is read from a file again.
    loaded.config.files.clear();
    Ok(loaded)
}

#[cfg(test)]
#[path = "demo_tests.rs"]
mod tests;
