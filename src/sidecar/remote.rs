//! A sidecar, as the commands ask it over HTTP.

use crate::commands::Failure;
use crate::serve::CLIENT;
use serde_json::Value;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Agent;
use ureq::http::Uri;

/// Largest answer that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// A sidecar on this machine.
pub(crate) const HERE: &str = "http://127.0.0.1:8470";

/// The sidecar that the environment names.
pub(crate) fn usual() -> Option<String> {
    std::env::var("AZEOTROPE_SIDECAR").ok().filter(|url| !url.is_empty())
}

/// Where a sidecar is.
#[derive(Debug, clap::Args)]
pub(crate) struct Sidecar {
    /// Address of a sidecar; absent: that of AZEOTROPE_SIDECAR, else http://127.0.0.1:8470. Asked through the proxy of HTTP_PROXY
    /// unless it is on this machine or in NO_PROXY
    // The variable is no matter of clap's: it would stand in the way of options that go without a sidecar.
    #[arg(long = "sidecar", value_name = "URL")]
    url: Option<String>,
    /// File with the admin token, for changes
    #[arg(long, value_name = "FILE", env = "AZEOTROPE_ADMIN_TOKEN_FILE")]
    admin_token_file: Option<PathBuf>,
}

/// What a sidecar answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Where it comes from.
    place: String,
    pub(crate) status: u16,
    /// What it calls this state of the rules.
    pub(crate) tag: String,
    pub(crate) body: String,
}

impl Answer {
    /// The answer as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The answer as JSON, which has a member that such an answer of a sidecar has.
    ///
    /// # Errors
    /// It says no, or it has none: something else than a sidecar answers there.
    pub(crate) fn telling(&self, member: &str) -> Result<Value, Failure> {
        let json = self.json();
        match self.status {
            200 if !at(&json, member).is_null() => Ok(json),
            200 => Err(Failure::Sidecar(format!("{}: this is no answer of a sidecar", self.place))),
            status => Err(declined(&self.place, status, &reason(self))),
        }
    }

    /// Whether it is a sidecar that says no, with this status.
    pub(crate) fn refuses(&self, statuses: &[u16]) -> bool {
        statuses.contains(&self.status) && at(&self.json(), "/error").is_string()
    }
}

impl Sidecar {
    /// A sidecar at a URL.
    pub(crate) fn at(url: &str, admin_token_file: Option<PathBuf>) -> Self {
        Self { url: Some(url.to_owned()), admin_token_file }
    }

    fn url(&self) -> String {
        self.url.clone().or_else(usual).unwrap_or_else(|| HERE.to_owned())
    }

    /// Asks.
    ///
    /// # Errors
    /// No answer, or one that says no.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.get_or(path, &[])
    }

    /// Asks for what may not be there: an answer with one of these statuses is one, too.
    ///
    /// # Errors
    /// No answer, or one that says no otherwise.
    pub(crate) fn get_or(&self, path: &str, statuses: &[u16]) -> Result<Answer, Failure> {
        let mut request = self.agent().get(self.address(path)).header(CLIENT, "cli");
        // Reading may need a login.
        if self.admin_token_file.is_some() {
            request = request.header("authorization", self.authorization()?);
        }
        let answer = self.answered(path, request.call())?;
        match answer.status {
            200 => Ok(answer),
            _ if answer.refuses(statuses) => Ok(answer),
            status => Err(declined(&answer.place, status, &reason(&answer))),
        }
    }

    /// Asks as a filter does, with its token where there is one; at most `limit` bytes.
    ///
    /// # Errors
    /// No answer, one that says no, or a longer one.
    pub(crate) fn bytes(&self, path: &str, token: Option<&str>, limit: u64) -> Result<Vec<u8>, Failure> {
        let request = self.agent().get(self.address(path));
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let failed = |error| self.silent(path, &error);
        let mut answer = request.call().map_err(failed)?;
        let body = answer.body_mut().with_config().limit(limit).read_to_vec().map_err(failed)?;
        match answer.status().as_u16() {
            200 => Ok(body),
            status => Err(declined(&self.address(path), status, &String::from_utf8_lossy(&body))),
        }
    }

    /// Changes something; the answer may say no.
    ///
    /// # Errors
    /// No answer.
    pub(crate) fn put(&self, path: &str, query: &[(&str, &str)], seen: &str, body: &str) -> Result<Answer, Failure> {
        let mut request = self.agent().put(self.address(path));
        if !seen.is_empty() {
            request = request.header("if-match", seen);
        }
        let request = query.iter().fold(request, |request, (name, value)| request.query(*name, *value));
        let request = request.header(CLIENT, "cli").header("authorization", self.authorization()?);
        self.answered(path, request.send(body))
    }

    /// The same without a document.
    ///
    /// # Errors
    /// No answer.
    pub(crate) fn post(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let request = query
            .iter()
            .fold(self.agent().post(self.address(path)), |request, (name, value)| request.query(*name, *value));
        let request = request.header(CLIENT, "cli").header("authorization", self.authorization()?);
        self.answered(path, request.send_empty())
    }

    /// Asks with a document; a login where there is one.
    ///
    /// # Errors
    /// No answer.
    pub(crate) fn ask(&self, path: &str, body: &str) -> Result<Answer, Failure> {
        let mut request = self.agent().post(self.address(path)).header(CLIENT, "cli");
        if self.admin_token_file.is_some() {
            request = request.header("authorization", self.authorization()?);
        }
        self.answered(path, request.send(body))
    }

    /// What asks. A proxy of the environment (HTTP_PROXY) is none for this machine: it cannot reach it, and would be shown the
    /// token.
    fn agent(&self) -> Agent {
        const PATIENCE: Duration = Duration::from_secs(30);
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        match is_here(&self.url()) {
            true => config.proxy(None).build().into(),
            false => config.build().into(),
        }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url().trim_end_matches('/'))
    }

    fn authorization(&self) -> Result<String, Failure> {
        let path = self.admin_token_file.as_deref();
        let path: &Path = path.ok_or_else(|| Failure::Usage("changes need --admin-token-file".to_owned()))?;
        let token = std::fs::read_to_string(path).map_err(|error| Failure::Io(path.display().to_string(), error))?;
        // The same file that the sidecar reads will do: a token a line, with a name before it or alone.
        let mut lines = token.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let token = lines.next().and_then(|line| line.split_ascii_whitespace().last());
        let token = token.ok_or_else(|| Failure::Usage(format!("{}: no token", path.display())))?;
        Ok(format!("Bearer {token}"))
    }

    /// What came is no answer. Who named no sidecar is told how to.
    fn silent(&self, path: &str, error: &ureq::Error) -> Failure {
        let named = self.url.is_some() || usual().is_some();
        let hint = if named { "" } else { " (--sidecar or AZEOTROPE_SIDECAR says where the sidecar is)" };
        Failure::Sidecar(format!("{}{path}: {error}{hint}", self.url()))
    }

    fn answered(
        &self,
        path: &str,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer, Failure> {
        let failed = |error| self.silent("", &error);
        let mut answer = answer.map_err(failed)?;
        let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_string().map_err(failed)?;
        Ok(Answer { place: format!("{}{path}", self.url()), status: answer.status().as_u16(), tag, body })
    }
}

/// An answer that says no. Who is not let in, or sends too much, gets no other by asking again.
fn declined(place: &str, status: u16, reason: &str) -> Failure {
    let told = format!("{place}: {status}: {}", reason.trim_end());
    match status {
        401 => Failure::Usage(format!("{told} (is the token the right one?)")),
        403 | 413 => Failure::Usage(told),
        _ => Failure::Sidecar(told),
    }
}

/// What stands at a place (RFC 6901); null where nothing does.
pub(crate) fn at<'a>(json: &'a Value, pointer: &str) -> &'a Value {
    json.pointer(pointer).unwrap_or(&Value::Null)
}

/// Why an answer says no.
pub(crate) fn reason(answer: &Answer) -> String {
    let json = answer.json();
    let problems = at(&json, "/problems").as_array().into_iter().flatten();
    let listed: Vec<String> = problems
        .map(|problem| {
            format!(
                "{}: {}",
                at(problem, "/path").as_str().unwrap_or(""),
                at(problem, "/reason").as_str().unwrap_or("")
            )
        })
        .collect();
    let told = at(&json, "/error").as_str().unwrap_or(&answer.body).to_owned();
    std::iter::once(told).chain(listed).collect::<Vec<_>>().join("\n")
}

/// Whether a URL's host is this machine.
fn is_here(url: &str) -> bool {
    let url = url.parse::<Uri>().ok();
    let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_several_names() {
        for here in [HERE, "http://localhost:1/", "http://LOCALHOST", "http://[::1]:8470", "http://127.9.9.9"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["http://localhost.example", "http://10.0.0.1:8470", "http://[fd00::1]", "", "nonsense"] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
