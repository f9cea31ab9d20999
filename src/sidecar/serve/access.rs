//! Who asks, and what they may: a token, or the user that an authenticating proxy names.

mod network;

pub(crate) use network::Network;

use super::http::refused;
use super::shared::Shared;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::net::IpAddr;
use std::sync::Arc;

/// The header in which clients say what they are. Browsers let no foreign page set it: a change that comes without a
/// token must carry it.
pub(crate) const CLIENT: &str = "x-azeotrope-client";
/// Why a proxy's user is not believed under a foreign name.
const UNKNOWN: &str =
    "this sidecar does not go by the name in `Host`: `--console-host` says which it has behind a proxy";
/// Longest name of a person, in characters.
const LONGEST: usize = 64;

/// A token and what its holder is called; no name: the holder says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) name: String,
    pub(crate) secret: String,
}

/// A proxy that authenticates people and names them in a header.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) header: HeaderName,
    /// Where it speaks from: whoever else sets the header is not believed.
    pub(crate) from: Vec<Network>,
    /// Who of its users may change something; `*`: all.
    pub(crate) admins: Vec<String>,
    /// Names under which people open the console, in lower case.
    pub(crate) hosts: Vec<String>,
}

/// Who is let in. Tokens are compared in constant time.
#[derive(Clone, Default)]
pub(crate) struct Access {
    /// Filters; none: whoever reaches the port.
    pub(crate) filter: Option<String>,
    /// Who may change something.
    pub(crate) admins: Vec<Token>,
    /// Who may read, where that needs a login.
    pub(crate) readers: Vec<Token>,
    pub(crate) proxy: Option<Proxy>,
    /// Reading needs a login, too.
    pub(crate) login: bool,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Access")
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Nobody,
    Reader,
    Admin,
}

/// How somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    Nothing,
    Token,
    /// A token that fits none.
    WrongToken,
    Proxy,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Empty where a token has none.
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) by: By,
}

/// Whether a token fits. Takes as long for a wrong one as for the right one.
pub(super) fn fits(shown: &[u8], token: &str) -> bool {
    let differing = shown.iter().zip(token.as_bytes()).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    shown.len() == token.len() && differing == 0
}

/// The token that a request shows.
pub(super) fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")
}

/// A text as the audit trail takes it.
pub(super) fn bounded(text: &str, longest: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(longest).collect()
}

impl Access {
    /// Whether somebody may have what filters may.
    pub(super) fn is_filter(&self, headers: &HeaderMap) -> bool {
        self.filter.as_ref().is_none_or(|token| fits(shown(headers).unwrap_or_default(), token))
    }

    /// Who asks.
    pub(super) fn person(&self, headers: &HeaderMap, peer: Option<Peer>) -> Person {
        if let Some(shown) = shown(headers) {
            // All are tried, whichever fits.
            let find = |tokens: &[Token]| {
                tokens.iter().fold(None, |found, token| match fits(shown, &token.secret) {
                    true => Some(token.name.clone()),
                    false => found,
                })
            };
            let (admin, reader) = (find(&self.admins), find(&self.readers));
            return match (admin, reader) {
                (Some(name), _) => Person { name, role: Role::Admin, by: By::Token },
                (None, Some(name)) => Person { name, role: Role::Reader, by: By::Token },
                (None, None) => Person { name: String::new(), role: Role::Nobody, by: By::WrongToken },
            };
        }
        self.user(headers, peer).unwrap_or(Person { name: String::new(), role: Role::Nobody, by: By::Nothing })
    }

    /// The user that the proxy names.
    fn user(&self, headers: &HeaderMap, peer: Option<Peer>) -> Option<Person> {
        let proxy = self.proxy.as_ref()?;
        let Peer(address) = peer?;
        let name = headers.get(&proxy.header)?.to_str().ok()?;
        let name = bounded(name.trim(), LONGEST);
        if name.is_empty() || !proxy.from.iter().any(|network| network.holds(address)) {
            return None;
        }
        let admin = proxy.admins.iter().any(|one| one == "*" || *one == name);
        Some(Person { role: if admin { Role::Admin } else { Role::Reader }, name, by: By::Proxy })
    }

    /// Whether a request comes under a name of this sidecar. A page whose own name was made to mean this machine (DNS rebinding)
    /// may set any header, but not this one. What is no name cannot be made to mean anything.
    fn is_called(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(header::HOST) else { return true };
        let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else { return false };
        let name = host.host().to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        let hosts = self.proxy.as_ref().map_or(&[][..], |proxy| &proxy.hosts);
        address || name == "localhost" || hosts.contains(&name)
    }

    /// Whether changes are possible at all.
    pub(super) fn changes(&self) -> bool {
        !self.admins.is_empty() || self.proxy.as_ref().is_some_and(|proxy| !proxy.admins.is_empty())
    }
}

/// Lets in who may change something.
pub(super) fn may_change(
    access: &Access,
    headers: &HeaderMap,
    peer: Option<Peer>,
) -> Result<Person, (StatusCode, &'static str)> {
    let person = access.person(headers, peer);
    match (person.role, person.by) {
        (Role::Admin, By::Proxy) if !access.is_called(headers) => Err((StatusCode::FORBIDDEN, UNKNOWN)),
        (Role::Admin, By::Proxy) if !own_page(headers) => {
            Err((StatusCode::FORBIDDEN, "a change without a token must come from this sidecar's own page"))
        }
        (Role::Admin, _) => Ok(person),
        (Role::Reader, _) => Err((StatusCode::FORBIDDEN, "you may read, not change")),
        (Role::Nobody, _) if !access.changes() => {
            Err((StatusCode::FORBIDDEN, "changes are off: no --admin-token-file"))
        }
        (Role::Nobody, _) => Err((StatusCode::UNAUTHORIZED, "no valid admin token")),
    }
}

/// Lets in who may ask what costs something to answer, where reading needs no login: a browser would carry a foreign page's
/// document here as readily as its own.
pub(super) fn may_ask(
    access: &Access,
    headers: &HeaderMap,
    peer: Option<Peer>,
) -> Result<(), (StatusCode, &'static str)> {
    match access.person(headers, peer).by {
        By::Token => Ok(()),
        _ if own_page(headers) => Ok(()),
        _ => Err((
            StatusCode::FORBIDDEN,
            "without a token the header `x-azeotrope-client` is needed: no foreign page sets it",
        )),
    }
}

/// Whether a request cannot have been made by a foreign page: it carries a header that such a page may not set, and what
/// the browser says of where it comes from, if it says so, agrees.
fn own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text("host").unwrap_or("");
    let origin = text("origin").is_none_or(|origin| origin.split_once("://").is_some_and(|(_, from)| from == host));
    let site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    headers.contains_key(CLIENT) && origin && site
}

/// What asked, as the audit trail has it.
pub(super) fn through(headers: &HeaderMap) -> &'static str {
    match headers.get(CLIENT).map(|client| client.as_bytes()) {
        Some(b"console") => "console",
        Some(b"cli") => "cli",
        _ => "api",
    }
}

/// Lets in who may read.
pub(super) async fn readers(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    if shared.access.login {
        let person = shared.access.person(request.headers(), peer);
        if person.role < Role::Reader {
            let no = refused(StatusCode::UNAUTHORIZED, "reading needs a login here");
            return ([(header::WWW_AUTHENTICATE, "Bearer")], no).into_response();
        }
        if person.by == By::Proxy && !shared.access.is_called(request.headers()) {
            return refused(StatusCode::FORBIDDEN, UNKNOWN);
        }
    }
    let mut answer = next.run(request).await;
    // What is told is of this moment, and for who asked.
    answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn access() -> Access {
        let token = |name: &str, secret: &str| Token { name: name.to_owned(), secret: secret.to_owned() };
        let proxy = Proxy {
            header: HeaderName::from_static("x-user"),
            from: Network::loopback(),
            admins: vec!["ann".to_owned()],
            hosts: vec!["console.example".to_owned()],
        };
        Access {
            admins: vec![token("", "secret-of-admins"), token("bob", "secret-of-bob")],
            readers: vec![token("eve", "secret-of-readers")],
            proxy: Some(proxy),
            ..Access::default()
        }
    }

    const HERE: Option<Peer> = Some(Peer(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)));

    fn change(of: &[(&'static str, &'static str)], peer: Option<Peer>) -> Result<String, u16> {
        may_change(&access(), &headers(of), peer).map(|person| person.name).map_err(|(status, _)| status.as_u16())
    }

    #[test]
    fn a_token_fits_whole_or_not_at_all() {
        assert!(fits(b"secret", "secret"));
        for wrong in ["secre", "secrets", "", "Secret"] {
            assert!(!fits(wrong.as_bytes(), "secret"), "{wrong}");
        }
        assert_eq!(shown(&headers(&[("authorization", "Bearer x")])), Some(&b"x"[..]));
        for wrong in ["x", "Basic x", "bearer x"] {
            assert_eq!(shown(&headers(&[("authorization", wrong)])), None, "{wrong}");
        }
    }

    #[test]
    fn a_token_says_who_changes_and_a_readers_changes_nothing() {
        assert_eq!(change(&[("authorization", "Bearer secret-of-bob")], HERE), Ok("bob".to_owned()));
        assert_eq!(change(&[("authorization", "Bearer secret-of-admins")], None), Ok(String::new()));
        assert_eq!(change(&[("authorization", "Bearer secret-of-readers")], HERE), Err(403));
        assert_eq!(change(&[("authorization", "Bearer secret-of-nobody")], HERE), Err(401));
        assert_eq!(change(&[], HERE), Err(401));
        let closed = may_change(&Access::default(), &HeaderMap::new(), HERE);
        assert_eq!(closed.unwrap_err().0, StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_user_is_believed_from_the_proxy_alone() {
        let ann = [("x-user", "ann"), (CLIENT, "console")];
        assert_eq!(change(&ann, HERE), Ok("ann".to_owned()));
        assert_eq!(change(&ann, Some(Peer("10.0.0.1".parse().unwrap()))), Err(401));
        assert_eq!(change(&ann, None), Err(401));
        assert_eq!(change(&[("x-user", "mallory"), (CLIENT, "console")], HERE), Err(403));
        // Whoever shows a token is judged by that.
        assert_eq!(change(&[("x-user", "ann"), (CLIENT, "cli"), ("authorization", "Bearer wrong")], HERE), Err(401));
    }

    #[test]
    fn a_foreign_page_changes_nothing_in_its_visitors_name() {
        let with = |more: &[(&'static str, &'static str)]| {
            let ann = [("x-user", "ann"), ("host", "console.example")];
            change(&[&ann, more].concat(), HERE)
        };
        assert_eq!(with(&[]), Err(403));
        assert_eq!(with(&[(CLIENT, "console"), ("origin", "https://evil.example")]), Err(403));
        assert_eq!(with(&[(CLIENT, "console"), ("origin", "null")]), Err(403));
        assert_eq!(with(&[(CLIENT, "console"), ("sec-fetch-site", "cross-site")]), Err(403));
        assert_eq!(with(&[(CLIENT, "console"), ("sec-fetch-site", "same-site")]), Err(403));
        let own = [(CLIENT, "console"), ("origin", "https://console.example"), ("sec-fetch-site", "same-origin")];
        assert_eq!(with(&own), Ok("ann".to_owned()));
    }

    #[test]
    fn a_foreign_page_asks_nothing_that_costs() {
        let ask = |of: &[(&'static str, &'static str)]| may_ask(&access(), &headers(of), HERE).is_ok();
        let bare = [("host", "10.1.2.3"), ("content-type", "text/plain")];
        assert!(!ask(&bare) && !ask(&[("x-user", "ann")]) && !ask(&[("authorization", "Bearer wrong")]));
        assert!(!ask(&[(CLIENT, "console"), ("sec-fetch-site", "cross-site")]));
        assert!(ask(&[(CLIENT, "cli")]) && ask(&[("authorization", "Bearer secret-of-readers")]));
    }

    #[test]
    fn a_page_that_had_its_name_point_here_changes_nothing() {
        let under = |host: &'static str, origin: &'static str| {
            change(&[("x-user", "ann"), (CLIENT, "console"), ("host", host), ("origin", origin)], HERE)
        };
        assert_eq!(under("evil", "http://evil"), Err(403));
        assert_eq!(under("console.example.evil:8470", "http://console.example.evil:8470"), Err(403));
        assert_eq!(under("user@evil", "http://user@evil"), Err(403));
        for (host, origin) in [
            ("Console.example", "https://Console.example"),
            ("localhost:8470", "http://localhost:8470"),
            ("127.0.0.1:8470", "http://127.0.0.1:8470"),
            ("[::1]:8470", "http://[::1]:8470"),
            ("10.1.2.3", "http://10.1.2.3"),
        ] {
            assert_eq!(under(host, origin), Ok("ann".to_owned()), "{host}");
        }
        // A token is no matter of names.
        let bob = [("authorization", "Bearer secret-of-bob"), ("host", "sidecar.svc:8470")];
        assert_eq!(change(&bob, HERE), Ok("bob".to_owned()));
    }
}
