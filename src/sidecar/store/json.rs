//! Values as JSON.

use super::{Outcome, Store, Unavailable};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The value that was set last; none where it cannot be read: another version wrote it.
pub(crate) fn get_json<T: DeserializeOwned>(store: &dyn Store, key: &str) -> Outcome<Option<T>> {
    Ok(store.get(key)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Sets a value.
pub(crate) fn set_json<T: Serialize + ?Sized>(store: &dyn Store, key: &str, value: &T) -> Outcome<()> {
    let bytes = serde_json::to_vec(value).map_err(|error| Unavailable(format!("this cannot be stored: {error}")))?;
    store.set(key, &bytes)
}
