//! What is known of a call once its headers have come, as text: some hosts run each callback in a context of its own and
//! keep nothing between them but properties. No key, name or address is in it.

use azeotrope_engine::caller::{Before, Caller};
use azeotrope_engine::codec::Encoding;
use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::route::Route;

/// A call without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What it speaks.
    pub(crate) route: Route,
    /// Who sends it.
    pub(crate) caller: Caller,
    /// What `content-encoding` says.
    pub(crate) encoding: Encoding,
    /// What `content-length` announces.
    pub(crate) length: Option<usize>,
}

impl Kept {
    /// One line a field; the last, which a client may have chosen, is the rest.
    pub(crate) fn write(&self) -> Vec<u8> {
        let Self { route, caller, encoding, length } = self;
        let Caller { account, organisation, network, agent, before } = caller;
        let dialect = Dialect::ALL.iter().position(|dialect| *dialect == route.dialect).unwrap_or(usize::MAX);
        let length = length.map_or(String::new(), |length| length.to_string());
        let mut text = format!("{dialect} {} {length}\n", u8::from(route.stream)).into_bytes();
        let now = [*account, *organisation, *network, *agent];
        let digests = now.into_iter().chain([before.account, before.organisation, before.network, before.agent]);
        text.extend(digests.flat_map(|digest| format!("{digest:x} ").into_bytes()));
        text.push(b'\n');
        text.extend_from_slice(encoding.name().as_bytes());
        text.push(b'\n');
        text.extend_from_slice(route.model.as_bytes());
        text
    }

    /// Reads what [`Kept::write`] wrote.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let mut lines = text.splitn(4, |byte| *byte == b'\n');
        let mut first = std::str::from_utf8(lines.next()?).ok()?.split(' ');
        let dialect = *Dialect::ALL.get(first.next()?.parse::<usize>().ok()?)?;
        let stream = first.next()? == "1";
        let length = first.next()?.parse().ok();
        let mut digests = std::str::from_utf8(lines.next()?).ok()?.split(' ');
        let mut digest = || u64::from_str_radix(digests.next()?, 16).ok();
        let caller = Caller {
            account: digest()?,
            organisation: digest()?,
            network: digest()?,
            agent: digest()?,
            before: Before { account: digest()?, organisation: digest()?, network: digest()?, agent: digest()? },
        };
        let encoding = Encoding::of([lines.next()?]);
        let model = String::from_utf8_lossy(lines.next()?).into_owned();
        Some(Self { route: Route { dialect, model, stream }, caller, encoding, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let before = Before { account: 5, organisation: 0, network: u64::MAX, agent: 6 };
        Kept {
            route: Route { dialect: Dialect::Gemini, model: "models/a b\nc".to_owned(), stream: true },
            caller: Caller { account: 1, organisation: 2, network: 3, agent: u64::MAX, before },
            encoding: Encoding::Gzip,
            length: Some(4_096),
        }
    }

    #[test]
    fn what_is_kept_reads_back_the_same() {
        assert_eq!(Kept::read(&kept().write()), Some(kept()));
        for dialect in Dialect::ALL {
            let route = Route { dialect, model: String::new(), stream: false };
            let kept = Kept { route, length: None, encoding: Encoding::Other, ..kept() };
            assert_eq!(Kept::read(&kept.write()), Some(kept));
        }
    }

    #[test]
    fn what_is_cut_or_something_else_is_nothing() {
        let whole = kept().write();
        // The model is last and may be any part of itself.
        let lines = whole.len() - "models/a b\nc".len();
        assert!((0..lines).all(|end| Kept::read(&whole[..end]).is_none()));
        assert_eq!(Kept::read(b"99 1 0\n\n\n"), None);
        assert_eq!(Kept::read(&[0xff; 64]), None);
    }
}
