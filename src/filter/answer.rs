//! The answer to a call that was let through: read as it passes, never held back; of a degraded caller's, the text of
//! reasoning stays here.

use crate::abi::Level;
use crate::exchange::Judged;
use crate::host;
use crate::metrics::{self, Metric};
use crate::moment;
use crate::pairs::{Pairs, encoding, first};
use crate::share::{ANSWERS, Share};
use crate::store::SharedStore;
use crate::tell;
use azeotrope_engine::answer::{Reader, Taken};
use azeotrope_engine::codec::Passing;
use azeotrope_engine::degrade::{Change, Changes, Rewriter};
use azeotrope_engine::dialect::Finish;

/// An answer on its way.
#[derive(Debug)]
pub(crate) struct Answer {
    judged: Judged,
    /// 0 until it has come.
    status: u16,
    reader: Option<(Passing, Reader)>,
    rewriter: Option<Rewriter>,
    share: Share,
}

impl Answer {
    /// An answer that is awaited.
    pub(crate) fn awaited(judged: Judged) -> Self {
        Self { judged, status: 0, reader: None, rewriter: None, share: Share::new(&ANSWERS) }
    }

    /// Its headers have come. `empty`: no body follows.
    pub(crate) fn begin(&mut self, empty: bool) {
        let Some(map) = host::response_headers() else { return };
        let headers: Vec<_> = Pairs::new(&map).collect();
        let header = |name| first(&headers, name).unwrap_or_default();
        let status = std::str::from_utf8(header(":status")).ok().and_then(|status| status.parse().ok());
        let Some(status) = status else { return };
        self.status = status;
        self.judged.settle(status);
        if let Some(grant) = &self.judged.grant {
            host::tell_remaining(&grant.remaining.headers(self.judged.route.dialect, moment::now()));
        }
        let mut changes = self.judged.degraded.unwrap_or_default();
        if !empty && (200..300).contains(&status) {
            let (kind, encoding) = (header("content-type"), encoding(&headers));
            let passing = Passing::of(encoding).filter(|passing| passing.occupies() <= self.share.room());
            let plain = passing.as_ref().is_some_and(Passing::is_plain);
            metrics::add(Metric::AnswersUnread, u32::from(passing.is_none()));
            self.reader = passing.map(|passing| (passing, self.judged.engine.answer(kind)));
            if self.judged.degraded.is_some() {
                let rewriter = self.judged.engine.rewriter(kind, self.judged.at);
                metrics::add(Metric::DegradeMissed, u32::from(rewriter.is_some() && !plain));
                self.rewriter = rewriter.filter(|_| plain && host::forget_response_length());
            }
            self.occupy();
            if self.rewriter.is_some() {
                changes.note(Change::ReasoningText);
            }
        }
        if !changes.is_empty() {
            let names = names(changes);
            host::tell_degraded(&names);
            tell::traffic(
                Level::Info,
                self.judged.at,
                format_args!("{:?}: degraded: {names}", self.judged.route.dialect),
            );
        }
    }

    /// A piece of `size` bytes is passing; `ended`: the last.
    pub(crate) fn passes(&mut self, size: usize, ended: bool) {
        if self.reader.is_none() && self.rewriter.is_none() {
            return;
        }
        let Some(bytes) = host::answer(size) else { return };
        if let Some((passing, reader)) = &mut self.reader {
            passing.push(&bytes, &mut |piece| reader.push(piece));
        }
        if let Some(rewriter) = &mut self.rewriter {
            let mut out = Vec::with_capacity(bytes.len());
            rewriter.bound(self.share.room());
            rewriter.push(&bytes, &mut out);
            if ended {
                rewriter.finish(&mut out);
            }
            if out != bytes {
                host::replace_answer(&out);
            }
        }
        self.occupy();
    }

    /// Tells how much it occupies.
    fn occupy(&mut self) {
        let undoing = self.reader.as_ref().map_or(0, |(passing, _)| passing.occupies());
        self.share.occupy(undoing.saturating_add(self.rewriter.as_ref().map_or(0, Rewriter::occupies)));
    }

    /// It is over, however it ended.
    pub(crate) fn end(self) {
        let read = self.reader.map(|(_, reader)| reader.finish());
        let unread = Taken::default();
        let taken = read.as_ref().unwrap_or(&unread);
        let Judged { engine, route, caller, reading, grant, at, .. } = &self.judged;
        let refused = matches!(taken.finish, Finish::Refusal | Finish::Filter);
        let given = engine.gives(route, &taken.id, taken.blobs.iter().copied());
        let noted = refused || !given.is_empty() || grant.is_some();
        let (mut store, now) = (SharedStore::default(), if noted { moment::now() } else { *at });
        let mut lost = engine.ended(&mut store, caller, reading, taken.finish, now);
        if !given.is_empty() {
            lost = engine.given(&mut store, caller, &given, now).saturating_add(lost);
            self.judged.live.given(caller, &given, now);
        }
        if let Some(grant) = grant {
            lost = engine.charge(&mut store, grant, route, self.status, read.as_ref(), now).saturating_add(lost);
        }
        metrics::add(Metric::StoreLost, lost);
        store.tally();
        if let Some(rewriter) = &self.rewriter {
            metrics::add(Metric::DegradedAnswers, u32::from(!rewriter.changes().is_empty()));
            metrics::add(Metric::DegradeMissed, u32::from(rewriter.untouched() > 0));
        }
        if read.is_some() {
            tally(taken);
            host::tell_usage(&taken.label());
        }
    }
}

fn names(changes: Changes) -> String {
    changes.names().collect::<Vec<_>>().join(", ")
}

fn tally(taken: &Taken) {
    let tokens = [
        (Metric::InputTokens, taken.input_tokens),
        (Metric::OutputTokens, taken.output_tokens),
        (Metric::ReasoningTokens, taken.reasoning_tokens),
        (Metric::CachedTokens, taken.cached_tokens),
    ];
    for (metric, count) in tokens {
        metrics::add(metric, count.map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)));
    }
    metrics::count(Metric::Answers);
    metrics::add(Metric::AnswersEstimated, u32::from(taken.estimated));
    metrics::add(Metric::AnswersTruncated, u32::from(taken.truncated));
    metrics::add(Metric::AnswersRefused, u32::from(taken.finish == Finish::Refusal));
}
