//! Who sends, and where to.

use super::{built_in, enforcing};
use crate::{Witness, lines};
use azeotrope_engine::route::MAX_PATH;

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A path means the same however it is spelled.
pub(crate) fn route(input: &[u8], witness: &mut Witness) {
    for engine in [built_in(), enforcing()] {
        let found = engine.route(b"POST", input);
        witness.see(&found);
        assert!(found.as_ref().is_none_or(|route| route.model.len() <= MAX_PATH.saturating_mul(3)));
        assert_eq!(engine.route(b"GET", input), None);
        if input.len() > MAX_PATH {
            assert_eq!(found, None);
            continue;
        }
        let dialect = found.as_ref().map(|route| route.dialect);
        let of = |path: &[u8]| engine.route(b"post", path).map(|route| route.dialect);
        assert_eq!(of(&input.to_ascii_uppercase()), dialect, "letter case");
        if input.iter().any(|byte| matches!(byte, b'?' | b'#')) {
            continue;
        }
        let spellings = [[input, b"?alt=sse"].concat(), [input, b"#x"].concat(), [b"//./x/..", input].concat()];
        for path in spellings.iter().filter(|path| path.len() <= MAX_PATH) {
            // Before the first slash stands a segment's beginning.
            if input.starts_with(b"/") || !path.starts_with(b"//./") {
                assert_eq!(of(path), dialect, "{}", String::from_utf8_lossy(path));
            }
        }
        let escaped: Vec<u8> = input.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect();
        if escaped.len() <= MAX_PATH && !input.contains(&b'%') {
            assert_eq!(engine.route(b"POST", &escaped), found, "{}", String::from_utf8_lossy(&escaped));
        }
    }
}

/// Peer, claim and path, a line each, then header fields: `name: value`. Spelling, order of others and what a client
/// writes to the left of what proxies wrote change nothing.
pub(crate) fn caller(input: &[u8], witness: &mut Witness) {
    let mut lines = lines(input);
    let mut next = || lines.next().unwrap_or_default();
    let (peer, claim, path) = (next(), next(), next());
    let claim = (!claim.is_empty()).then_some(claim);
    let mut headers: Headers = vec![(b":path".to_vec(), path.to_vec())];
    headers.extend(lines.take(64).map(|line| {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or((line, b""));
        (name.to_ascii_lowercase(), value.get(1..).unwrap_or_default().trim_ascii().to_vec())
    }));
    for engine in [built_in(), enforcing()] {
        let dialect = engine.route(b"POST", path).map(|route| route.dialect);
        let of = |headers: &Headers| engine.caller(dialect, headers, peer, claim);
        let found = of(&headers);
        witness.see(&found);
        let shouted: Headers = headers.iter().map(|(name, value)| (name.to_ascii_uppercase(), value.clone())).collect();
        if engine.config().callers.accounts == built_in().config().callers.accounts {
            assert_eq!(of(&shouted).network, found.network);
        }
        let mut crowded = headers.clone();
        crowded.insert(0, (b"x-unrelated".to_vec(), b"Bearer sk-other".to_vec()));
        assert_eq!(of(&crowded), found);
        spoofed(&headers, engine.config().callers.trusted_hops, |headers| {
            assert_eq!(of(headers).network, found.network);
        });
    }
}

/// The same with an address that the client wrote, where proxies wrote as many as are trusted.
fn spoofed(headers: &Headers, hops: u32, check: impl FnOnce(&Headers)) {
    let forwarded = |(name, _): &&(Vec<u8>, Vec<u8>)| name == b"x-forwarded-for";
    let entries: usize =
        headers.iter().filter(forwarded).map(|(_, list)| list.split(|byte| *byte == b',').count()).sum();
    if u32::try_from(entries).is_ok_and(|entries| entries >= hops) {
        let mut spoofed = headers.clone();
        spoofed.insert(0, (b"x-forwarded-for".to_vec(), b"203.0.113.9".to_vec()));
        check(&spoofed);
    }
}
