//! An empty Wasm filter for the bench: it holds headers and body until the body is whole, as Azeotrope must, looks at
//! neither, and lets them go. What it costs is the price of being a Wasm filter that needs a body.

#[cfg(target_family = "wasm")]
mod filter {
    #![allow(unsafe_code, reason = "the SDK's macro exports the module's initialiser")]

    use proxy_wasm::traits::{Context, HttpContext, RootContext};
    use proxy_wasm::types::{Action, ContextType};

    struct Root;
    struct Exchange;

    impl Context for Root {}

    impl RootContext for Root {
        fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
            Some(Box::new(Exchange))
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
        proxy_wasm::set_root_context(|_| Box::new(Root));
    }}
}
