//! Filters that are refused: a wrong token, or what no sidecar can read. They can hardly tell, so this log does.

use super::access::Peer;
use super::shared::Shared;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time between two lines.
pub(super) const QUIET: Duration = Duration::from_secs(10);

/// Tells of refused batches, and from where they came.
pub(super) async fn told(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let answer = next.run(request).await;
    let status = answer.status();
    // One that was taken before is none.
    if status.is_client_error()
        && status != StatusCode::CONFLICT
        && let Some(held) = shared.refusals.pass(Instant::now())
    {
        let peer = peer.map_or_else(|| "somebody".to_owned(), |Peer(address)| address.to_string());
        let hint = if status == StatusCode::UNAUTHORIZED { " (its token is another than --token-file's)" } else { "" };
        let more = if held > 0 { format!("; {held} more refused since the last such line") } else { String::new() };
        shared.say(&format!("observations from {peer} refused: {status}{hint}{more}"));
    }
    answer
}
