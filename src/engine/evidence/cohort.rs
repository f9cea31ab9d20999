//! Cohort synchrony: parties that share a template take one target together.
//!
//! The statistics of a group, as both tiers weigh them; all in thousandths of a nat.

use crate::nats::{MilliNats, ln, ln_ratio};

/// How often the mean wording of a group counts: that of one template is not independent from party to party, so its
/// sum would overstate it.
pub const WORDING_FACTOR: MilliNats = 4;
/// The same where it speaks for people. A tool that comes with one model gives its users one template and one target, as a
/// harvest has: that they read like people is then all that tells them apart (`tests/detection/families/tools.json`; the shared
/// scenarios' campaigns have a mean of half a nat or more, such tools one of -0.4).
const PERSONAL_FACTOR: MilliNats = 16;
/// Mean wording up to which a group's may be people's: training the content model anew moves that of one template by as much.
const PERSONAL: i64 = 100;
/// Mean wording from which a lone account's is a harvest's: six in seven of the harvests whose repositories the content model has not
/// seen have it, one in nine of honest programs.
pub const HARVEST: MilliNats = 250;
/// Mean wording from which a group's is plainly a harvest's, so that its accounts may be blocked: a third of the harvests whose
/// repositories the content model has not seen, and none of 111 honest programs, which have up to 0.8 nats (`azeotrope train`; one of
/// them 1.7 where a quarter of all repositories is held out instead of an eighth: `make detection-heldout`).
pub const PLAIN: MilliNats = 1_000;
/// Bits of the linear counter of different contents.
pub const CONTENT_BITS: u32 = 128;

/// What it says that a group's parties spread over targets as they do: the G-statistic of `counts` (target, parties)
/// against everybody's shares. One operator harvests one model, unrelated people spread over what there is; where
/// there is one model only it is silent.
#[must_use]
pub fn focus(counts: &[(u64, u32)], parties: u32, ln_share: impl Fn(u64) -> MilliNats) -> MilliNats {
    let all = counts.iter().fold(0_u32, |sum, &(_, count)| sum.saturating_add(count));
    let gain = counts.iter().fold(0_i64, |sum, &(target, count)| {
        let here = ln_ratio(u64::from(count), u64::from(all));
        sum.saturating_add(i64::from(count) * (i64::from(here) - i64::from(ln_share(target))))
    });
    // The price of having chosen the shares by looking (Schwarz 1978): half a logarithm for each free one.
    let free = i64::try_from(counts.len()).unwrap_or(i64::MAX);
    let price = free.saturating_mul(i64::from(ln(u64::from(parties)))) / 2;
    saturate(gain.saturating_sub(price))
}

/// Settings that one operator is taken to use: a pipeline has few stages.
const PROGRAMS: usize = 3;
/// What it costs to have chosen each of them by looking: one in a thousand.
const CHOSEN: MilliNats = 6_900;
/// Most that shared settings are worth by themselves: all users of one app share its settings, too.
pub const PROGRAM: MilliNats = 8_000;

/// What it says that few settings cover a group's parties: `counts` (settings, parties) against the share of accounts
/// with the same target that have them. Of one program no more than [`PROGRAM`] of it counts.
#[must_use]
pub fn program(counts: &[(u64, u32)], parties: u32, ln_share: impl Fn(u64) -> MilliNats) -> MilliNats {
    let mut counts = counts.to_vec();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let worth = counts.iter().take(PROGRAMS).filter(|&&(_, count)| count > 1).fold(0_i64, |sum, &(settings, count)| {
        let lift = i64::from(ln_ratio(u64::from(count), u64::from(parties))) - i64::from(ln_share(settings));
        sum.saturating_add((i64::from(count) * lift - i64::from(CHOSEN)).max(0))
    });
    saturate(worth)
}

/// Parties from which one way to set one client program is a group's, and not somebody's own.
pub const USERS: u32 = 3;

/// Whether the client program that `most` of a group's parties run is a tool: one that three in four have is, and the others are
/// who changed its name.
#[must_use]
pub fn is_tool(most: u32, parties: u32) -> bool {
    most.saturating_mul(4) > parties.saturating_mul(3)
}

/// What it says that client programs of several names are set in the same few ways. `counts`: parties by name and settings;
/// `program`: what so many parties with the same settings are worth ([`program`]). A tool sets all that its users send alike, and
/// unrelated programs that meet under one template are each set in a way of its own; whoever has several names has each in the
/// same ways. At most [`PROGRAM`].
#[must_use]
pub fn disguise(counts: &[((u64, u64), u32)], parties: u32, program: impl Fn(&[u64]) -> MilliNats) -> MilliNats {
    let of_name = |name: u64| counts.iter().filter(|&&((of, _), _)| of == name).map(|&(_, count)| count).sum::<u32>();
    let most = counts.iter().map(|&((name, _), _)| of_name(name)).max().unwrap_or(0);
    if is_tool(most, parties) {
        return 0;
    }
    let used: Vec<(u64, u64)> = counts.iter().filter(|&&(_, count)| count >= USERS).map(|&(of, _)| of).collect();
    let shared = |&&(name, way): &&(u64, u64)| used.iter().any(|&(other, of)| of == way && other != name);
    let (mut names, mut ways): (Vec<u64>, Vec<u64>) = used.iter().filter(shared).copied().unzip();
    let several = ways.len();
    for values in [&mut names, &mut ways] {
        values.sort_unstable();
        values.dedup();
    }
    // Two names in one way may be a tool with two ends.
    if names.len() < 2 || several < 3 { 0 } else { program(&ways).clamp(0, PROGRAM) }
}

/// Names of client programs up to which they are few.
const FEW: usize = 4;

/// What it says that parties set in one way, which meet each other under different names of their client programs, run so few of
/// them: `counts` (name, parties) against everybody's shares. People who are set alike run whatever there is, users of an app the app.
#[must_use]
pub fn few(counts: &[(u64, u32)], parties: u32, ln_share: impl Fn(u64) -> MilliNats) -> MilliNats {
    let several: Vec<u32> = counts.iter().map(|&(_, count)| count).filter(|&count| count >= USERS).collect();
    let (most, covered) =
        several.iter().fold((0, 0_u32), |(most, all), &count| (count.max(most), all.saturating_add(count)));
    let few = several.len() <= FEW && covered.saturating_mul(10) >= parties.saturating_mul(9);
    if few && !is_tool(most, parties) { focus(counts, parties, ln_share) } else { 0 }
}

/// What the wording of a group's parties says, of which `sum` is the sum over their first requests; at most `bound`
/// either way.
#[must_use]
pub fn wording(sum: i64, parties: u32, bound: MilliNats) -> MilliNats {
    let mean = sum.checked_div(i64::from(parties.max(1))).unwrap_or(0);
    let bound = bound.max(0);
    let worth = match mean {
        PERSONAL.. => mean.saturating_mul(i64::from(WORDING_FACTOR)),
        _ => mean.saturating_sub(PERSONAL).saturating_mul(i64::from(PERSONAL_FACTOR)),
    };
    saturate(worth).clamp(-bound, bound)
}

/// The bit of a content in a linear counter of [`CONTENT_BITS`].
#[must_use]
pub fn content_bit(content: u64) -> u128 {
    1 << (content % u64::from(CONTENT_BITS))
}

/// Different values behind a linear counter (Whang, Vander-Zanden and Taylor, 1990).
#[must_use]
pub fn distinct(bits: u128) -> u32 {
    let empty = bits.count_zeros().max(1);
    let nats = ln_ratio(u64::from(CONTENT_BITS), u64::from(empty));
    CONTENT_BITS * u32::try_from(nats.max(0)).unwrap_or(0) / 1000
}

/// As many thousandths as there is room for.
fn saturate(milli: i64) -> MilliNats {
    MilliNats::try_from(milli.clamp(i64::from(MilliNats::MIN), i64::from(MilliNats::MAX))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of everybody takes target 1, four in ten 2, the rest 3.
    fn share(target: u64) -> MilliNats {
        match target {
            1 => -693,
            2 => -916,
            3 => -2_303,
            _ => -7_600,
        }
    }

    #[test]
    fn one_target_among_many_parties_is_evidence_and_a_mixture_is_none() {
        assert!(focus(&[(1, 20)], 20, share) > 11_000);
        assert!(focus(&[(1, 10), (2, 8), (3, 2)], 20, share) < 0);
    }

    #[test]
    fn the_rarer_the_target_the_fewer_parties_it_takes() {
        let needed = |target| (1..100).find(|&n| focus(&[(target, n)], n, share) > 14_000);
        assert!(needed(3) < needed(2) && needed(2) < needed(1), "{:?} {:?} {:?}", needed(3), needed(2), needed(1));
    }

    #[test]
    fn where_there_is_one_target_only_focus_is_silent() {
        assert!(focus(&[(1, 40)], 40, |_| 0) <= 0);
        assert_eq!(focus(&[], 0, share), 0);
    }

    #[test]
    fn names_that_share_their_ways_are_a_disguise_and_ways_of_their_own_are_none() {
        let worth = |counts: &[((u64, u64), u32)]| {
            let parties = counts.iter().map(|&(_, count)| count).sum();
            disguise(counts, parties, |ways| MilliNats::try_from(ways.len()).unwrap() * 5_000)
        };
        assert_eq!(worth(&[((1, 1), 9), ((1, 2), 9), ((2, 1), 9), ((2, 2), 9)]), 8_000);
        assert_eq!(worth(&[((1, 1), 9), ((2, 1), 9), ((3, 1), 9), ((4, 1), 9)]), 5_000);
        assert_eq!(worth(&[((1, 1), 9), ((2, 1), 9), ((3, 1), 9)]), 5_000);
        assert_eq!(worth(&[((1, 1), 9), ((2, 1), 9), ((1, 2), 9), ((2, 3), 9)]), 0, "two ends");
        assert_eq!(worth(&[((1, 1), 9), ((2, 2), 9), ((3, 3), 9), ((4, 4), 9)]), 0, "four tools");
        assert_eq!(worth(&[((1, 1), 99), ((1, 2), 99), ((2, 1), 9), ((2, 2), 9)]), 0, "one tool");
        assert_eq!(worth(&[((1, 1), 2), ((2, 1), 2), ((3, 1), 2), ((4, 1), 2)]), 0, "somebody's own");
        assert_eq!(disguise(&[], 0, |_| 5_000), 0);
    }

    #[test]
    fn few_names_of_many_are_a_pools_and_one_is_an_apps() {
        let one_in_twelve = |_| -2_485;
        let worth = |counts: &[u32]| {
            let names: Vec<(u64, u32)> = (1..).zip(counts.iter().copied()).collect();
            few(&names, counts.iter().sum(), one_in_twelve)
        };
        assert!(worth(&[4, 4, 4]) > 8_000 && worth(&[9, 9, 9, 1]) > 8_000);
        assert_eq!(worth(&[9, 9, 9, 1, 1, 1, 1]), 0, "one in ten is somebody else's");
        assert_eq!(worth(&[4; 5]), 0, "many");
        assert_eq!(worth(&[16, 4]), 0, "an app");
        assert_eq!(worth(&[2, 2, 2]), 0, "chance");
        assert!(few(&[(1, 9), (2, 9)], 18, |_| -693) < 0, "there are no others");
        assert_eq!(few(&[], 0, one_in_twelve), 0);
    }

    #[test]
    fn wording_is_a_bounded_mean() {
        assert_eq!(wording(10_000, 10, 8_000), 4_000);
        assert_eq!(wording(-100_000, 10, 8_000), -8_000);
        assert_eq!(wording(-2_500, 10, 8_000), -5_600, "what speaks for people counts more");
        assert_eq!([990, 1_000].map(|sum| wording(sum, 10, 8_000)), [-16, 400], "what says next to nothing is theirs");
        assert_eq!(wording(5_000, 0, 8_000), 8_000);
        assert_eq!(wording(i64::MIN, 1, -5), 0);
    }

    #[test]
    fn a_content_counts_once() {
        assert_eq!(distinct(0), 0);
        assert!(distinct(content_bit(42) | content_bit(42)) <= 1);
        let many = (0..40_u64).fold(0, |bits, n| bits | content_bit(crate::digest::words::mix(n)));
        assert!((30..=52).contains(&distinct(many)), "{}", distinct(many));
        assert!(distinct(u128::MAX) > 600);
    }

    #[test]
    fn extremes_saturate() {
        assert_eq!(focus(&[(1, u32::MAX); 6], u32::MAX, |_| i32::MIN), i32::MAX);
        assert_eq!(focus(&[(1, u32::MAX); 6], 1, |_| i32::MAX), i32::MIN);
    }
}
