//! A plugin configuration becomes an engine; streams keep the one they started with.

use crate::abi::Level;
use crate::hold::Holds;
use crate::host;
use crate::metrics::{self, Metric};
use crate::stream::Stream;
use crate::tell;
use azeotrope_engine::engine::Engine;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use std::rc::Rc;

/// The context of one configuration of the plugin on one worker.
#[derive(Default)]
pub(crate) struct Root {
    /// `None` until a configuration was accepted: requests pass unjudged.
    engine: Option<Rc<Engine>>,
    holds: Rc<Holds>,
}

impl Root {
    /// A root that awaits its configuration.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn accept(&mut self, engine: Engine) {
        metrics::count(Metric::ConfigAccepted);
        metrics::set(Metric::RulesVersion, engine.config().version);
        self.holds.configure(engine.config().headers);
        self.engine = Some(Rc::new(engine));
    }
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        metrics::define();
        let Some(configuration) = host::configuration(size) else {
            tell::always(Level::Error, format_args!("configuration: the host does not hand it out"));
            return false;
        };
        match Engine::new(&configuration) {
            Ok(engine) => {
                self.accept(engine);
                true
            }
            Err(problems) => {
                metrics::count(Metric::ConfigRefused);
                tell::refused(&problems);
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.holds.tick();
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.engine.clone(), Rc::clone(&self.holds))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
