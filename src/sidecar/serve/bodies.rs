//! Bodies of requests. Each is read once it is known that its sender may send it, in time, and up to a length; and all that are
//! here at once fit into a room, whole or not: connections are many.

use super::http::refused;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::codegen::tokio_stream::StreamExt;

/// How long a body may take.
const IN_TIME: Duration = Duration::from_secs(10);

/// Rooms for bodies of a kind each: who may send one kind takes no room from another.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Of filters: dozens of workers that had nobody to tell for a while; others try again with their next tick.
    pub(super) batches: Room,
    /// Of who may change rules.
    pub(super) changes: Room,
    /// Of who may read, maybe everybody.
    pub(super) questions: Room,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { batches: Room::new(64 << 20), changes: Room::new(16 << 20), questions: Room::new(32 << 20) }
    }
}

/// Bytes that bodies of a kind may occupy.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// A body that has come whole. It occupies its room until it is dropped.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Room {
    fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Reads a body of at most `limit` bytes.
    pub(super) async fn read(&self, body: Body, limit: usize) -> Result<Whole, Response> {
        let large = || refused(StatusCode::PAYLOAD_TOO_LARGE, &format!("more than {limit} bytes"));
        let slow = |_| refused(StatusCode::REQUEST_TIMEOUT, "the body came too slowly");
        tokio::time::timeout(IN_TIME, self.gathered(body, limit, large)).await.map_err(slow)?
    }

    async fn gathered(&self, body: Body, limit: usize, large: impl Fn() -> Response) -> Result<Whole, Response> {
        let mut whole = Whole { bytes: Vec::new(), room: None };
        let mut frames = body.into_data_stream();
        while let Some(frame) = frames.next().await {
            let Ok(frame) = frame else { return Err(refused(StatusCode::BAD_REQUEST, "the body was cut short")) };
            if whole.bytes.len().saturating_add(frame.len()) > limit {
                return Err(large());
            }
            let before = whole.bytes.capacity();
            whole.bytes.reserve(frame.len());
            // Who has sent little occupies little, and who finds no room gives back what it has: nobody waits for another.
            let more = u32::try_from(whole.bytes.capacity() - before).unwrap_or(u32::MAX);
            let Ok(more) = Arc::clone(&self.0).try_acquire_many_owned(more) else {
                return Err(refused(StatusCode::SERVICE_UNAVAILABLE, "many send just now; try again"));
            };
            match &mut whole.room {
                Some(room) => room.merge(more),
                none => *none = Some(more),
            }
            whole.bytes.extend_from_slice(&frame);
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use std::convert::Infallible;
    use tokio::sync::mpsc;
    use tonic::codegen::tokio_stream::wrappers::ReceiverStream;

    type Sender = mpsc::Sender<Result<Bytes, Infallible>>;

    fn body() -> (Sender, Body) {
        let (to, frames) = mpsc::channel(1);
        (to, Body::from_stream(ReceiverStream::new(frames)))
    }

    async fn status(read: impl Future<Output = Result<Whole, Response>>) -> u16 {
        read.await.map_or_else(|refusal| refusal.status().as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn a_body_is_bounded_whether_it_says_how_long_it_is_or_not() {
        let room = Room::new(1 << 20);
        assert_eq!(room.read(Body::from(vec![7; 100]), 100).await.unwrap().bytes, [7; 100]);
        assert_eq!(status(room.read(Body::from(vec![7; 101]), 100)).await, 413);
        let (to, long) = body();
        to.send(Ok(Bytes::from(vec![7; 101]))).await.unwrap();
        assert_eq!(status(room.read(long, 100)).await, 413);
        assert_eq!(room.0.available_permits(), 1 << 20);
    }

    #[tokio::test]
    async fn bodies_that_do_not_end_occupy_a_room_and_no_more() {
        let room = Arc::new(Room::new(1 << 20));
        let mut unfinished = Vec::new();
        for _ in 0..16 {
            let ((to, body), room) = (body(), Arc::clone(&room));
            let reading = tokio::spawn(async move { status(room.read(body, 1 << 20)).await });
            to.send(Ok(Bytes::from(vec![7; 100_000]))).await.unwrap();
            unfinished.push((reading, to));
        }
        // Ten have room, and the others were told so at once.
        while unfinished.iter().filter(|(reading, _)| reading.is_finished()).count() < 6 {
            tokio::task::yield_now().await;
        }
        assert_eq!(status(room.read(Body::from(vec![7; 100_000]), 1 << 20)).await, 503);
        let mut statuses = Vec::new();
        for (reading, to) in unfinished {
            drop(to);
            statuses.push(reading.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [[200; 10].as_slice(), &[503; 6]].concat());
        assert_eq!(status(room.read(Body::from(vec![7; 100_000]), 1 << 20)).await, 200);
    }
}
