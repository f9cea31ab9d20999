//! An exchange from its first byte to its last, as Envoy's filter chain drives a module.

use super::{Worker, add};
use crate::profile::Contexts;
use crate::stream::{Reach, Stream};
use crate::traffic::{Message, Outcome, Request, Response, Step};
use crate::vm::{Failure, ROOT};

/// Milliseconds that an exchange waits for a module that holds it before it counts as hung.
const PATIENCE: u64 = 10_000;
/// What callbacks answer: go on.
const CONTINUE: u32 = 0;

/// A callback and its arguments behind the context.
#[derive(Clone, Copy)]
enum Hook {
    RequestHeaders(u32, bool),
    RequestBody(u32, bool),
    RequestTrailers(u32),
    ResponseHeaders(u32, bool),
    ResponseBody(u32, bool),
    ResponseTrailers(u32),
}

/// An exchange on its way.
pub(super) struct Exchange<'a> {
    worker: &'a mut Worker,
    pub(super) id: u32,
    outcome: Outcome,
    upstream: Message,
    downstream: Message,
    /// Headers that the module holds.
    held: bool,
}

impl<'a> Exchange<'a> {
    pub(super) fn begin(worker: &'a mut Worker, request: &Request) -> Result<Self, Failure> {
        worker.next += 1;
        let id = worker.next;
        let stream = Stream {
            request: request.headers.clone(),
            peer: request.peer.clone(),
            began: worker.process.clock(),
            ..Stream::default()
        };
        let mut exchange = Self {
            worker,
            id,
            outcome: Outcome::default(),
            upstream: Message::default(),
            downstream: Message::default(),
            held: false,
        };
        match exchange.worker.profile.contexts {
            Contexts::Kept => exchange.enter(stream)?,
            Contexts::Fresh => exchange.worker.parked = Some(stream),
        }
        Ok(exchange)
    }

    /// Gives the exchange a context in the VM.
    fn enter(&mut self, stream: Stream) -> Result<(), Failure> {
        let id = self.id;
        let vm = self.worker.vm();
        vm.state().streams.insert(id, stream);
        vm.call::<(u32, u32), ()>("proxy_on_context_create", (id, ROOT))
    }

    fn stream(&mut self) -> &mut Stream {
        let id = self.id;
        match &mut self.worker.parked {
            Some(stream) => stream,
            None => self.worker.vm.as_mut().and_then(|vm| vm.state().streams.get_mut(&id)).expect("it was entered"),
        }
    }

    fn call(&mut self, hook: Hook) -> Result<u32, Failure> {
        if self.worker.profile.contexts == Contexts::Kept {
            return self.run(hook);
        }
        if let Some(mut old) = self.worker.vm.take() {
            self.worker.memory = self.worker.memory.max(old.memory());
            add(&mut self.worker.calls, &old.state().calls);
        }
        let fresh = self.worker.fresh()?;
        self.worker.vm = Some(fresh);
        let stream = self.worker.parked.take().expect("kept between callbacks");
        self.enter(stream)?;
        let action = self.run(hook)?;
        let id = self.id;
        let stream = self.worker.vm().leave(id)?;
        self.worker.parked = Some(stream);
        Ok(action)
    }

    fn run(&mut self, hook: Hook) -> Result<u32, Failure> {
        let id = self.id;
        let budget = match self.worker.profile.instructions {
            0 => u64::MAX,
            some => some,
        };
        let vm = self.worker.vm();
        vm.state().effective = id;
        let body = |size, end| (id, size, u32::from(end));
        let (name, (action, instructions)) = match hook {
            Hook::RequestHeaders(count, end) => {
                let name = "proxy_on_request_headers";
                (name, vm.measured::<_, u32>(name, body(count, end), budget)?)
            }
            Hook::RequestBody(size, end) => {
                let name = "proxy_on_request_body";
                (name, vm.measured::<_, u32>(name, body(size, end), budget)?)
            }
            Hook::RequestTrailers(count) => {
                let name = "proxy_on_request_trailers";
                (name, vm.measured::<_, u32>(name, (id, count), budget)?)
            }
            Hook::ResponseHeaders(count, end) => {
                let name = "proxy_on_response_headers";
                (name, vm.measured::<_, u32>(name, body(count, end), budget)?)
            }
            Hook::ResponseBody(size, end) => {
                let name = "proxy_on_response_body";
                (name, vm.measured::<_, u32>(name, body(size, end), budget)?)
            }
            Hook::ResponseTrailers(count) => {
                let name = "proxy_on_response_trailers";
                (name, vm.measured::<_, u32>(name, (id, count), budget)?)
            }
        };
        self.outcome.steps.push(Step { hook: name, instructions });
        Ok(action)
    }

    /// Waits for the module to let go of what it holds; whether it did.
    fn await_resume(&mut self) -> Result<bool, Failure> {
        let begun = self.outcome.waited;
        while self.outcome.waited - begun < PATIENCE {
            if std::mem::take(&mut self.stream().resumed) {
                return Ok(true);
            }
            self.worker.wait(1)?;
            self.outcome.waited += 1;
        }
        self.outcome.hung = true;
        Ok(false)
    }

    /// The request's headers go upstream.
    fn headers_go(&mut self) {
        self.held = false;
        self.upstream.headers = self.stream().request.clone();
        self.stream().reach.request = false;
        self.outcome.upstream = Some(Message::default());
    }

    fn replied(&mut self) -> bool {
        self.stream().reply.is_some()
    }

    /// The request's headers; `alone`: nothing follows.
    pub(super) fn headers(&mut self, request: &Request, alone: bool) -> Result<(), Failure> {
        self.stream().reach = Reach { request: true, ..Reach::default() };
        let action = self.call(Hook::RequestHeaders(length(request.headers.len()), alone))?;
        if self.replied() {
            return Ok(());
        }
        self.held = action != CONTINUE;
        let shown = self.worker.profile.holds_headers && !alone;
        let goes = !self.held || (!shown && self.await_resume()?);
        if goes {
            self.headers_go();
        }
        Ok(())
    }

    pub(super) fn request(&mut self, request: &Request) -> Result<(), Failure> {
        self.headers(request, request.chunks.is_empty() && request.trailers.is_none())?;
        if self.replied() || self.outcome.hung {
            return Ok(());
        }
        let mut pieces: Vec<(&[u8], bool)> = request.chunks.iter().map(|chunk| (chunk.as_slice(), false)).collect();
        if request.trailers.is_none() {
            match pieces.last_mut() {
                Some(last) if request.ends_with_last => last.1 = true,
                Some(_) => pieces.push((b"", true)),
                None => {}
            }
        }
        for (piece, end) in pieces {
            self.request_piece(piece, end)?;
            if self.replied() || self.outcome.hung {
                return Ok(());
            }
            if !end && request.pause > 0 {
                self.worker.wait(request.pause)?;
                self.let_go();
            }
        }
        if let Some(trailers) = request.trailers.as_ref().filter(|_| self.worker.profile.trailers) {
            self.stream().reach.request_body = true;
            let action = self.call(Hook::RequestTrailers(length(trailers.len())))?;
            self.stream().reach.request_body = false;
            if self.replied() || (action != CONTINUE && !self.await_resume()?) {
                return Ok(());
            }
        }
        self.body_goes();
        self.upstream.whole = true;
        Ok(())
    }

    /// What a timer resumed goes on.
    fn let_go(&mut self) {
        if std::mem::take(&mut self.stream().resumed) {
            if self.held {
                self.headers_go();
            }
            self.body_goes();
        }
    }

    /// A piece of the body comes: alone, or behind what is held.
    pub(super) fn request_piece(&mut self, piece: &[u8], end: bool) -> Result<(), Failure> {
        let keeps = self.worker.profile.buffers_bodies;
        let stream = self.stream();
        stream.body.extend_from_slice(piece);
        stream.reach.request_body = true;
        let size = length(stream.body.len());
        let action = self.call(Hook::RequestBody(size, end))?;
        self.stream().reach.request_body = false;
        if self.replied() {
            return Ok(());
        }
        if action == CONTINUE || !keeps || (end && self.await_resume()?) {
            self.body_goes();
        }
        Ok(())
    }

    /// What is held of the request goes upstream.
    fn body_goes(&mut self) {
        if self.held {
            self.headers_go();
        }
        let body = std::mem::take(&mut self.stream().body);
        self.upstream.body.extend_from_slice(&body);
    }

    /// The answer comes; `whole`: to its end.
    pub(super) fn respond(&mut self, request: &Request, whole: bool) -> Result<(), Failure> {
        if self.outcome.upstream.is_some() {
            self.outcome.upstream = Some(self.upstream.clone());
        }
        let reply = self.stream().reply.take();
        let response = match reply {
            Some(reply) => {
                self.outcome.replied = true;
                let status = reply.status.to_string().into_bytes();
                let mut headers = vec![(b":status".to_vec(), status)];
                headers.extend(reply.headers);
                Some(Response { headers, chunks: vec![reply.body], trailers: None })
            }
            None if self.upstream.whole => request.response.clone(),
            None => None,
        };
        let Some(response) = response else { return Ok(()) };
        self.stream().response.clone_from(&response.headers);
        self.stream().body.clear();
        self.stream().reach = Reach { response: true, ..Reach::default() };
        let alone = response.chunks.is_empty() && response.trailers.is_none();
        self.call(Hook::ResponseHeaders(length(response.headers.len()), alone))?;
        self.stream().reach.response = false;
        self.downstream.headers = self.stream().response.clone();
        let last = response.chunks.len();
        for (n, chunk) in response.chunks.iter().enumerate() {
            self.stream().body.clone_from(chunk);
            self.stream().reach.response_body = true;
            let end = whole && response.trailers.is_none() && n + 1 == last;
            self.call(Hook::ResponseBody(length(chunk.len()), end))?;
            self.stream().reach.response_body = false;
            let passed = std::mem::take(&mut self.stream().body);
            self.downstream.body.extend_from_slice(&passed);
        }
        if let Some(trailers) = response.trailers.as_ref().filter(|_| whole && self.worker.profile.trailers) {
            self.call(Hook::ResponseTrailers(length(trailers.len())))?;
        }
        self.downstream.whole = whole;
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<Outcome, Failure> {
        let stream = match self.worker.parked.take() {
            Some(stream) => stream,
            None => {
                let id = self.id;
                self.worker.vm().leave(id)?
            }
        };
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        self.outcome.properties = stream.properties.iter().map(|(name, value)| (text(name), text(value))).collect();
        self.outcome.filter_state = stream.filter_state;
        if !self.downstream.headers.is_empty() {
            self.outcome.downstream = Some(self.downstream);
        }
        Ok(self.outcome)
    }
}

fn length(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
