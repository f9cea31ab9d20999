//! Whose code an address is.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// Bytes of a cache line.
const LINE: u64 = 64;

/// Where code lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// Envoy's own, with all that is linked into it: V8, too.
    Envoy,
    /// What V8 made of the module: pages that are no file's.
    Module,
    /// libc and the like, and what the kernel lends (the vDSO).
    Library,
}

/// The mappings of a process, in order.
#[derive(Debug)]
pub(crate) struct Regions(Vec<(Range<u64>, Region)>);

impl Regions {
    /// From `/proc/<process>/maps`, of which `program` is the file that runs.
    pub(crate) fn parse(maps: &str, program: &str) -> Self {
        let of = |line: &str| {
            let mut fields = line.split_ascii_whitespace();
            let range = range(fields.next()?)?;
            // Permissions, offset, device, inode.
            let region = match fields.nth(4) {
                Some(name) if name == program => Region::Envoy,
                Some(name) if !name.starts_with("[anon") => Region::Library,
                _ => Region::Module,
            };
            Some((range, region))
        };
        Self(maps.lines().filter_map(of).collect())
    }

    /// Pages that came since are V8's.
    pub(crate) fn of(&self, address: u64) -> Region {
        let behind = self.0.partition_point(|(range, _)| range.start <= address);
        let found = behind.checked_sub(1).and_then(|index| self.0.get(index));
        found.filter(|(range, _)| range.contains(&address)).map_or(Region::Module, |(_, region)| *region)
    }
}

/// The addresses of a line of maps, `7f00-7f10`.
pub(crate) fn range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once('-')?;
    Some(u64::from_str_radix(from, 16).ok()?..u64::from_str_radix(to, 16).ok()?)
}

/// How many of some addresses lie where.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    envoy: u64,
    module: u64,
    library: u64,
}

impl Counts {
    /// Of the instructions at these addresses.
    pub(crate) fn of(addresses: impl IntoIterator<Item = u64>, regions: &Regions) -> Self {
        let mut counts = Self::default();
        for address in addresses {
            *match regions.of(address) {
                Region::Envoy => &mut counts.envoy,
                Region::Module => &mut counts.module,
                Region::Library => &mut counts.library,
            } += 1;
        }
        counts
    }

    /// Of the cache lines that their first bytes lie in, each once: what has to be fetched if none of it is at hand.
    pub(crate) fn lines_of(addresses: &[u64], regions: &Regions) -> Self {
        let lines: BTreeSet<u64> = addresses.iter().map(|address| address & !(LINE - 1)).collect();
        Self::of(lines, regions)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { envoy, module, library } = self;
        write!(out, "envoy {envoy} module {module} library {library}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
2d86cca0d000-2d86cca10000 rwxp 00000000 00:00 0 
2d86cca10000-2d86cca20000 rwxp 00000000 00:00 0                          [anon:v8]
55c3c0a00000-55c3c4000000 r-xp 00e00000 fe:00 12345                      /usr/bin/envoy
7f5a5c000000-7f5a5c100000 r-xp 00026000 fe:00 678                        /usr/lib/libc.so.6
7ffd2b7e4000-7ffd2b7e6000 r-xp 00000000 00:00 0                          [vdso]
";

    #[test]
    fn code_is_told_apart_by_the_mapping_that_it_lies_in() {
        let regions = Regions::parse(MAPS, "/usr/bin/envoy");
        let of = |address| regions.of(address);
        assert_eq!(of(0x2d86_cca0_d000), Region::Module);
        assert_eq!(of(0x2d86_cca1_0001), Region::Module);
        assert_eq!(of(0x55c3_c0a0_0000), Region::Envoy);
        assert_eq!(of(0x55c3_c3ff_ffff), Region::Envoy);
        assert_eq!(of(0x7f5a_5c00_1000), Region::Library);
        assert_eq!(of(0x7ffd_2b7e_4010), Region::Library);
    }

    #[test]
    fn pages_that_came_later_are_the_modules() {
        let regions = Regions::parse(MAPS, "/usr/bin/envoy");
        assert_eq!(regions.of(0x1000), Region::Module);
        assert_eq!(regions.of(0x55c3_c400_0000), Region::Module);
        assert_eq!(Regions::parse("", "").of(0), Region::Module);
    }

    #[test]
    fn instructions_are_counted_by_region() {
        let addresses = [0x55c3_c0a0_0000, 0x2d86_cca0_d000, 0x2d86_cca0_d001, 0x7f5a_5c00_1000, 0x2d86_cca0_d000];
        let counts = Counts::of(addresses, &Regions::parse(MAPS, "/usr/bin/envoy"));
        assert_eq!(counts.to_string(), "envoy 1 module 3 library 1");
    }

    #[test]
    fn lines_are_counted_once() {
        let addresses = [0x55c3_c0a0_003f, 0x55c3_c0a0_0040, 0x2d86_cca0_d000, 0x2d86_cca0_d03f, 0x55c3_c0a0_007f];
        let counts = Counts::lines_of(&addresses, &Regions::parse(MAPS, "/usr/bin/envoy"));
        assert_eq!(counts.to_string(), "envoy 2 module 1 library 0");
    }
}
