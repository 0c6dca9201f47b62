//! Files that hold secrets come into being whole, with their mode, or not at all; one that exists is never overwritten.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// A folder that only its owner may enter.
pub(super) const FOLDER_MODE: u32 = 0o700;

/// A file that only its owner may read.
pub(super) const SECRET_MODE: u32 = 0o600;

/// Whether a file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is new.
    New,
    /// It was there, and stays as it was.
    Already,
}

/// Makes a folder and those above it; one that exists keeps its mode.
pub(super) fn create_folder(folder: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(folder)
}

/// Closes a folder to others.
pub(super) fn close_folder(folder: &Path) -> io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))
}

/// Writes `text` to a new file at `path`: beside it first, then linked to its name, so that no reader sees half of it and no
/// second writer replaces it.
pub(super) fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<Written> {
    if path.symlink_metadata().is_ok() {
        return Ok(Written::Already);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let written = write_whole(beside, text, mode).and_then(|()| match std::fs::hard_link(beside, path) {
        Ok(()) => Ok(Written::New),
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Already),
        Err(why) => Err(why),
    });
    let removed = std::fs::remove_file(beside);
    let written = written?;
    removed?;
    // The name itself is on disk only when its folder is.
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(written)
}

fn write_whole(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    // The mode as asked for, whatever the process masks.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
