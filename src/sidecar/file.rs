//! Files that others read while they are written.

use std::fs::{File, remove_file, rename};
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file, all at once: who reads it finds what was there or what is there, and never a part.
///
/// # Errors
/// It cannot be written (a ConfigMap, say); what was there is there still.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let done = written.and_then(|()| rename(&beside, path));
    if done.is_err() {
        let _ = remove_file(&beside);
    }
    done
}
