//! What a CDN edge needs beside: a word to the tier behind before the body is read, and calls that outlive their context.

use crate::exchange::Call;
use crate::host;
use crate::kept::Kept;
use crate::live::Live;
use crate::store::SharedStore;
use azeotrope_engine::digest::Reading;
use std::rc::Rc;

/// Whether this is the build for CDN edges.
pub(crate) const EDGE: bool = cfg!(not(feature = "stateful"));

impl Call {
    /// Judges by what the headers say, for they go on before the body comes; whether the call was answered here. The label
    /// names `unread` among its reasons.
    pub(crate) fn announce(&self) -> bool {
        let now = host::now();
        let reading = Reading { unread: true, ..self.engine.read(&self.route, b"", false) };
        let verdict = self.judged(&SharedStore::default(), &reading, now);
        let label = verdict.label(now);
        host::label_stream(&label);
        if verdict.action.refuses() && host::respond(&self.engine.reply(&self.route, &verdict)) {
            return true;
        }
        host::label_request(&label);
        false
    }

    /// Keeps the call for callbacks that know nothing of this one.
    pub(crate) fn keep(&self) {
        let Self { route, caller, encoding, length, .. } = self;
        let kept = Kept { route: route.clone(), caller: *caller, encoding: *encoding, length: *length };
        host::keep_call(&kept.write());
    }

    /// The call that an earlier callback kept, in a context that knows nothing of it.
    pub(crate) fn kept(live: &Rc<Live>) -> Option<Self> {
        let Kept { route, caller, encoding, length } = Kept::read(&host::kept_call()?)?;
        Some(Self { live: Rc::clone(live), engine: live.engine()?, route, caller, encoding, length, signed: false })
    }
}
