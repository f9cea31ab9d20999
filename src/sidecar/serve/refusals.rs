//! Filters that are refused: a wrong token, or what no sidecar can read. They can hardly tell, so this log does.

use super::access::Peer;
use super::shared::Shared;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines.
const QUIET: Duration = Duration::from_secs(10);

/// When that was last told, and how many were refused since.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<(Option<Instant>, u64)>);

impl Refusals {
    /// Whether a refusal is told: with how many that were not, since the last that was.
    fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.is_some_and(|told| now.duration_since(told) < QUIET) {
            state.1 += 1;
            return None;
        }
        *state = (Some(now), state.1);
        Some(std::mem::take(&mut state.1))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_ten_seconds_that_counts_the_others() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let pass = |seconds| refusals.pass(now + Duration::from_secs(seconds));
        assert_eq!([0, 1, 9, 10, 11, 20].map(pass), [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
