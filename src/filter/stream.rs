//! The phases of one HTTP exchange.
//!
//! The host hands out headers and body only in their phase, so each is taken when its callback comes and the phase is kept
//! here. A request that is no LLM call costs one host call and is forgotten.

use crate::answer::Answer;
use crate::body::{At, Body, Step};
use crate::edge::EDGE;
use crate::entry::Action;
use crate::exchange::{Call, Outcome};
use crate::hold::{Hold, Holds};
use crate::host;
use crate::live::Live;
use crate::pairs::{Pairs, encoding, first};
#[cfg(feature = "trap")]
use azeotrope_engine::caller::Headers;
use std::rc::Rc;

/// Where an exchange is.
enum Phase {
    /// Nothing to do (any more): no LLM call, or settled.
    Idle,
    /// An LLM call whose body is on its way.
    Awaiting {
        call: Call,
        body: Body,
        hold: Option<Rc<Hold>>,
        /// The host keeps the body's pieces together, though the headers have gone.
        gathered: bool,
    },
    /// Let through; its answer is on its way.
    Passed(Box<Answer>),
    /// Answered here: the host ends it.
    Replied,
}

/// One HTTP exchange.
pub(crate) struct Stream {
    id: u32,
    live: Option<Rc<Live>>,
    holds: Rc<Holds>,
    phase: Phase,
}

impl Stream {
    /// An exchange that begins; `live`: the configuration in force, if any.
    pub(crate) fn new(id: u32, live: Option<Rc<Live>>, holds: Rc<Holds>) -> Self {
        Self { id, live, holds, phase: Phase::Idle }
    }

    /// The request headers have come; `ended`: without a body.
    pub(crate) fn request_headers(&mut self, ended: bool) -> Action {
        let Some(call) = self.call() else { return Action::Continue };
        if ended {
            return self.conclude(call.judge(Some(b""), true, true));
        }
        let hold = self.holds.hold(self.id, call.length);
        let held = hold.is_some();
        if EDGE && !held {
            if call.announce() {
                return self.conclude(Outcome::Replied);
            }
            call.keep();
        }
        let body = Body::new(call.engine.config().inspect_bytes, call.length);
        self.phase = Phase::Awaiting { call, body, hold, gathered: false };
        if held { Action::Pause } else { Action::Continue }
    }

    /// The host shows `size` bytes of the request body; `ended`: nothing follows.
    pub(crate) fn request_body(&mut self, size: usize, ended: bool) -> Action {
        self.body(Some((size, ended)))
    }

    /// The request ends with trailers.
    pub(crate) fn request_trailers(&mut self) -> Action {
        self.body(None)
    }

    /// The response headers have come; `ended`: without a body.
    pub(crate) fn response_headers(&mut self, ended: bool) -> Action {
        // Our own replies come by here too; they say nothing about upstream.
        if let Phase::Passed(answer) = &mut self.phase {
            answer.begin(ended);
        }
        if ended {
            self.finish();
        }
        Action::Continue
    }

    /// The host shows `size` bytes of the response body; `ended`: nothing follows.
    pub(crate) fn response_body(&mut self, size: usize, ended: bool) -> Action {
        if let Phase::Passed(answer) = &mut self.phase {
            answer.passes(size, ended);
        }
        if ended {
            self.finish();
        }
        Action::Continue
    }

    /// The response ends with trailers.
    pub(crate) fn response_trailers(&mut self) -> Action {
        self.finish();
        Action::Continue
    }

    /// It is over.
    pub(crate) fn done(mut self) {
        if let Phase::Awaiting { hold: Some(hold), .. } = &self.phase {
            self.holds.forget(hold);
        }
        // A client that has gone, or an upstream that never answered.
        self.finish();
    }

    /// The LLM call that this request is, if it is one. Removes the client's idea of our header from any request.
    fn call(&mut self) -> Option<Call> {
        let live = self.live.take()?;
        let engine = live.engine()?;
        let map = host::request_headers()?;
        let headers: Vec<_> = Pairs::new(&map).collect();
        if first(&headers, host::LABEL_HEADER).is_some() {
            host::remove_label();
        }
        #[cfg(feature = "trap")]
        trap(&headers);
        let route = engine.route(first(&headers, ":method")?, first(&headers, ":path")?)?;
        let claim = engine.config().claim.as_deref().and_then(host::claim);
        let peer = if engine.config().callers.needs_peer(&headers) { host::peer() } else { Vec::new() };
        let caller = engine.caller(Some(route.dialect), &headers, &peer, claim.as_deref());
        let encoding = encoding(&headers);
        let length = first(&headers, "content-length").and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let signed = first(&headers, "authorization").is_some_and(|value| value.starts_with(b"AWS4-"));
        Some(Call { live, engine, route, caller, encoding, length, signed })
    }

    /// Takes a call up that another context has begun.
    fn take_up(&mut self) {
        if EDGE
            && matches!(self.phase, Phase::Idle)
            && let Some(call) = self.live.take().and_then(|live| Call::kept(&live))
        {
            let body = Body::new(call.engine.config().inspect_bytes, call.length);
            self.phase = Phase::Awaiting { call, body, hold: None, gathered: true };
        }
    }

    /// A piece of the body has come, of so many bytes and the last or not; or, without one, its end.
    fn body(&mut self, piece: Option<(usize, bool)>) -> Action {
        self.take_up();
        let Phase::Awaiting { body, hold, gathered, .. } = &mut self.phase else { return self.carry_on() };
        let at = match hold {
            Some(hold) if self.holds.body(hold) => At::Held,
            _ if *gathered => At::Gathered,
            _ => At::Streamed,
        };
        let step = match piece {
            Some((size, ended)) => body.arrived(size, ended, at),
            None => body.ended(at),
        };
        self.proceed(step, at)
    }

    /// Does what the body's state asks for.
    fn proceed(&mut self, step: Step, at: At) -> Action {
        let bytes = host::body(step.read);
        let Some(whole) = step.decide else {
            if let (Phase::Awaiting { body, .. }, Some(bytes)) = (&mut self.phase, bytes) {
                body.keep(bytes);
            }
            return if at == At::Streamed { Action::Continue } else { Action::Pause };
        };
        if EDGE && at == At::Gathered {
            // It is judged once.
            host::keep_call(b"");
        }
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Awaiting { call, mut body, .. } => {
                let readable = bytes.map(|bytes| body.keep(bytes)).is_some();
                self.conclude(call.judge(readable.then(|| body.bytes()), whole, at == At::Held))
            }
            other => {
                self.phase = other;
                self.carry_on()
            }
        }
    }

    fn conclude(&mut self, outcome: Outcome) -> Action {
        self.phase = match outcome {
            // An edge keeps no counters, so what the answer costs is nothing to it.
            Outcome::Pass(_) if EDGE => Phase::Idle,
            Outcome::Pass(judged) => Phase::Passed(Box::new(Answer::awaited(*judged))),
            Outcome::Replied => Phase::Replied,
        };
        self.carry_on()
    }

    /// The answer is over: what is left to do is done.
    fn finish(&mut self) {
        if matches!(self.phase, Phase::Passed(_))
            && let Phase::Passed(answer) = std::mem::replace(&mut self.phase, Phase::Idle)
        {
            answer.end();
        }
    }

    /// A stream that was answered must not be touched again.
    fn carry_on(&self) -> Action {
        if matches!(self.phase, Phase::Replied) { Action::Pause } else { Action::Continue }
    }
}

/// Panics where a test asks for it.
#[cfg(feature = "trap")]
#[allow(clippy::panic, reason = "what a trap does is tested with it")]
fn trap(headers: &Headers<'_>) {
    if let Some(value) = first(headers, "x-azeotrope-trap") {
        panic!("as the test asked: {}", String::from_utf8_lossy(value));
    }
}
