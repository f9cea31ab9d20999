//! A few connections, each used by one caller at a time.

use crate::store::{Outcome, Unavailable};
use redis::io::tcp::TcpSettings;
use redis::{Client, Connection, IntoConnectionInfo, RedisResult};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Connections at once.
const MOST: usize = 8;

/// How long a connection may take to come up, with its greeting.
const CONNECT: Duration = Duration::from_secs(1);

/// How long an answer may take, and how long a caller waits for a connection that others use.
const ANSWER: Duration = Duration::from_secs(3);

/// How long it may take with a snapshot in it: of two million accounts it has 300 MiB.
const SNAPSHOT: Duration = Duration::from_secs(60);

/// Connections to one Redis, made when needed and dropped when they fail.
pub(super) struct Pool {
    client: Client,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    used: usize,
}

impl Pool {
    /// Errors: what this build cannot connect to.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let scheme = url.split(':').next().unwrap_or_default();
        if matches!(scheme, "rediss" | "valkeys") {
            return Err(format!(
                "{scheme}: this build has no TLS; reach Redis through a local tunnel (redis:// or redis+unix://)"
            ));
        }
        // The URL may have a password in it: no message repeats it.
        let unusable = |error| format!("the URL of the store cannot be used: {error}");
        let info = url.into_connection_info().map_err(unusable)?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = Client::open(info).map_err(unusable)?;
        Ok(Self { client, state: Mutex::default(), returned: Condvar::new() })
    }

    /// Does something with a connection.
    ///
    /// Whatever fails is not tried again here: it may have happened, and only its answer been lost.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Connection) -> RedisResult<T>) -> Outcome<T> {
        let idle = self.take()?;
        let done = idle.map_or_else(|| self.connect(), Ok).and_then(|mut connection| {
            let answer = work(&mut connection)?;
            Ok((connection, answer))
        });
        match done {
            Ok((connection, answer)) => {
                self.give_back(Some(connection));
                Ok(answer)
            }
            Err(error) => {
                self.give_back(None);
                Err(Unavailable(format!("Redis: {error}")))
            }
        }
    }

    /// The same with a snapshot on its way.
    pub(super) fn patiently<T>(&self, work: impl FnOnce(&mut Connection) -> RedisResult<T>) -> Outcome<T> {
        self.with(|connection| {
            wait(connection, SNAPSHOT)?;
            let answer = work(connection)?;
            wait(connection, ANSWER)?;
            Ok(answer)
        })
    }

    /// The right to use a connection, and one if there is one.
    fn take(&self) -> Outcome<Option<Connection>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.returned.wait_timeout_while(state, ANSWER, |state| state.used >= MOST);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(Unavailable(format!("Redis: all {MOST} connections are busy")));
        }
        state.used += 1;
        Ok(state.idle.pop())
    }

    /// Gives the right back, with the connection if it works; where it does not, the idle ones do not either.
    fn give_back(&self, connection: Option<Connection>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used = state.used.saturating_sub(1);
        match connection {
            Some(connection) => state.idle.push(connection),
            None => state.idle.clear(),
        }
        drop(state);
        self.returned.notify_one();
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(CONNECT)?;
        wait(&connection, ANSWER)?;
        Ok(connection)
    }
}

/// How long a connection is waited for from now on.
fn wait(connection: &Connection, long: Duration) -> RedisResult<()> {
    connection.set_read_timeout(Some(long))?;
    connection.set_write_timeout(Some(long))
}
