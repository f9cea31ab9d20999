//! What a kind of host has and allows.

/// Who keeps what a module remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contexts {
    /// A VM lives on, and an exchange has one context in it.
    Kept,
    /// Every callback may run on another machine: a new instance, a new context, and of the exchange only its properties.
    Fresh,
}

/// One kind of host.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name, for messages.
    pub name: &'static str,
    /// Functions that it does not have: a module that imports one does not load.
    pub missing: &'static [&'static str],
    /// Whether it hands out plugin configurations; elsewhere they are in the environment variable
    /// `AZEOTROPE_CONFIGURATION`.
    pub configures: bool,
    /// What becomes of contexts.
    pub contexts: Contexts,
    /// Whether body bytes are shown to a module that holds the headers (Envoy: `allow_on_headers_stop_iteration`).
    pub holds_headers: bool,
    /// Whether a paused body is kept until the module goes on; elsewhere it passes whatever the module says.
    pub buffers_bodies: bool,
    /// Whether there are trailers.
    pub trailers: bool,
    /// Whether it comes back with a stream before the call returns that lets go of it.
    pub reenters: bool,
    /// Whether an exchange sees one time from its beginning to its end.
    pub frozen_clock: bool,
    /// Bytes of a VM's memory.
    pub memory: usize,
    /// Instructions of a callback; 0: any number.
    pub instructions: u64,
    /// Bytes that one change of headers or of a body may have.
    pub mutation: usize,
    /// Bytes of module and configuration together.
    pub loaded: usize,
}

/// What only hosts with state have.
const STATE: &[&str] = &[
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_register_shared_queue",
    "proxy_resolve_shared_queue",
    "proxy_enqueue_shared_queue",
    "proxy_dequeue_shared_queue",
    "proxy_set_tick_period_milliseconds",
    "proxy_http_call",
    "proxy_grpc_call",
    "proxy_grpc_stream",
    "proxy_grpc_send",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_get_status",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
    "proxy_get_metric",
    "proxy_call_foreign_function",
];

const MEBIBYTE: usize = 1 << 20;

impl Profile {
    /// Envoy with `allow_on_headers_stop_iteration: true`.
    #[must_use]
    pub fn envoy() -> Self {
        Self {
            name: "Envoy",
            missing: &[],
            configures: true,
            contexts: Contexts::Kept,
            holds_headers: true,
            buffers_bodies: true,
            trailers: true,
            reenters: false,
            frozen_clock: false,
            memory: 1024 * MEBIBYTE,
            instructions: 0,
            mutation: usize::MAX,
            loaded: usize::MAX,
        }
    }

    /// Envoy as Istio and Envoy Gateway set it up.
    #[must_use]
    pub fn istio() -> Self {
        Self { name: "Istio", holds_headers: false, ..Self::envoy() }
    }

    /// Plugins of Google Cloud's Application Load Balancers and Media CDN, by their documentation: no state, no calls, 1 ms
    /// of a 4 GHz processor a callback (at one instruction of WebAssembly a cycle: 4 million), 16 MiB, 5 MiB to load.
    #[must_use]
    pub fn google() -> Self {
        Self {
            name: "Google Cloud",
            missing: STATE,
            holds_headers: false,
            buffers_bodies: false,
            trailers: false,
            frozen_clock: true,
            memory: 16 * MEBIBYTE,
            instructions: 4_000_000,
            mutation: 128 << 10,
            loaded: 5 * MEBIBYTE,
            ..Self::envoy()
        }
    }

    /// Gcore FastEdge, by its SDK's documentation: callbacks of one exchange run on different servers.
    #[must_use]
    pub fn fastedge() -> Self {
        Self {
            name: "Gcore FastEdge",
            missing: STATE,
            contexts: Contexts::Fresh,
            holds_headers: false,
            trailers: false,
            memory: 128 * MEBIBYTE,
            ..Self::envoy()
        }
    }
}
