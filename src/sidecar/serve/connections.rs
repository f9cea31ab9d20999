//! Connections: bounded in number, in the time a header may take, in the time an idle one is kept, and in the time an answer may
//! wait to be read.

mod patience;

use super::access::Peer;
use axum::Router;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use patience::Patience;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// Connections at once; a fleet's proxies hold a few each. What is beyond waits.
const CONNECTIONS: usize = 8_192;
/// How long the header of a request may take, and how long an idle connection is kept.
const HEADER: Duration = Duration::from_secs(30);
/// How long an answer may wait for the other end to read on.
const UNREAD: Duration = Duration::from_secs(30);
/// How long connections may go on when the sidecar stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves until it is told to stop.
pub(super) async fn accept(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = super::stopping(stopped.clone()) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, say: some will be free soon.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (service, stopped) = (TowerToHyperService::new(router.clone()), stopped.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let mut http = hyper::server::conn::http1::Builder::new();
            let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(Peer(peer.ip()));
                service.call(request)
            });
            http.timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(64 << 10);
            let connection = http.serve_connection(TokioIo::new(Patience::new(stream, UNREAD)), service);
            tokio::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => {}
                () = super::stopping(stopped) => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(FAREWELL, connection).await;
                }
            }
        });
    }
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(FAREWELL, room.acquire_many(all)).await;
}
