//! Stores to try: one in a directory that goes away, and a Redis of the test's own.

use crate::directory::Directory;
use crate::store::embedded::Embedded;
use crate::store::redis::Redis;
use crate::store::{Limits, Records};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A Redis that forgets everything when it ends.
pub(in crate::store) struct Server {
    port: u16,
    child: Option<Child>,
    directory: Directory,
}

impl Server {
    pub(in crate::store) fn new() -> Self {
        let mut server = Self { port: 0, child: None, directory: Directory::new() };
        // Another test may take the port first: then with the next one.
        for _ in 0..10 {
            server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if server.start() {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    /// Starts it on its port; `false`: it ended at once.
    pub(in crate::store) fn start(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &self.port.to_string()]);
        command.arg("--dir").arg(&self.directory.0).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("these tests need `redis-server` (Redis 6.2 or later) in PATH");
        let child = self.child.insert(child);
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(20));
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            if client.get_connection_with_timeout(Duration::from_secs(1)).is_ok() {
                return true;
            }
        }
        false
    }

    pub(in crate::store) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(in crate::store) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) fn embedded(limits: Limits) -> (Embedded, Directory) {
    let directory = Directory::new();
    (Embedded::new(&directory.0, limits).unwrap(), directory)
}

pub(super) fn redis(limits: Limits) -> (Redis, Server) {
    let server = Server::new();
    let redis = Redis::new(&server.url(), limits).unwrap();
    assert_eq!(redis.get("").unwrap(), None, "a Redis of our own is empty");
    (redis, server)
}
