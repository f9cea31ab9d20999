//! The service beside the proxies: hears of their traffic, joins it, and publishes rules.
//!
//! | file | what |
//! |---|---|
//! | `connections`, `http`, `people`, `admin` | the interface: for filters, for people, for changes |
//! | `access` | who asks, and what they may |
//! | `bodies` | what they send, bounded one by one and all together |
//! | `console` | the same interface as pages for people |
//! | `ask`, `answering`, `dossier` | questions to the sidecar that has the duty, and what it knows of a campaign or an account |
//! | `traffic`, `shadow` | traffic and verdicts over time; the observations that rules are tried on |
//! | `joining`, `duty` | the duty that one of several sidecars has: observations into campaigns, all that is known into bundles |
//! | `ruling` | rules into force: those that were submitted, thresholds that keep themselves |
//! | `publisher`, `replaced` | rules, corpora and campaigns into signed bundles; those before them |
//! | `candidate`, `unknown` | rules on their way into force: checked, run in shadow, accepted or refused; campaigns that they misspell |
//! | `hold` | campaigns that would act on too many accounts at once |
//! | `retention` | how long what is known is kept |
//! | `watch`, `files` | the rules document on disk; what it held |
//! | `refusals`, `quiet` | filters that are refused, told in the log now and then |
//! | `shared`, `metrics` | what all of these have in common |
//! | `telemetry` | the same told over OTLP |

mod access;
mod admin;
mod answering;
mod ask;
mod bodies;
mod candidate;
mod connections;
mod console;
mod dossier;
mod duty;
mod files;
mod hold;
mod http;
mod joining;
mod metrics;
#[cfg(test)]
mod pace;
mod people;
mod publisher;
mod quiet;
mod refusals;
mod replaced;
mod retention;
mod ruling;
mod shadow;
mod shared;
mod telemetry;
mod traffic;
mod unknown;
mod watch;

pub(crate) use access::{Access, CLIENT, Network, Proxy, Token};
pub(crate) use candidate::{BUILT_IN, Caution};
pub(crate) use publisher::CORPORA;

use crate::ecds::{self, Extension};
use crate::signing::Signer;
use crate::store::Store;
use shared::Shared;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio::sync::watch as channel;

/// What a sidecar is told to do.
#[derive(Debug)]
pub(crate) struct Options {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// What people call it.
    pub(crate) name: String,
    /// Signs bundles.
    pub(crate) signer: Signer,
    /// Who is let in.
    pub(crate) access: Access,
    /// The rules document on disk.
    pub(crate) rules: Option<PathBuf>,
    /// Corpus files, read.
    pub(crate) corpora: Vec<Vec<u8>>,
    /// How long a bundle holds.
    pub(crate) ttl: Duration,
    /// Time between two publications.
    pub(crate) every: Duration,
    /// How long accounts that are not seen any more are known, and audit records kept.
    pub(crate) keep: Duration,
    /// When new rules are refused.
    pub(crate) caution: candidate::Caution,
    /// When campaigns are held back.
    pub(crate) hold: candidate::Caution,
    /// Whether campaigns begin anew where a later version has saved them.
    pub(crate) begin_anew: bool,
    /// The ECDS file.
    pub(crate) ecds_file: Option<PathBuf>,
    /// Where ECDS is served over gRPC.
    pub(crate) ecds_listen: Option<SocketAddr>,
    /// The filter, as Envoy loads it; needed for either.
    pub(crate) extension: Option<Extension>,
}

/// Runs until it is told to stop (SIGINT or SIGTERM).
///
/// # Errors
/// What it cannot begin with: an address that is taken.
pub(crate) fn run(options: Options, store: Arc<dyn Store>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(serve(options, store))
}

async fn serve(options: Options, store: Arc<dyn Store>) -> Result<(), String> {
    let listener = listen(options.listen).await?;
    let (packages, package) = channel::channel(None);
    let shared = Arc::new(Shared::new(&options, store));
    let telemetry = Telemetry::begin(&shared)?;
    let (stop, stopped) = channel::channel(false);
    let duties = [joining::start(&options, &shared, stopped.clone()), watch::start(&options, &shared, stopped.clone())];
    tokio::spawn(shared::refresh(Arc::clone(&shared), packages, stopped.clone()));
    if let Some(extension) = options.extension {
        if let Some(path) = options.ecds_file {
            let shared = Arc::clone(&shared);
            let say = move |what: &str| shared.say(what);
            tokio::spawn(ecds::keep_file(path, extension.clone(), package.clone(), say));
        }
        if let Some(address) = options.ecds_listen {
            let (listener, shared, stopped) = (listen(address).await?, Arc::clone(&shared), stopped.clone());
            if shared.access.filter.is_none() && has_secrets(&extension.plugin) {
                shared.say(&format!("ECDS: whoever reaches {address} is told `digest_key` and token: no --token-file"));
            }
            tokio::spawn(async move {
                let (filters, hears) = (Arc::clone(&shared), Arc::clone(&shared));
                let lets_in = move |headers: &_| filters.access.is_filter(headers);
                let told = move |heard: ecds::Heard| hears.ecds_heard(&heard);
                if let Err(error) = ecds::serve(listener, extension, package, lets_in, told, stopping(stopped)).await {
                    shared.say(&format!("ECDS: {error}"));
                }
            });
        }
    }
    let at = listener.local_addr().map_or_else(|_| options.listen.to_string(), |at| at.to_string());
    shared.say(&format!("listens on {at}; public key {}", shared.public_key()));
    tokio::spawn(async move {
        signal().await;
        let _ = stop.send(true);
    });
    connections::accept(listener, telemetry.over(http::router(Arc::clone(&shared))), stopped).await;
    for duty in duties {
        let _ = tokio::task::spawn_blocking(move || duty.join()).await;
    }
    let _ = tokio::task::spawn_blocking(move || telemetry.end()).await;
    shared.say("stopped");
    Ok(())
}

/// Whether a plugin configuration has what is not for everybody.
fn has_secrets(plugin: &serde_json::Map<String, serde_json::Value>) -> bool {
    plugin.contains_key("digest_key") || plugin.get("sidecar").is_some_and(|sidecar| sidecar.get("token").is_some())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))
}

/// Ends when the sidecar is to stop.
async fn stopping(mut stopped: channel::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
