//! Files that others read while they are written.

use std::fs::{File, canonicalize, metadata, remove_file, rename};
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file, all at once: who reads it finds what was there or what is there, and never a part. A link stays one: what
/// it points to is replaced. Who may read the file may read it afterwards.
///
/// # Errors
/// It cannot be written (a ConfigMap, say); what was there is there still.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = File::create(&beside).and_then(|mut file| {
        take_after(&file, &path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let done = written.and_then(|()| rename(&beside, &path));
    if done.is_err() {
        let _ = remove_file(&beside);
    }
    done
}

/// Gives a file the owner and the mode of the one whose place it takes.
fn take_after(file: &File, path: &Path) -> io::Result<()> {
    let Ok(before) = metadata(path) else { return Ok(()) };
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only root may give a file away; to one's own group one may.
        let _ =
            fchown(file, Some(before.uid()), Some(before.gid())).or_else(|_| fchown(file, None, Some(before.gid())));
    }
    file.set_permissions(before.permissions())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_link_stays_a_link_and_a_mode_stays() {
        let directory = Directory::new();
        let (file, link) = (directory.0.join("rules.json"), directory.0.join("live.json"));
        std::fs::write(&file, "one").unwrap();
        symlink("rules.json", &link).unwrap();
        for mode in [0o600, 0o640, 0o644] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            replace(&link, "two").unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
            assert_eq!(metadata(&file).unwrap().permissions().mode() & 0o777, mode);
        }
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        replace(&directory.0.join("new.json"), "three").unwrap();
        assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 3);
    }
}
