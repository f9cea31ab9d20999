//! A plugin configuration becomes an engine; streams keep the one they started with.

use crate::abi::Level;
use crate::edge::EDGE;
use crate::hold::Holds;
use crate::host::{self, Answered};
use crate::left;
use crate::live::Live;
use crate::metrics::{self, Metric};
use crate::moment;
use crate::stream::Stream;
use crate::tell;
use std::rc::Rc;

/// The context of one configuration of the plugin on one worker.
#[derive(Default)]
pub(crate) struct Root {
    /// `None` until a configuration was accepted: requests pass unjudged.
    live: Option<Rc<Live>>,
    holds: Rc<Holds>,
    /// A configuration has come, good or not.
    told: bool,
}

impl Root {
    /// A root that awaits its configuration.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes a configuration of `size` bytes; whether it is in force. Else the one before stays.
    pub(crate) fn configure(&mut self, size: usize) -> bool {
        self.told = true;
        metrics::define();
        let Some(configuration) = host::configuration(size) else {
            tell::always(Level::Error, format_args!("configuration: the host does not hand it out"));
            return false;
        };
        match Live::new(&configuration) {
            Ok(live) => {
                self.accept(live);
                true
            }
            Err(problems) => {
                metrics::tell(Metric::ConfigRefused);
                tell::refused(&problems);
                false
            }
        }
    }

    /// The host's timer.
    pub(crate) fn tick(&mut self) {
        let now = moment::begin();
        self.holds.tick(now);
        if let Some(live) = &self.live {
            live.tick(now);
        }
        left::tick(now);
        metrics::count(Metric::Told);
        metrics::tell_all();
    }

    /// The configuration was replaced, or the module: then it is the `last` of its VM, and no tick follows.
    pub(crate) fn end(self, last: bool) {
        drop(self);
        if last {
            left::end();
        }
        metrics::tell_all();
    }

    /// A call of ours has ended.
    pub(crate) fn answered(&mut self, answered: &Answered) {
        let now = host::now();
        if left::answered(answered, now) {
            return;
        }
        if let Some(live) = &self.live {
            live.answered(answered, now);
        }
    }

    /// The context of an exchange that begins under this configuration.
    pub(crate) fn stream(&mut self, id: u32) -> Stream {
        if EDGE && !self.told {
            // Not every edge hands configurations out.
            self.configure(0);
        }
        Stream::new(id, self.live.clone(), Rc::clone(&self.holds))
    }

    fn accept(&mut self, live: Live) {
        metrics::tell(Metric::ConfigAccepted);
        if let Some(engine) = live.engine() {
            self.holds.configure(engine.config().headers);
        }
        self.live = Some(Rc::new(live));
    }
}
