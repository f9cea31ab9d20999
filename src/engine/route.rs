//! Which path speaks which dialect.

use crate::dialect::Dialect;

/// A request's dialect and what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The dialect.
    pub dialect: Dialect,
    /// The model, where the path names it (Gemini, Bedrock, Vertex); else empty.
    pub model: String,
    /// A streamed answer is asked for by the path (streamGenerateContent, converse-stream, streamRawPredict).
    pub stream: bool,
}

/// The configured paths.
#[derive(Clone, Debug, Default)]
pub struct Routes;

impl Routes {
    /// The route of a request, or `None` where it is no LLM call.
    #[must_use]
    pub fn find(&self, method: &[u8], path: &[u8]) -> Option<Route> {
        let dialect = match path {
            b"/v1/chat/completions" => Dialect::ChatCompletions,
            b"/v1/messages" => Dialect::Messages,
            _ => return None,
        };
        (method == b"POST").then(|| Route { dialect, model: String::new(), stream: false })
    }
}
