//! The file that Envoy's `path_config_source` watches.

use super::extension::{Current, Extension};
use crate::file;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Time until a file that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Keeps the file at the newest bundle. `say`: tells people what is wrong, once.
pub(crate) async fn keep(
    path: PathBuf,
    extension: Extension,
    mut package: watch::Receiver<Option<Arc<Current>>>,
    say: impl Fn(&str),
) {
    let mut said = String::new();
    loop {
        let current = package.borrow_and_update().clone();
        let error = match written(&path, &extension, current).await {
            Ok(()) => String::new(),
            Err(error) => format!("{}: {error}", path.display()),
        };
        let failed = !error.is_empty();
        if failed && error != said {
            say(&error);
        }
        said = error;
        let changed = match failed {
            true => tokio::time::timeout(AGAIN, package.changed()).await.unwrap_or(Ok(())),
            false => package.changed().await,
        };
        if changed.is_err() {
            return;
        }
    }
}

/// Writes what is to be there. Before there is a bundle, what is there may have one that still holds: it stays.
async fn written(path: &Path, extension: &Extension, current: Option<Arc<Current>>) -> io::Result<()> {
    let (path, extension) = (path.to_owned(), extension.clone());
    let done = tokio::task::spawn_blocking(move || {
        if current.is_none() && std::fs::metadata(&path).is_ok_and(|there| there.len() > 0) {
            return Ok(());
        }
        replace(&path, &extension.file(current.as_deref())).map(drop)
    });
    done.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Replaces a file all at once, where its content differs. Whether it did.
///
/// # Errors
/// It cannot be written; what was there is there still.
fn replace(path: &Path, text: &str) -> io::Result<bool> {
    if std::fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(false);
    }
    file::replace(path, text).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use std::sync::Mutex;

    fn extension() -> Extension {
        Extension { name: "azeotrope".into(), module: "/m".into(), vm_id: "v".into(), plugin: serde_json::Map::new() }
    }

    fn bundle(version: u64) -> Option<Arc<Current>> {
        Some(Arc::new(Current { version, package: vec![1, 2, 3] }))
    }

    /// Waits until the file tells a version.
    async fn tells(path: &Path, version: &str) {
        for _ in 0..500 {
            if std::fs::read_to_string(path)
                .is_ok_and(|text| text.contains(&format!("\"version_info\": \"{version}\"")))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{version}: {:?}", std::fs::read_to_string(path));
    }

    #[test]
    fn a_file_is_replaced_whole_and_only_when_it_differs() {
        let directory = Directory::new();
        let path = directory.0.join("live.json");
        assert!(replace(&path, "one").unwrap());
        assert!(!replace(&path, "one").unwrap());
        assert!(replace(&path, "two").unwrap());
        assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 1);
        assert!(replace(&directory.0.join("none/live.json"), "x").is_err());
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_tried_again() {
        let directory = Directory::new();
        let path = directory.0.join("late/live.json");
        let (packages, package) = watch::channel(bundle(7));
        let said = Arc::new(Mutex::new(0));
        let count = Arc::clone(&said);
        tokio::spawn(keep(path.clone(), extension(), package, move |_| *count.lock().unwrap() += 1));
        tokio::time::sleep(AGAIN * 2 + AGAIN / 2).await;
        std::fs::create_dir(directory.0.join("late")).unwrap();
        tells(&path, "7").await;
        assert_eq!(*said.lock().unwrap(), 1);
        packages.send_replace(bundle(8));
        tells(&path, "8").await;
    }

    #[tokio::test]
    async fn a_bundle_that_is_there_stays_until_there_is_a_newer_one() {
        let directory = Directory::new();
        let (path, fresh) = (directory.0.join("live.json"), directory.0.join("fresh.json"));
        std::fs::write(&path, extension().file(bundle(7).as_deref())).unwrap();
        let (packages, package) = watch::channel(None);
        tokio::spawn(keep(path.clone(), extension(), package.clone(), |_| {}));
        tokio::spawn(keep(fresh.clone(), extension(), package, |_| {}));
        // Where there is none, Envoy gets the filter with the built-in rules.
        tells(&fresh, "0").await;
        tells(&path, "7").await;
        packages.send_replace(bundle(8));
        tells(&path, "8").await;
        tells(&fresh, "8").await;
    }
}
