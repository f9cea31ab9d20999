//! Evidence as fixed-point log-odds: thousandths of a nat.
//!
//! `f64::ln` differs in its last bit between hosts and wasm; a verdict must not. So logarithms are taken in integers,
//! exact to a thousandth, and sums saturate.

/// Thousandths of a nat.
pub type MilliNats = i32;

/// ln 2 × 2^32.
const LN2: u64 = 2_977_044_471;
/// Fractional bits of the binary logarithm.
const FRACTION: u32 = 16;

/// The binary logarithm of `value` in units of 2^-16; 0 for 0.
fn log2(value: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let whole = 63 - value.leading_zeros();
    // The mantissa in [1, 2) with 31 fractional bits; each squaring yields one more bit of the logarithm.
    let mut mantissa = if whole > 31 { value >> (whole - 31) } else { value << (31 - whole) };
    let mut log = u64::from(whole);
    for _ in 0..FRACTION {
        mantissa = (mantissa * mantissa) >> 31;
        log <<= 1;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    log
}

/// The natural logarithm of `value` in thousandths; 0 for 0 and 1.
#[must_use]
pub fn ln(value: u64) -> MilliNats {
    let milli = (u128::from(log2(value)) * u128::from(LN2) * 1000) >> (32 + FRACTION);
    MilliNats::try_from(milli).unwrap_or(MilliNats::MAX)
}

/// ln(`numerator` / `denominator`) in thousandths; either counts as 1 when it is 0.
#[must_use]
pub fn ln_ratio(numerator: u64, denominator: u64) -> MilliNats {
    ln(numerator.max(1)) - ln(denominator.max(1))
}

/// Thousandths in nats, for people and files; what is decided is decided in thousandths.
#[must_use]
pub fn in_nats(milli: MilliNats) -> f64 {
    f64::from(milli) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_two_thousandths() {
        for value in [1_u64, 2, 3, 7, 10, 1000, 65_535, 65_536, 1_000_003, u64::from(u32::MAX), u64::MAX / 3, u64::MAX]
        {
            let right = (value as f64).ln() * 1000.0;
            assert!((f64::from(ln(value)) - right).abs() < 2.0, "{value}: {} for {right}", ln(value));
        }
    }

    #[test]
    fn a_ratio_is_antisymmetric_and_nothing_counts_as_one() {
        assert_eq!(ln_ratio(5, 40), -ln_ratio(40, 5));
        assert_eq!(ln_ratio(0, 0), 0);
    }
}
