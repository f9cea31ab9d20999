//! Which accounts are one party because somebody declared that one moves to the other.

use super::lists::{Migration, end};
use crate::campaign::generations::DigestMap;
use crate::time::Timestamp;

/// Accounts joined by migrations, each found at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations(DigestMap<(u64, Timestamp)>);

impl Migrations {
    /// The parties that migrations make.
    #[must_use]
    pub fn of(declared: &[Migration]) -> Self {
        let mut migrations = Self::default();
        let pairs = || declared.iter().filter_map(|entry| Some((entry.from?.0, entry.to?.0, end(entry.until))));
        for (from, to, until) in pairs() {
            migrations.join(from, to, until);
        }
        // From here on each account knows the name of its party itself.
        for account in pairs().flat_map(|(from, to, _)| [from, to]) {
            let name = migrations.name(account);
            if let Some((of, _)) = migrations.0.get_mut(&account) {
                *of = name;
            }
        }
        migrations
    }

    /// Makes two accounts one party: the greater name follows the lesser, so names end.
    fn join(&mut self, from: u64, to: u64, until: Timestamp) {
        for account in [from, to] {
            let (_, last) = self.0.entry(account).or_insert((account, until));
            *last = until.max(*last);
        }
        let (a, b) = (self.name(from), self.name(to));
        if let Some((of, _)) = self.0.get_mut(&a.max(b)) {
            *of = a.min(b);
        }
    }

    /// The name of an account's party; on the way there, names are shortened by half.
    fn name(&mut self, mut account: u64) -> u64 {
        while let Some(&(of, _)) = self.0.get(&account).filter(|(of, _)| *of < account) {
            let next = self.0.get(&of).map_or(of, |&(next, _)| next);
            if let Some((of, _)) = self.0.get_mut(&account) {
                *of = next;
            }
            account = next;
        }
        account
    }

    /// The party that an account belongs to by declaration: the account of the least digest in it.
    #[must_use]
    pub fn party(&self, account: u64, now: Timestamp) -> Option<u64> {
        self.0.get(&account).filter(|(_, until)| now < *until).map(|&(party, _)| party)
    }

    /// Whether two accounts are declared to be one party.
    #[must_use]
    pub fn one_party(&self, a: u64, b: u64, now: Timestamp) -> bool {
        self.party(a, now).is_some_and(|party| self.party(b, now) == Some(party))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::DigestName;

    fn declared(pairs: &[(u64, u64, Option<u64>)]) -> Migrations {
        let entry = |&(from, to, until)| Migration {
            from: DigestName::new(from),
            to: DigestName::new(to),
            until,
            ..Migration::default()
        };
        Migrations::of(&pairs.iter().map(entry).collect::<Vec<_>>())
    }

    #[test]
    fn both_ends_are_one_party_until_it_ends_and_others_are_not() {
        let migrations = declared(&[(7, 3, Some(100)), (8, 9, None)]);
        let (early, late) = (Timestamp(99_999), Timestamp(100_000));
        assert!(migrations.one_party(7, 3, early) && migrations.one_party(3, 7, early));
        assert!(!migrations.one_party(7, 3, late));
        assert!(migrations.one_party(8, 9, late));
        assert!(!migrations.one_party(7, 8, early) && !migrations.one_party(1, 2, early));
    }

    #[test]
    fn chains_and_stars_are_one_party_in_whatever_order() {
        let chain: Vec<_> = (1..8_000).map(|n| (n + 1, n, None)).collect();
        let reversed: Vec<_> = chain.iter().rev().copied().collect();
        let star: Vec<_> = (1..8_000).map(|n| (8_000, n, None)).collect();
        for pairs in [chain, reversed, star] {
            let migrations = declared(&pairs);
            assert!((1..=8_000).all(|account| migrations.party(account, Timestamp(5)) == Some(1)));
        }
    }
}
