//! An empty Wasm filter for the bench: it holds headers and body until the body is whole, as Azeotrope must, looks at
//! neither, and lets them go. What it costs is the price of being a Wasm filter that needs a body. Configured with `calls`, it
//! makes Azeotrope's calls of the host besides.

#[cfg(target_family = "wasm")]
mod calls;

#[cfg(target_family = "wasm")]
mod filter {
    #![allow(unsafe_code, reason = "the SDK's macro exports the module's initialiser")]

    use crate::calls::Calls;
    use proxy_wasm::traits::{Context, HttpContext, RootContext};
    use proxy_wasm::types::{Action, ContextType};

    #[derive(Default)]
    struct Root {
        calls: bool,
    }
    struct Exchange;

    impl Context for Root {}

    impl RootContext for Root {
        fn on_configure(&mut self, _: usize) -> bool {
            self.calls =
                self.get_plugin_configuration().is_some_and(|bytes| bytes.windows(5).any(|part| part == b"calls"));
            true
        }

        fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
            Some(if self.calls { Box::new(Calls::default()) } else { Box::new(Exchange) })
        }

        fn get_type(&self) -> Option<ContextType> {
            Some(ContextType::HttpContext)
        }
    }

    impl Context for Exchange {}

    impl HttpContext for Exchange {
        fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
            if end_of_stream { Action::Continue } else { Action::Pause }
        }

        fn on_http_request_body(&mut self, _: usize, end_of_stream: bool) -> Action {
            if end_of_stream { Action::Continue } else { Action::Pause }
        }
    }

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(Root::default()));
    }}
}
