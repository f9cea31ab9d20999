//! ECDS over gRPC: the state of the world, pushed to every Envoy that asks, as soon as it changes.

mod message;

use super::extension::{Current, Extension, TYPE};
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryRequest;
use message::{Encoded, Requests, Way, way};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tonic::body::Body;
use tonic::codegen::http::{self, HeaderMap};
use tonic::codegen::tokio_stream::{Stream, StreamExt};
use tonic::server::NamedService;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tonic::{Status, Streaming};

/// Envoys at once.
const STREAMS: usize = 4_096;
/// Largest request: it names what is wanted, and what was wrong.
const LARGEST: usize = 1 << 20;
/// Characters that are told of what an Envoy found wrong.
const DETAIL: usize = 512;
/// Answers that an Envoy may owe.
const NONCES: usize = 8;
/// Time between two signs of life.
const ALIVE: Duration = Duration::from_secs(30);
/// How long the only request of a call may take.
const REQUEST: Duration = Duration::from_secs(10);
/// How long a message may wait to be read: who is slower holds a bundle that nobody else has a use for any more.
const UNREAD: Duration = Duration::from_secs(60);

/// What an Envoy said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It runs a version.
    Accepted { node: String, version: String },
    /// It refuses what it was sent, and goes on with what it has.
    Refused { node: String, version: String, detail: String },
    /// Somebody shows no valid token, and is told nothing.
    Stranger { address: Option<IpAddr> },
}

type Bundles = watch::Receiver<Option<Arc<Current>>>;
type Versions = watch::Receiver<Arc<Encoded>>;
type Told = Arc<dyn Fn(Heard) + Send + Sync>;
type LetsIn = Arc<dyn Fn(&HeaderMap) -> bool + Send + Sync>;

/// Serves until `stop` ends. `lets_in`: whether headers show the token that filters show: what is handed out has their secrets.
///
/// # Errors
/// What ended it early.
pub(crate) async fn serve(
    listener: TcpListener,
    extension: Extension,
    mut bundles: Bundles,
    lets_in: impl Fn(&HeaderMap) -> bool + Send + Sync + 'static,
    told: impl Fn(Heard) + Send + Sync + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let current = bundles.borrow_and_update().clone();
    let (encode, versions) = watch::channel(Arc::new(Encoded::of(&extension, current.as_deref())));
    let service = Service {
        name: extension.name.as_str().into(),
        versions,
        lets_in: Arc::new(lets_in),
        told: Arc::new(told),
        room: Arc::new(Semaphore::new(STREAMS)),
    };
    let encoding = async move {
        while bundles.changed().await.is_ok() {
            let (extension, current) = (extension.clone(), bundles.borrow_and_update().clone());
            // A bundle of 64 MiB takes a while.
            let encoded = tokio::task::spawn_blocking(move || Encoded::of(&extension, current.as_deref())).await;
            if let Ok(encoded) = encoded {
                encode.send_replace(Arc::new(encoded));
            }
        }
        // Nothing new comes; what there is goes on being served.
        std::future::pending::<()>().await;
    };
    let serving = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(ALIVE))
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop);
    tokio::select! {
        served = serving => served.map_err(|error| error.to_string()),
        () = encoding => Ok(()),
    }
}

/// The discovery service. Not what is generated for it, which would encode a bundle for every stream that is sent it.
#[derive(Clone)]
struct Service {
    /// What the filter is called.
    name: Arc<str>,
    versions: Versions,
    lets_in: LetsIn,
    told: Told,
    room: Arc<Semaphore>,
}

impl NamedService for Service {
    const NAME: &'static str = "envoy.service.extension.v3.ExtensionConfigDiscoveryService";
}

/// One Envoy.
struct Peer {
    /// What the filter is called.
    name: Arc<str>,
    told: Told,
    node: String,
    /// Whether it wants the filter.
    wants: bool,
    /// Whether it came with a version that it runs.
    runs: bool,
    nonce: u64,
    /// The version it was sent last.
    sent: Option<u64>,
    /// The versions of the latest nonces.
    versions: VecDeque<(u64, u64)>,
}

impl Peer {
    /// Takes a request: a wish, or an answer to what was sent.
    fn heard(&mut self, request: &DiscoveryRequest) -> Result<(), Status> {
        ours(request)?;
        if let Some(node) = request.node.as_ref().filter(|node| !node.id.is_empty()) {
            self.node = node.id.chars().take(DETAIL).collect();
        }
        self.runs |= !request.version_info.is_empty();
        let of = |(nonce, _): &&(u64, u64)| nonce.to_string() == request.response_nonce;
        let version = self.versions.iter().find(of).map(|(_, version)| version.to_string());
        let node = self.node.clone();
        if let Some(error) = &request.error_detail {
            let detail = error.message.chars().filter(|character| !character.is_control()).take(DETAIL).collect();
            let version = version.unwrap_or_else(|| "unknown".to_owned());
            (self.told)(Heard::Refused { node, version, detail });
        } else if let Some(version) = version {
            (self.told)(Heard::Accepted { node, version });
        }
        self.wants =
            request.resource_names.is_empty() || request.resource_names.iter().any(|name| **name == *self.name);
        Ok(())
    }

    /// What it is to be sent, and under which nonce, unless it has been.
    fn next(&mut self, versions: &Versions) -> Option<(Arc<Encoded>, u64)> {
        let encoded = Arc::clone(&versions.borrow());
        // What it runs may have a bundle that still holds: nothing takes its place before there is one here.
        if !encoded.bundled && self.runs {
            return None;
        }
        if !self.wants || self.sent == Some(encoded.version) {
            return None;
        }
        self.sent = Some(encoded.version);
        self.nonce += 1;
        self.versions.push_back((self.nonce, encoded.version));
        if self.versions.len() > NONCES {
            self.versions.pop_front();
        }
        Some((encoded, self.nonce))
    }
}

fn ours(request: &DiscoveryRequest) -> Result<(), Status> {
    match request.type_url.as_str() {
        "" | TYPE => Ok(()),
        _ => Err(Status::invalid_argument(format!("only {TYPE} is served here"))),
    }
}

impl Service {
    /// Begins to answer; nothing of a body is read before it is known who asks.
    fn answer(&self, request: http::Request<Body>) -> Result<Body, Status> {
        if !(self.lets_in)(request.headers()) {
            let address = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
            (self.told)(Heard::Stranger { address: address.map(|address| address.ip()) });
            let reason = "no valid token: `authorization: Bearer ...` is expected in the metadata (`initial_metadata`)";
            return Err(Status::unauthenticated(reason));
        }
        let (parts, body) = request.into_parts();
        let room = Arc::clone(&self.room).try_acquire_owned();
        let room = room.map_err(|_| Status::resource_exhausted("too many streams"))?;
        let requests = Streaming::new_request(Requests, body, None, Some(LARGEST));
        let (to, frames) = way(UNREAD);
        let versions = self.versions.clone();
        match parts.uri.path().rsplit('/').next() {
            Some("StreamExtensionConfigs") => {
                let peer = Peer {
                    name: Arc::clone(&self.name),
                    told: Arc::clone(&self.told),
                    node: String::new(),
                    wants: false,
                    runs: false,
                    nonce: 0,
                    sent: None,
                    versions: VecDeque::new(),
                };
                tokio::spawn(async move {
                    let _room = room;
                    attend(peer, requests, versions, to).await;
                });
            }
            Some("FetchExtensionConfigs") => {
                tokio::spawn(async move {
                    let _room = room;
                    let status = match fetch(requests, &versions, &to).await {
                        Ok(()) => Status::ok(""),
                        Err(refusal) => refusal,
                    };
                    to.end(status).await;
                });
            }
            Some("DeltaExtensionConfigs") => {
                let reason = "the incremental protocol is not served: set `api_type: GRPC`";
                return Err(Status::unimplemented(reason));
            }
            _ => return Err(Status::unimplemented("no such call")),
        }
        Ok(Body::new(frames))
    }
}

impl tonic::codegen::Service<http::Request<Body>> for Service {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = self.answer(request).map(|body| {
            let mut answer = http::Response::new(body);
            let kind = http::HeaderValue::from_static("application/grpc");
            answer.headers_mut().insert(http::header::CONTENT_TYPE, kind);
            answer
        });
        ready(Ok(answer.unwrap_or_else(Status::into_http)))
    }
}

/// Answers one request.
async fn fetch(mut requests: Streaming<DiscoveryRequest>, versions: &Versions, to: &Way) -> Result<(), Status> {
    let request = tokio::time::timeout(REQUEST, requests.message()).await;
    let request = request.map_err(|_| Status::deadline_exceeded("the request came too slowly"))??.unwrap_or_default();
    ours(&request)?;
    let encoded = Arc::clone(&versions.borrow());
    if !encoded.bundled && !request.version_info.is_empty() {
        return Err(Status::unavailable("there is no bundle yet"));
    }
    match to.send(encoded, 1).await {
        true => Ok(()),
        false => Err(Status::deadline_exceeded("it was not read in time")),
    }
}

/// Speaks with one Envoy until it goes.
async fn attend(
    mut peer: Peer,
    requests: impl Stream<Item = Result<DiscoveryRequest, Status>>,
    mut versions: Versions,
    to: Way,
) {
    tokio::pin!(requests);
    loop {
        tokio::select! {
            request = requests.next() => {
                let Some(Ok(request)) = request else { return };
                if let Err(refusal) = peer.heard(&request) {
                    return to.end(refusal).await;
                }
            }
            changed = versions.changed() => if changed.is_err() { return },
        }
        if let Some((encoded, nonce)) = peer.next(&versions)
            && !to.send(encoded, nonce).await
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
