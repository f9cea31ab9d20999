//! The least an LLM API does: it reads the request to its end and says something.

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use std::error::Error;
use tokio::net::TcpListener;

const ANSWER: &str = concat!(
    r#"{"id":"chatcmpl-1","object":"chat.completion","created":1800000000,"model":"gpt-5.2","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":"Yes, and it can be shown in three steps."},"finish_reason":"stop"}],"#,
    r#""usage":{"prompt_tokens":25,"completion_tokens":11,"total_tokens":36}}"#
);
/// Largest body.
const LARGEST: usize = 4 << 20;

pub(crate) async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    let answer = async |_body: Bytes| ([(CONTENT_TYPE, "application/json")], ANSWER);
    let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(LARGEST));
    Ok(axum::serve(listener, router).await?)
}
