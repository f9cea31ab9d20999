//! Which accounts are one party because somebody declared that one moves to the other.
//!
//! Found by a binary search over at most 16,384 ends: 14 steps.

use super::lists::{Entry, Index, Migration, Subject};
use crate::time::Timestamp;

/// Accounts joined by migrations: a party is named by the place of one of its migrations in the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Migrations(Index<usize>);

impl Migrations {
    /// The parties that migrations make.
    #[must_use]
    pub fn of(declared: &[Migration]) -> Self {
        let mut ends = Vec::new();
        for (entry, place) in declared.iter().zip(0_usize..) {
            for account in [&entry.from, &entry.to] {
                let Some(account) = account else { continue };
                ends.push(Entry::new(Subject::Account(account.0), entry.until, place));
            }
        }
        let mut index = Index::new(ends);
        // Migrations that have an account in common are one party: each is named after the first that it meets.
        let mut names: Vec<usize> = (0..declared.len()).collect();
        for pair in index.0.windows(2) {
            if let [one, next] = pair
                && one.subject == next.subject
            {
                let (a, b) = (name(&mut names, one.holds), name(&mut names, next.holds));
                if let Some(of) = names.get_mut(a.max(b)) {
                    *of = a.min(b);
                }
            }
        }
        for entry in &mut index.0 {
            entry.holds = name(&mut names, entry.holds);
        }
        Self(index)
    }

    /// The party that an account belongs to by declaration.
    #[must_use]
    #[inline(never)] // Seldom asked, and the module must stay small.
    pub fn party(&self, account: u64, now: Timestamp) -> Option<usize> {
        self.0.find(Subject::Account(account), now).next()
    }

    /// Whether two accounts are declared to be one party.
    #[must_use]
    pub fn one_party(&self, a: u64, b: u64, now: Timestamp) -> bool {
        self.party(a, now).is_some_and(|party| self.party(b, now) == Some(party))
    }
}

/// Where the names that begin at a place end: each is less than the one before. On the way they are shortened by half.
#[inline(never)]
fn name(names: &mut [usize], mut place: usize) -> usize {
    while let Some(&next) = names.get(place).filter(|next| **next < place) {
        let after = names.get(next).copied().unwrap_or(next);
        if let Some(of) = names.get_mut(place) {
            *of = after;
        }
        place = after;
    }
    place
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
            assert!((1..=8_000).all(|account| migrations.party(account, Timestamp(5)) == Some(0)));
        }
    }
}
