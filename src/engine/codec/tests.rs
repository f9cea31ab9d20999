use super::{Cow, Decoded, Encoding};

/// Of what stands in the header.
fn decode<'a>(name: &[u8], body: &'a [u8], max_out: usize) -> Decoded<'a> {
    super::decode(Encoding::of([name]), body, max_out)
}

const TEXT: &str = r#"{"prompt":"azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope azeotrope "}"#;

#[allow(dead_code, reason = "not every set of features needs it")]
fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// TEXT as Node's zlib compresses it.
#[cfg(feature = "deflate")]
const GZIP: &str = "1f8b0800000000000003ab562a28cacf2d2851b2524aac4acd2f29ca2f485518da2ca55a0029b8edfdd5000000";
#[cfg(feature = "brotli")]
const BROTLI: &str = "1bd400f88dc43826f180287e721b5b37dcafe10c455a553a7d258984a1c0e10f47e305f4511b990501";

fn body(bytes: &[u8], truncated: bool) -> Decoded<'static> {
    Decoded::Body { bytes: Cow::Owned(bytes.to_vec()), truncated }
}

/// Every property that all codecs share.
#[allow(dead_code, reason = "not every set of features needs it")]
fn check(name: &str, packed: &[u8], text: &[u8]) {
    let name = name.as_bytes();
    assert_eq!(decode(name, packed, text.len()), body(text, false), "just fits");
    assert_eq!(decode(name, packed, text.len() - 1), body(&text[..text.len() - 1], true), "just does not");
    assert_eq!(decode(name, packed, 10), body(&text[..10], true));
    for end in 0..packed.len().min(300) {
        let Decoded::Body { bytes, truncated } = decode(name, &packed[..end], 1 << 20) else { panic!() };
        assert!(text.starts_with(&bytes) && (truncated || bytes == text), "cut at {end}");
    }
}

#[test]
fn no_encoding_passes_through() {
    for name in ["", "identity", " Identity , ,"] {
        assert_eq!(decode(name.as_bytes(), b"x", 0), body(b"x", false));
    }
}

#[test]
fn unknown_encodings_and_several_are_unsupported() {
    for name in ["compress", "gzip, foo", "deflate, gzip", "gzip, gzip, gzip", "\u{fffd}"] {
        assert_eq!(decode(name.as_bytes(), b"\x1F\x8B", 100), Decoded::Unsupported, "{name}");
    }
}

#[test]
fn however_many_headers_say_it_an_encoding_is_one_name() {
    let of = |values: &[&str]| Encoding::of(values.iter().map(|value| value.as_bytes()));
    assert_eq!(of(&[]), Encoding::Plain);
    assert_eq!(of(&["Identity, ", "X-GZip", " ,"]), Encoding::Gzip);
    assert_eq!([of(&["gzip", "gzip"]), of(&["gzip,br"]), of(&["x"])], [Encoding::Other; 3]);
    for name in ["", "gzip", "deflate", "zstd", "br", "other"] {
        assert_eq!((of(&[name]).name(), of(&[of(&[name]).name()])), (name, of(&[name])));
    }
}

#[test]
fn plain_json_under_a_false_header_is_read() {
    for name in ["gzip", "zstd", "br", "foo", "deflate", "gzip,gzip,gzip"] {
        assert_eq!(decode(name.as_bytes(), TEXT.as_bytes(), 1 << 20), body(TEXT.as_bytes(), false), "{name}");
    }
}

/// A text of so many bytes, no part of it like another.
#[allow(dead_code, reason = "not every set of features needs it")]
fn real(size: usize) -> Vec<u8> {
    let mut seed = 7_u32;
    let mut next = |most: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % most
    };
    let mut text = Vec::with_capacity(size + 64);
    while text.len() < size {
        let number = next(9_000);
        text.extend(format!("word{number} and {} more, ", number % 97).into_bytes());
    }
    text.truncate(size);
    text
}

/// Deflated, with a flush behind each piece of `size` bytes.
#[cfg(feature = "deflate")]
pub(super) fn flushed(text: &[u8], size: usize) -> Vec<u8> {
    use miniz_oxide::{MZFlush, deflate};
    let mut state = deflate::core::CompressorOxide::new(deflate::core::create_comp_flags_from_zip_params(6, 0, 0));
    let (mut packed, mut out) = (Vec::new(), vec![0; 2 * size + 64]);
    for (n, piece) in text.chunks(size).enumerate() {
        let flush = if (n + 1) * size < text.len() { MZFlush::Sync } else { MZFlush::Finish };
        let done = deflate::stream::deflate(&mut state, piece, &mut out, flush);
        assert!(done.bytes_consumed == piece.len() && done.bytes_written < out.len());
        packed.extend_from_slice(&out[..done.bytes_written]);
    }
    packed
}

#[cfg(feature = "deflate")]
mod deflate {
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    #[test]
    fn gzip_and_both_kinds_of_deflate_are_undone() {
        check("GZip", &bytes(GZIP), TEXT.as_bytes());
        check("x-gzip", &bytes(GZIP), TEXT.as_bytes());
        check("deflate", &compress_to_vec_zlib(TEXT.as_bytes(), 6), TEXT.as_bytes());
        check("deflate", &compress_to_vec(TEXT.as_bytes(), 6), TEXT.as_bytes());
    }

    #[test]
    fn all_members_of_a_gzip_body_and_their_optional_fields_are_read() {
        let mut packed = b"\x1F\x8B\x08\x1E\0\0\0\0\0\0\x02\0XYname\0comment\0CC".to_vec();
        packed.extend(compress_to_vec(b"one ", 6));
        packed.extend([0; 8]);
        packed.extend(bytes(GZIP));
        assert_eq!(decode(b"gzip", &packed, 1 << 20), body(format!("one {TEXT}").as_bytes(), false));
    }

    /// So many blocks that hold nothing, and one that holds a text.
    fn after_empty_blocks(empty: usize) -> Vec<u8> {
        [[0, 0, 0, 0xFF, 0xFF].repeat(empty), compress_to_vec(TEXT.as_bytes(), 6)].concat()
    }

    #[test]
    fn blocks_that_hold_nothing_are_no_work_without_end() {
        assert_eq!(decode(b"deflate", &after_empty_blocks(60), 1 << 20), body(TEXT.as_bytes(), false));
        assert_eq!(decode(b"deflate", &after_empty_blocks(70), 1 << 20), body(b"", true));
        let member = [b"\x1F\x8B\x08\0\0\0\0\0\0\0\x03\0".as_slice(), &[0; 8]].concat();
        let members = |empty: usize| [member.repeat(empty), bytes(GZIP)].concat();
        assert_eq!(decode(b"gzip", &members(60), 1 << 20), body(TEXT.as_bytes(), false));
        assert_eq!(decode(b"gzip", &members(70), 1 << 20), body(b"", true));
    }

    #[test]
    fn what_real_clients_pack_is_read_however_small_their_blocks() {
        let text = real(256 << 10);
        for level in 0..=10 {
            assert_eq!(
                decode(b"deflate", &compress_to_vec_zlib(&text, level), text.len()),
                body(&text, false),
                "{level}"
            );
        }
        // Whoever flushes ends two blocks each time.
        assert!(decode(b"deflate", &flushed(&text, 1 << 10), text.len()) == body(&text, false));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let packed = compress_to_vec_zlib(&vec![b' '; 50 << 20], 9);
        let Decoded::Body { bytes, truncated } = decode(b"deflate", &packed, 256 << 10) else { panic!() };
        assert!(truncated && bytes.len() == 256 << 10);
    }
}

#[cfg(feature = "zstd")]
mod zstd {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    fn pack(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    #[test]
    fn zstd_is_undone() {
        check("zstd", &pack(TEXT.as_bytes()), TEXT.as_bytes());
        let long: Vec<u8> = (0..400_000u32).flat_map(|i| (i / 3 % 251).to_le_bytes()).collect();
        check("zstd", &pack(&long), &long);
    }

    #[test]
    fn a_frame_of_the_reference_encoder_with_its_checksum_is_undone() {
        let packed = bytes("28b52ffd0468ed0000b87b2270726f6d7074223a22617a656f74726f706520227d01007b172692ac0817");
        let text = br#"{"prompt":"azeotrope azeotrope azeotrope azeotrope"}"#;
        check("zstd", &packed, text);
        assert_eq!(decode(b"zstd", &[packed.clone(), packed].concat(), 1 << 20), body(&[*text, *text].concat(), false));
    }

    #[test]
    fn frames_follow_each_other_and_skippable_ones_are_skipped() {
        let mut packed = b"\x51\x2A\x4D\x18\x02\0\0\0..".to_vec();
        packed.extend(pack(b"one "));
        packed.extend(pack(TEXT.as_bytes()));
        assert_eq!(decode(b"zstd", &packed, 1 << 20), body(format!("one {TEXT}").as_bytes(), false));
    }

    /// A frame of blocks that stand as they are: so many that hold nothing, then a text in pieces of `size` bytes.
    fn raw(empty: usize, text: &[u8], size: usize) -> Vec<u8> {
        let last = text.len().div_ceil(size) - 1;
        let pieces = text.chunks(size).enumerate().map(|(n, piece)| {
            let header = (piece.len() as u32) << 3 | u32::from(n == last);
            [&header.to_le_bytes()[..3], piece].concat()
        });
        [b"\x28\xB5\x2F\xFD\0\x40".to_vec(), vec![0; 3 * empty], pieces.collect::<Vec<_>>().concat()].concat()
    }

    #[test]
    fn blocks_that_hold_nothing_are_no_work_without_end() {
        let text = TEXT.as_bytes();
        assert_eq!(decode(b"zstd", &raw(500, text, 9_999), 256 << 10), body(text, false));
        assert_eq!(decode(b"zstd", &raw(600, text, 9_999), 256 << 10), body(b"", true));
        // Of many frames together.
        let frames = raw(30, b"x", 9).repeat(63);
        let Decoded::Body { bytes, truncated } = decode(b"zstd", &frames, 256 << 10) else { panic!() };
        assert!(truncated && (10..30).contains(&bytes.len()), "{}", bytes.len());
    }

    #[test]
    fn as_many_blocks_as_the_reference_encoder_makes_at_most_are_read() {
        // It cuts each 128 KiB into 196 at most.
        let text = real(256 << 10);
        assert!(decode(b"zstd", &raw(0, &text, text.len().div_ceil(2 * 196)), text.len()) == body(&text, false));
        assert!(decode(b"zstd", &pack(&text), text.len()) == body(&text, false));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        // One repeated byte, 128 KiB from every 4 bytes.
        let mut packed = b"\x28\xB5\x2F\xFD\0\xFF".to_vec();
        for _ in 0..10_000 {
            packed.extend([2, 0, 16, b' ']);
        }
        let Decoded::Body { bytes, truncated } = decode(b"zstd", &packed, 256 << 10) else { panic!() };
        assert!(truncated && bytes.len() == 256 << 10 && bytes.iter().all(|b| *b == b' '));
    }
}

#[cfg(feature = "brotli")]
#[test]
fn brotli_is_undone() {
    check("br", &bytes(BROTLI), TEXT.as_bytes());
}

#[cfg(all(not(target_family = "wasm"), feature = "zstd", feature = "deflate"))]
proptest::proptest! {
    #[test]
    fn damaged_bodies_never_panic(
        text in proptest::collection::vec(0u8..8, 0..3_000),
        damage in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::prelude::any::<u8>()), 1..6),
    ) {
        let packed = [
            ("zstd", ruzstd::encoding::compress_to_vec(text.as_slice(), ruzstd::encoding::CompressionLevel::Fastest)),
            ("deflate", miniz_oxide::deflate::compress_to_vec_zlib(&text, 6)),
        ];
        for (name, mut packed) in packed {
            for (place, byte) in &damage {
                let place = place.index(packed.len());
                packed[place] = *byte;
            }
            let Decoded::Body { bytes, .. } = decode(name.as_bytes(), &packed, 4_096) else { panic!() };
            assert!(bytes.len() <= 4_096);
        }
    }


    #[test]
    fn hostile_bytes_never_panic_nor_exceed_the_limit(
        mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        magic in 0usize..4,
        max in 0usize..5_000,
    ) {
        let magic: &[u8] = [&b""[..], b"\x1F\x8B\x08\0\0\0\0\0\0\0", b"\x28\xB5\x2F\xFD\0\0", b"\x78\x9C"][magic];
        bytes.splice(0..0, magic.iter().copied());
        for name in ["gzip", "deflate", "zstd", "br"] {
            if let Decoded::Body { bytes: out, .. } = decode(name.as_bytes(), &bytes, max) {
                assert!(out.len() <= max || out == bytes);
            }
        }
    }
}
