//! What goes over the wire: a bundle encoded once for all who are sent it, in pieces, to who reads them in time.

use super::super::extension::{Current, Extension, TYPE};
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use hyper::body::{Body, Frame};
use prost::Message;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tonic::Status;
use tonic::codec::{DecodeBuf, Decoder};
use tonic::codegen::Bytes;
use tonic::codegen::http::HeaderMap;

/// Bytes of a piece: what is copied for each stream, of which two may wait there.
const PIECE: usize = 16 << 10;

/// A version of the filter as it is sent: all but the nonce, which is the stream's own.
#[derive(Debug)]
pub(super) struct Encoded {
    /// 0: without a bundle.
    pub(super) version: u64,
    /// There is a bundle.
    pub(super) bundled: bool,
    message: Vec<u8>,
}

impl Encoded {
    pub(super) fn of(extension: &Extension, current: Option<&Current>) -> Self {
        let version = current.map_or(0, |current| current.version);
        let response = DiscoveryResponse {
            version_info: version.to_string(),
            resources: vec![extension.resource(current)],
            type_url: TYPE.to_owned(),
            ..DiscoveryResponse::default()
        };
        Self { version, bundled: current.is_some(), message: response.encode_to_vec() }
    }

    /// The pieces of a message with this nonce. Protobuf reads what stands one behind the other as one message.
    fn pieces(&self, nonce: u64) -> Option<impl Iterator<Item = Bytes>> {
        let nonce = DiscoveryResponse { nonce: nonce.to_string(), ..DiscoveryResponse::default() }.encode_to_vec();
        let length = u32::try_from(self.message.len() + nonce.len()).ok()?;
        // Not compressed.
        let head = [&[0], &length.to_be_bytes()[..], &nonce].concat();
        Some(std::iter::once(head.into()).chain(self.message.chunks(PIECE).map(Bytes::copy_from_slice)))
    }
}

/// The way to who listens; dropped, it ends what they read.
pub(super) struct Way {
    to: mpsc::Sender<Frame<Bytes>>,
    limit: Duration,
}

/// What they read.
pub(super) struct Frames(mpsc::Receiver<Frame<Bytes>>);

/// `limit`: how long a message may wait to be read, whole.
pub(super) fn way(limit: Duration) -> (Way, Frames) {
    let (to, frames) = mpsc::channel(1);
    (Way { to, limit }, Frames(frames))
}

impl Way {
    /// Sends a version; `false`: nobody reads it, or not in time.
    pub(super) async fn send(&self, encoded: Arc<Encoded>, nonce: u64) -> bool {
        let Some(pieces) = encoded.pieces(nonce) else { return false };
        let sending = async {
            for piece in pieces {
                if self.to.send(Frame::data(piece)).await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(self.limit, sending).await.unwrap_or(false)
    }

    /// Says how it ended.
    pub(super) async fn end(self, status: Status) {
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_ok() {
            let _ = tokio::time::timeout(self.limit, self.to.send(Frame::trailers(trailers))).await;
        }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}

/// Reads requests.
pub(super) struct Requests;

impl Decoder for Requests {
    type Item = DiscoveryRequest;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<DiscoveryRequest>, Status> {
        let request = DiscoveryRequest::decode(from);
        request.map(Some).map_err(|error| Status::invalid_argument(format!("no discovery request: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded() -> Arc<Encoded> {
        let plugin = serde_json::Map::new();
        let extension = Extension { name: "azeotrope".into(), module: "/m".into(), vm_id: "v".into(), plugin };
        let current = Current { version: 7, package: vec![1; 10 * PIECE] };
        Arc::new(Encoded::of(&extension, Some(&current)))
    }

    #[test]
    fn pieces_are_one_message_with_the_streams_own_nonce() {
        let encoded = encoded();
        let message = encoded.pieces(12).unwrap().collect::<Vec<_>>().concat();
        let (head, message) = message.split_at(5);
        assert_eq!(head, [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..]].concat());
        let response = DiscoveryResponse::decode(message).unwrap();
        assert_eq!((response.version_info.as_str(), response.nonce.as_str()), ("7", "12"));
        assert_eq!((response.type_url.as_str(), response.resources.len()), (TYPE, 1));
    }

    #[tokio::test]
    async fn who_does_not_read_holds_nothing_for_long() {
        let (way, unread) = way(Duration::from_millis(50));
        let encoded = encoded();
        let held = Arc::downgrade(&encoded);
        assert!(!way.send(encoded, 1).await);
        assert!(held.upgrade().is_none() && unread.0.len() == 1);
    }
}
