//! The engine behind Envoy's `ext_proc`, as good as it gets: one thread, counters in memory, the body in one piece
//! (`BUFFERED`), no message that is not needed.

use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::digest::Reading;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::route::Route;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Verdict;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::ext_proc::v3::external_processor_server::{
    ExternalProcessor, ExternalProcessorServer,
};
use envoy_types::pb::envoy::service::ext_proc::v3::processing_request::Request as Asked;
use envoy_types::pb::envoy::service::ext_proc::v3::processing_response::Response as Said;
use envoy_types::pb::envoy::service::ext_proc::v3::{
    BodyResponse, CommonResponse, HeaderMutation, HeadersResponse, HttpHeaders, ImmediateResponse, ProcessingRequest,
    ProcessingResponse,
};
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tonic::codegen::tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

pub(crate) async fn serve(listener: TcpListener, plugin: &str) -> Result<(), Box<dyn Error>> {
    let engine = Engine::new(plugin.as_bytes()).map_err(|problems| format!("{problems:?}"))?;
    let shared = Shared { engine, feed: Feed::default(), store: Mutex::default() };
    let service = ExternalProcessorServer::new(Processor(Arc::new(shared)));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Ok(Server::builder().add_service(service).serve_with_incoming(incoming).await?)
}

struct Shared {
    engine: Engine,
    feed: Feed,
    store: Mutex<MemoryStore>,
}

struct Processor(Arc<Shared>);

#[tonic::async_trait]
impl ExternalProcessor for Processor {
    type ProcessStream = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let mut exchange = Exchange { shared: Arc::clone(&self.0), stage: Stage::Begun };
        let answers = request.into_inner().map(move |message| message.map(|message| exchange.answer(message)));
        Ok(Response::new(Box::pin(answers)))
    }
}

/// One HTTP exchange: one stream.
struct Exchange {
    shared: Arc<Shared>,
    stage: Stage,
}

enum Stage {
    Begun,
    Called(Route, Caller),
    Judged(Caller, Box<Reading>),
}

impl Exchange {
    fn answer(&mut self, message: ProcessingRequest) -> ProcessingResponse {
        let said = match message.request {
            Some(Asked::RequestHeaders(headers)) => self.request_headers(headers),
            Some(Asked::RequestBody(body)) => self.request_body(&body.body),
            Some(Asked::ResponseHeaders(headers)) => self.response_headers(headers),
            // Not asked for.
            _ => Said::ResponseHeaders(HeadersResponse::default()),
        };
        ProcessingResponse { response: Some(said), ..ProcessingResponse::default() }
    }

    fn request_headers(&mut self, headers: HttpHeaders) -> Said {
        let headers = pairs(headers);
        let find = |wanted: &[u8]| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_slice());
        let engine = &self.shared.engine;
        if let Some(route) = engine.route(find(b":method").unwrap_or_default(), find(b":path").unwrap_or_default()) {
            let caller = engine.caller(Some(route.dialect), &headers, b"127.0.0.1:1", None);
            self.stage = Stage::Called(route, caller);
        }
        Said::RequestHeaders(HeadersResponse::default())
    }

    fn request_body(&mut self, body: &[u8]) -> Said {
        let Stage::Called(route, caller) = std::mem::replace(&mut self.stage, Stage::Begun) else {
            return Said::RequestBody(BodyResponse::default());
        };
        let Shared { engine, feed, store } = &*self.shared;
        let (now, limit) = (now(), engine.config().inspect_bytes);
        let reading = engine.read(&route, body.get(..limit).unwrap_or(body), body.len() <= limit);
        let store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = engine.judge(&*store, feed, &caller, &reading, now);
        if verdict.action.refuses() {
            return refused(engine, &route, &verdict);
        }
        let label = verdict.label(now);
        self.stage = Stage::Judged(caller, Box::new(reading));
        let response = Some(CommonResponse { header_mutation: set(&[("x-azeotrope", &label)]), ..Default::default() });
        Said::RequestBody(BodyResponse { response })
    }

    fn response_headers(&mut self, headers: HttpHeaders) -> Said {
        if let Stage::Judged(caller, reading) = &self.stage {
            let status = pairs(headers).into_iter().find(|(name, _)| name == b":status");
            let status = status.and_then(|(_, value)| std::str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0);
            let mut store = self.shared.store.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.engine.settle(&mut *store, caller, reading, status, now());
        }
        Said::ResponseHeaders(HeadersResponse::default())
    }
}

fn refused(engine: &Engine, route: &Route, verdict: &Verdict) -> Said {
    let reply = engine.reply(route, verdict);
    let headers: Vec<_> = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Said::ImmediateResponse(ImmediateResponse {
        status: Some(HttpStatus { code: reply.status.into() }),
        headers: set(&headers),
        body: reply.body,
        ..ImmediateResponse::default()
    })
}

fn set(headers: &[(&str, &str)]) -> Option<HeaderMutation> {
    let option = |&(key, value): &(&str, &str)| HeaderValueOption {
        header: Some(HeaderValue { key: key.to_owned(), raw_value: value.as_bytes().to_vec(), ..Default::default() }),
        ..HeaderValueOption::default()
    };
    Some(HeaderMutation { set_headers: headers.iter().map(option).collect(), remove_headers: Vec::new() })
}

fn pairs(headers: HttpHeaders) -> Vec<(Vec<u8>, Vec<u8>)> {
    let headers = headers.headers.map(|map| map.headers).unwrap_or_default();
    headers.into_iter().map(|header| (header.key.into_bytes(), header.raw_value)).collect()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
