//! A connection that waits only so long for who does not read.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A connection; a write that gets nowhere for long enough ends it. What is to be written stays in memory until then.
pub(super) struct Patience {
    stream: TcpStream,
    limit: Duration,
    /// Runs while a write gets nowhere.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(super) fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, limit, stuck: None }
    }

    /// What a write gave, unless it waits for too long.
    fn bounded<T>(&mut self, wrote: Poll<Result<T>>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if wrote.is_ready() {
            self.stuck = None;
            return wrote;
        }
        let limit = self.limit;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(limit)));
        stuck.as_mut().poll(context).map(|()| Err(Error::new(ErrorKind::TimedOut, "the other end does not read")))
    }
}

impl AsyncRead for Patience {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, to)
    }
}

impl AsyncWrite for Patience {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.bounded(wrote, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.bounded(wrote, context)
    }

    // Where it is not, bodies are copied.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const LIMIT: Duration = Duration::from_millis(300);
    /// More than the buffers of two sockets.
    const MUCH: usize = 64 << 20;

    async fn pair() -> (Patience, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Patience::new(listener.accept().await.unwrap().0, LIMIT), client)
    }

    #[tokio::test]
    async fn who_does_not_read_is_left() {
        let (mut served, _client) = pair().await;
        let written = tokio::time::timeout(LIMIT * 20, served.write_all(&vec![0; MUCH])).await;
        assert_eq!(written.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_reads_slowly_gets_it_all() {
        let (mut served, mut client) = pair().await;
        let reading = tokio::spawn(async move {
            let (mut all, mut piece) = (0, vec![0; 8 << 20]);
            while let Ok(read @ 1..) = client.read(&mut piece).await {
                all += read;
                tokio::time::sleep(LIMIT / 10).await;
            }
            all
        });
        served.write_all(&vec![0; MUCH]).await.unwrap();
        drop(served);
        assert_eq!(reading.await.unwrap(), MUCH);
    }
}
