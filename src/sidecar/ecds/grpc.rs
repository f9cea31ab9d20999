//! ECDS over gRPC: the state of the world, pushed to every Envoy that asks, as soon as it changes.

use super::extension::{Current, Extension, TYPE};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::{
    ExtensionConfigDiscoveryService, ExtensionConfigDiscoveryServiceServer,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::tokio_stream::{Stream, StreamExt};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

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

/// What an Envoy said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It runs a version.
    Accepted { node: String, version: String },
    /// It refuses what it was sent, and goes on with what it has.
    Refused { node: String, version: String, detail: String },
}

type Bundles = watch::Receiver<Option<Arc<Current>>>;
type Told = Arc<dyn Fn(Heard) + Send + Sync>;

/// Serves until `stop` ends.
///
/// # Errors
/// What ended it early.
pub(crate) async fn serve(
    listener: TcpListener,
    extension: Extension,
    bundles: Bundles,
    told: impl Fn(Heard) + Send + Sync + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let service = Service {
        extension: Arc::new(extension),
        bundles,
        told: Arc::new(told),
        room: Arc::new(Semaphore::new(STREAMS)),
    };
    let service = ExtensionConfigDiscoveryServiceServer::new(service)
        .max_decoding_message_size(LARGEST)
        .max_encoding_message_size(usize::MAX);
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(ALIVE))
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop)
        .await
        .map_err(|error| error.to_string())
}

struct Service {
    extension: Arc<Extension>,
    bundles: Bundles,
    told: Told,
    room: Arc<Semaphore>,
}

/// One Envoy.
struct Peer {
    extension: Arc<Extension>,
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
        if request.type_url != TYPE && !request.type_url.is_empty() {
            return Err(Status::invalid_argument(format!("only {TYPE} is served here")));
        }
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
        self.wants = request.resource_names.is_empty() || request.resource_names.contains(&self.extension.name);
        Ok(())
    }

    /// What it is to be sent, unless it has been.
    fn next(&mut self, bundles: &Bundles) -> Option<DiscoveryResponse> {
        let current = bundles.borrow().clone();
        // What it runs may have a bundle that still holds: nothing takes its place before there is one here.
        if current.is_none() && self.runs {
            return None;
        }
        let version = current.as_ref().map_or(0, |current| current.version);
        if !self.wants || self.sent == Some(version) {
            return None;
        }
        self.sent = Some(version);
        self.nonce += 1;
        self.versions.push_back((self.nonce, version));
        if self.versions.len() > NONCES {
            self.versions.pop_front();
        }
        Some(response(&self.extension, current.as_deref(), self.nonce))
    }
}

fn response(extension: &Extension, current: Option<&Current>, nonce: u64) -> DiscoveryResponse {
    DiscoveryResponse {
        version_info: current.map_or(0, |current| current.version).to_string(),
        resources: vec![extension.resource(current)],
        type_url: TYPE.to_owned(),
        nonce: nonce.to_string(),
        ..DiscoveryResponse::default()
    }
}

#[tonic::async_trait]
impl ExtensionConfigDiscoveryService for Service {
    type StreamExtensionConfigsStream = ReceiverStream<Result<DiscoveryResponse, Status>>;
    type DeltaExtensionConfigsStream = ReceiverStream<Result<DeltaDiscoveryResponse, Status>>;

    async fn stream_extension_configs(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamExtensionConfigsStream>, Status> {
        let room = Arc::clone(&self.room).try_acquire_owned();
        let room = room.map_err(|_| Status::resource_exhausted("too many streams"))?;
        let peer = Peer {
            extension: Arc::clone(&self.extension),
            told: Arc::clone(&self.told),
            node: String::new(),
            wants: false,
            runs: false,
            nonce: 0,
            sent: None,
            versions: VecDeque::new(),
        };
        // One that is sent and one that waits: what is older is of no use.
        let (to, responses) = mpsc::channel(1);
        let bundles = self.bundles.clone();
        tokio::spawn(async move {
            let _room = room;
            attend(peer, request.into_inner(), bundles, to).await;
        });
        Ok(Response::new(ReceiverStream::new(responses)))
    }

    async fn delta_extension_configs(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaExtensionConfigsStream>, Status> {
        Err(Status::unimplemented("the incremental protocol is not served: set `api_type: GRPC`"))
    }

    async fn fetch_extension_configs(
        &self,
        request: Request<DiscoveryRequest>,
    ) -> Result<Response<DiscoveryResponse>, Status> {
        let request = request.into_inner();
        if request.type_url != TYPE && !request.type_url.is_empty() {
            return Err(Status::invalid_argument(format!("only {TYPE} is served here")));
        }
        let current = self.bundles.borrow().clone();
        if current.is_none() && !request.version_info.is_empty() {
            return Err(Status::unavailable("there is no bundle yet"));
        }
        Ok(Response::new(response(&self.extension, current.as_deref(), 1)))
    }
}

/// Speaks with one Envoy until it goes.
async fn attend(
    mut peer: Peer,
    requests: impl Stream<Item = Result<DiscoveryRequest, Status>>,
    mut bundles: Bundles,
    to: mpsc::Sender<Result<DiscoveryResponse, Status>>,
) {
    tokio::pin!(requests);
    loop {
        tokio::select! {
            request = requests.next() => {
                let Some(Ok(request)) = request else { return };
                if let Err(refusal) = peer.heard(&request) {
                    let _ = to.send(Err(refusal)).await;
                    return;
                }
            }
            changed = bundles.changed() => if changed.is_err() { return },
        }
        if let Some(response) = peer.next(&bundles)
            && to.send(Ok(response)).await.is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
