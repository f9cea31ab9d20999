//! The console: pages for people over the same interface as the program's commands. No build step, nothing from elsewhere.

use super::shared::Shared;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

/// Nothing but the sidecar's own files is run, shown or asked; text never becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

macro_rules! files {
    ($($name:literal: $kind:literal),+ $(,)?) => {
        /// The files by name: their type and their content.
        const FILES: &[(&str, &str, &str)] = &[$(($name, $kind, include_str!(concat!("console/", $name)))),+];
    };
}

files! {
    "index.html": "text/html; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "style.css": "text/css; charset=utf-8",
    "parts.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "api.js": "text/javascript; charset=utf-8",
    "dom.js": "text/javascript; charset=utf-8",
    "words.js": "text/javascript; charset=utf-8",
    "session.js": "text/javascript; charset=utf-8",
    "dialog.js": "text/javascript; charset=utf-8",
    "table.js": "text/javascript; charset=utf-8",
    "chart.js": "text/javascript; charset=utf-8",
    "graph.js": "text/javascript; charset=utf-8",
    "rules-edit.js": "text/javascript; charset=utf-8",
    "overview.js": "text/javascript; charset=utf-8",
    "campaigns.js": "text/javascript; charset=utf-8",
    "campaign.js": "text/javascript; charset=utf-8",
    "account.js": "text/javascript; charset=utf-8",
    "thresholds.js": "text/javascript; charset=utf-8",
    "rules.js": "text/javascript; charset=utf-8",
    "audit.js": "text/javascript; charset=utf-8",
}

/// Tells one build's files from another's.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    FILES.iter().for_each(|(name, _, text)| {
        hash.update(name.as_bytes());
        hash.update(text.as_bytes());
    });
    let mut tag = String::from("\"");
    for byte in hash.finalize().iter().take(12) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
});

/// The pages. They hold nothing that is secret: what they show they ask for, and that may need a login.
pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(|| async { Redirect::to("console/") }))
        .route("/console", get(|| async { Redirect::to("console/") }))
        .route("/console/", get(|headers: HeaderMap| async move { file("index.html", &headers) }))
        .route(
            "/console/{name}",
            get(|Path(name): Path<String>, headers: HeaderMap| async move { file(&name, &headers) }),
        )
}

fn file(name: &str, asked: &HeaderMap) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return super::http::refused(StatusCode::NOT_FOUND, "no such file");
    };
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == TAG.as_bytes());
    let mut answer = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
    };
    let headers = answer.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&TAG) {
        headers.insert(header::ETAG, tag);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_served_under_the_policy_and_known_again() {
        for (name, kind, _) in FILES {
            let answer = file(name, &HeaderMap::new());
            assert_eq!(
                (answer.status(), answer.headers()[header::CONTENT_TYPE].to_str().unwrap()),
                (StatusCode::OK, *kind)
            );
            assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
            let tag = answer.headers()[header::ETAG].clone();
            let again = file(name, &HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]));
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{name}");
        }
        assert_eq!(file("../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn what_the_files_ask_for_is_there() {
        for (name, _, text) in FILES {
            let quoted = text.split(['"', '\'']).filter_map(|part| part.strip_prefix("./"));
            for asked in quoted.filter(|asked| asked.ends_with(".js") || asked.ends_with(".css")) {
                assert!(FILES.iter().any(|(known, ..)| *known == asked), "{name} asks for {asked}");
            }
            // The policy lets none of these through: better known here than in a browser.
            let html = if name.ends_with(".html") { text.to_lowercase() } else { String::new() };
            assert!(!html.contains(" style=") && !html.contains(" onclick") && !html.contains("<style"), "{name}");
            assert!(!text.contains("innerHTML") && !text.contains("eval("), "{name}");
        }
    }
}
