//! What the parts of a sidecar have in common.

use super::Options;
use super::access::Access;
use super::ask::Turns;
use super::bodies::Rooms;
use super::metrics::{self, Metrics};
use super::quiet::Quiet;
use super::refusals::QUIET;
use crate::ecds::{Current, Heard};
use crate::signing::Signer;
use crate::store::{Edition, Hash, Outcome, Store};
use axum::body::Bytes;
use azeotrope_engine::bundle::{Manifest, Package, TrustedKeys};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Time between two looks at what is published.
const REFRESH: Duration = Duration::from_millis(200);

/// Time between two lines of the log on who shows no token: an Envoy tries again and again.
const STRANGERS: Duration = Duration::from_secs(60);

/// A bundle with its parts, as it is handed out.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) edition: Arc<Edition>,
    pub(super) manifest: Manifest,
    /// Shared by all who fetch them at once.
    pub(super) parts: HashMap<Hash, Bytes>,
}

/// What the parts of a sidecar have in common.
pub(crate) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) owner: u64,
    pub(super) name: String,
    pub(super) access: Access,
    pub(super) turns: Turns,
    pub(super) rooms: Rooms,
    pub(super) rules_file: Option<PathBuf>,
    pub(super) signer: Signer,
    pub(super) metrics: Metrics,
    /// Lines on filters that are refused.
    pub(super) refusals: Quiet,
    served: Mutex<Option<Served>>,
    /// Those on who shows no token over ECDS.
    strangers: Quiet,
}

impl Shared {
    pub(super) fn new(options: &Options, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            owner: rand::random(),
            name: options.name.clone(),
            access: options.access.clone(),
            turns: Turns::default(),
            rooms: Rooms::default(),
            rules_file: options.rules.clone(),
            signer: options.signer.clone(),
            metrics: Metrics::default(),
            refusals: Quiet::of(QUIET),
            served: Mutex::new(None),
            strangers: Quiet::of(STRANGERS),
        }
    }

    /// What is served now. Nothing that is locked here can panic, so a poisoned lock is as good as any.
    pub(super) fn served(&self) -> Option<Served> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn public_key(&self) -> String {
        self.signer.public().text()
    }

    pub(super) fn trusted(&self) -> TrustedKeys {
        TrustedKeys(vec![self.signer.public()])
    }

    /// A line for who reads the log.
    pub(super) fn say(&self, what: &str) {
        eprintln!("azeotrope {}: {what}", self.name);
    }

    /// Keeps count of how the store is.
    pub(super) fn heed<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        metrics::set(&self.metrics.store_up, u64::from(outcome.is_ok()));
        metrics::add(&self.metrics.store_failed, u64::from(outcome.is_err()));
        outcome
    }

    /// What was heard over ECDS that people should know.
    pub(super) fn ecds_heard(&self, heard: &Heard) {
        match heard {
            Heard::Accepted { .. } => {}
            Heard::Refused { node, version, detail } => {
                metrics::add(&self.metrics.ecds_refused, 1);
                self.say(&format!("ECDS: {node} refuses version {version}: {detail}"));
            }
            Heard::Stranger { address } => {
                metrics::add(&self.metrics.ecds_strangers, 1);
                if self.strangers.pass(Instant::now()).is_some() {
                    let address = address.map_or_else(|| "somebody".to_owned(), |address| address.to_string());
                    self.say(&format!("ECDS: {address} shows no valid token (`initial_metadata`) and is told nothing"));
                }
            }
        }
    }

    /// Takes over what is published; whether it is news.
    fn look(&self) -> Outcome<bool> {
        let Some(edition) = self.store.current()? else { return Ok(false) };
        let before = self.served();
        if before.as_ref().is_some_and(|before| before.edition.version >= edition.version) {
            return Ok(false);
        }
        let Ok((manifest, _)) = Manifest::open(&edition.manifest, &self.trusted()) else {
            self.say("the published bundle is signed with another key than this sidecar's; it is not served");
            return Ok(false);
        };
        let mut parts = HashMap::new();
        for part in &manifest.parts {
            let known = before.as_ref().and_then(|before| before.parts.get(&part.hash).cloned());
            let bytes = match known {
                Some(bytes) => bytes,
                None => match self.store.part(&part.hash)? {
                    Some(bytes) => Bytes::from(bytes),
                    // It was replaced while it was read: the next look finds the next one.
                    None => return Ok(false),
                },
            };
            parts.insert(part.hash, bytes);
        }
        metrics::set(&self.metrics.version, manifest.version);
        metrics::set(&self.metrics.expires, manifest.expires);
        let served = Served { edition: Arc::new(edition), manifest, parts };
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
        Ok(true)
    }

    /// What is served, in one piece.
    fn package(&self) -> Option<Arc<Current>> {
        let Served { edition, manifest, parts } = self.served()?;
        let bytes: Vec<_> =
            manifest.parts.iter().filter_map(|part| parts.get(&part.hash)).map(|part| &part[..]).collect();
        Some(Arc::new(Current { version: manifest.version, package: Package::pack(&edition.manifest, &bytes) }))
    }
}

/// Keeps what is served at what is published. What was served goes on being served while the store is away.
pub(super) async fn refresh(
    shared: Arc<Shared>,
    packages: watch::Sender<Option<Arc<Current>>>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let looking = Arc::clone(&shared);
        let news = tokio::task::spawn_blocking(move || looking.heed(looking.look())).await;
        if matches!(news, Ok(Ok(true))) && packages.receiver_count() > 0 {
            packages.send_replace(shared.package());
        }
        tokio::select! {
            () = tokio::time::sleep(REFRESH) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}
