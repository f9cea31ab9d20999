//! OpenTelemetry: the sidecar's metrics, and a span for each request, over OTLP (HTTP with protobuf).
//!
//! Off unless the environment names a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`, or one for a signal); then what OpenTelemetry
//! says of `OTEL_*` holds. A collector that is away costs nothing but what it would have been told.

use super::metrics::{ALL, Metric};
use super::shared::Shared;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the last export may take when the sidecar stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// Largest answer of a collector that is read, in bytes.
const LARGEST: u64 = 64 << 10;
/// What is asked all the time, and tells nothing.
const UNTRACED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// What is exported to.
#[derive(Default)]
pub(super) struct Telemetry {
    meters: Option<SdkMeterProvider>,
    tracers: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins, where the environment says so.
    ///
    /// # Errors
    /// What it asks for that is not built in: gRPC, TLS.
    pub(super) fn begin(shared: &Arc<Shared>) -> Result<Self, String> {
        let client = Collector::new(shared);
        Ok(Self {
            meters: wanted("METRICS")?.then(|| meters(shared, client.clone())).transpose()?,
            tracers: wanted("TRACES")?.then(|| tracers(shared, client)).transpose()?,
        })
    }

    /// The router, with a span for each request.
    pub(super) fn over(&self, router: Router) -> Router {
        match &self.tracers {
            Some(tracers) => router.layer(from_fn_with_state(tracers.tracer("azeotrope"), traced)),
            None => router,
        }
    }

    /// Exports what is left.
    pub(super) fn end(self) {
        let _ = self.meters.map(|meters| meters.shutdown_with_timeout(FAREWELL));
        let _ = self.tracers.map(|tracers| tracers.shutdown_with_timeout(FAREWELL));
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Of a signal or of all: OTEL_EXPORTER_OTLP_<SIGNAL>_<WHAT>, OTEL_EXPORTER_OTLP_<WHAT>.
fn setting(signal: &str, what: &str) -> Option<String> {
    variable(&format!("OTEL_EXPORTER_OTLP_{signal}_{what}")).or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{what}")))
}

/// Whether a signal is to be exported.
fn wanted(signal: &str) -> Result<bool, String> {
    let off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || variable(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|value| value == "none");
    let Some(endpoint) = setting(signal, "ENDPOINT").filter(|_| !off) else { return Ok(false) };
    match setting(signal, "PROTOCOL") {
        Some(protocol) if protocol != "http/protobuf" => {
            Err(format!("OTEL_EXPORTER_OTLP_PROTOCOL: {protocol} is not built in; http/protobuf is"))
        }
        _ if endpoint.starts_with("https:") => {
            Err(format!("{endpoint}: TLS is not built in; name a collector beside the sidecar"))
        }
        _ => Ok(true),
    }
}

/// Who is told of. What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before.
fn resource(shared: &Shared) -> Resource {
    let mut own = vec![
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", shared.name.clone()),
    ];
    let named = variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|attributes| attributes.contains("service.name="));
    if variable("OTEL_SERVICE_NAME").is_none() && !named {
        own.push(KeyValue::new("service.name", "azeotrope-sidecar"));
    }
    Resource::builder().with_attributes(own).build()
}

fn meters(shared: &Arc<Shared>, client: Collector) -> Result<SdkMeterProvider, String> {
    let exporter = MetricExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_http_client(client);
    let exporter = exporter.build().map_err(|error| format!("OpenTelemetry: {error}"))?;
    let reader = PeriodicReader::builder(exporter).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).with_resource(resource(shared)).build();
    let meter = provider.meter("azeotrope");
    for metric in ALL {
        let read = observed(shared, metric);
        // A collector that hands on to Prometheus puts `_total` back.
        let name = metric.name.trim_end_matches("_total");
        if metric.kind == "counter" {
            let counter = meter.u64_observable_counter(name).with_description(metric.help());
            counter.with_callback(move |to| to.observe(read(), &[])).build();
        } else {
            let gauge = meter.u64_observable_gauge(name).with_description(metric.help());
            gauge.with_callback(move |to| to.observe(read(), &[])).build();
        }
    }
    Ok(provider)
}

fn observed(shared: &Arc<Shared>, metric: &'static Metric) -> impl Fn() -> u64 + Send + Sync + use<> {
    let shared = Arc::clone(shared);
    move || metric.value(&shared.metrics)
}

fn tracers(shared: &Arc<Shared>, client: Collector) -> Result<SdkTracerProvider, String> {
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_http_client(client);
    let exporter = exporter.build().map_err(|error| format!("OpenTelemetry: {error}"))?;
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource(shared)).build())
}

/// A span for a request. Its names are those of routes: no client chooses one.
async fn traced(State(tracer): State<SdkTracer>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    if UNTRACED.contains(&route.as_str()) {
        return next.run(request).await;
    }
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    let method = request.method().to_string();
    let builder = tracer.span_builder(format!("{method} {route}")).with_kind(SpanKind::Server);
    let builder = builder
        .with_attributes([KeyValue::new("http.request.method", method), KeyValue::new("http.route", route.clone())]);
    let mut span = tracer.build_with_context(builder, &parent);
    let answer = next.run(request).await;
    let status = answer.status();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if status.is_server_error() {
        span.set_status(Status::error(status.canonical_reason().unwrap_or_default()));
    }
    span.end();
    answer
}

/// The collector, asked from the exporters' own threads.
#[derive(Clone)]
struct Collector {
    agent: ureq::Agent,
    shared: Arc<Shared>,
    /// What went wrong last: said once.
    said: Arc<Mutex<String>>,
}

impl Collector {
    fn new(shared: &Arc<Shared>) -> Self {
        let timeout = variable("OTEL_EXPORTER_OTLP_TIMEOUT").and_then(|value| value.parse().ok()).unwrap_or(10_000);
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(timeout)))
            .max_redirects(0)
            .http_status_as_error(false);
        Self { agent: config.build().into(), shared: Arc::clone(shared), said: Arc::default() }
    }

    fn send(&self, request: axum::http::Request<Bytes>) -> Result<axum::http::Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let request = axum::http::Request::from_parts(parts, body.to_vec());
        let (parts, mut body) = self.agent.run(request)?.into_parts();
        let body = body.with_config().limit(LARGEST).read_to_vec()?;
        Ok(axum::http::Response::from_parts(parts, body.into()))
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Collector")
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: axum::http::Request<Bytes>) -> Result<axum::http::Response<Bytes>, HttpError> {
        let answer = self.send(request);
        let wrong = match &answer {
            Ok(answer) if answer.status().is_success() => String::new(),
            Ok(answer) => format!("OpenTelemetry: the collector answers {}", answer.status()),
            Err(error) => format!("OpenTelemetry: {error}"),
        };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != wrong {
            if !wrong.is_empty() {
                self.shared.say(&wrong);
            }
            *said = wrong;
        }
        Ok(answer?)
    }
}
