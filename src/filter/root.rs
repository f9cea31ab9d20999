//! A plugin configuration becomes an engine; streams keep the one they started with.

use crate::abi::Level;
use crate::hold::Holds;
use crate::host;
use crate::live::Live;
use crate::metrics::{self, Metric};
use crate::stream::Stream;
use crate::tell;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use std::rc::Rc;

/// The context of one configuration of the plugin on one worker.
#[derive(Default)]
pub(crate) struct Root {
    /// `None` until a configuration was accepted: requests pass unjudged.
    live: Option<Rc<Live>>,
    holds: Rc<Holds>,
}

impl Root {
    /// A root that awaits its configuration.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn accept(&mut self, live: Live) {
        metrics::tell(Metric::ConfigAccepted);
        if let Some(engine) = live.engine() {
            self.holds.configure(engine.config().headers);
        }
        self.live = Some(Rc::new(live));
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, size: usize, _trailers: usize) {
        if let Some(live) = &self.live {
            live.answered(&host::answered(token, headers, size));
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
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

    fn on_tick(&mut self) {
        let now = host::now();
        self.holds.tick(now);
        if let Some(live) = &self.live {
            live.tick(now);
        }
        metrics::tell_all();
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.live.clone(), Rc::clone(&self.holds))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
