//! Against `CharLS`, which wrote the streams.

use charls::{CharLS, FrameInfo, InterleaveMode};
use proptest::prelude::*;

use crate::imaging::decode::Samples;
use crate::imaging::decode::jpegls::decode;
use crate::imaging::pixels::{Photometric, PixelAttributes};

#[derive(Debug, Clone)]
struct Case {
    width: u16,
    height: u16,
    bits: u16,
    near: i32,
    mode: Option<InterleaveMode>,
    samples: Vec<u16>,
}

impl Case {
    fn components(&self) -> u16 {
        if self.mode.is_some() { 3 } else { 1 }
    }

    /// The stream, and what `CharLS` itself makes of it, by pixel. `None` where the room `CharLS`
    /// reckons with does not do: small pictures of nothing but noise.
    fn encode(&self) -> Option<(Vec<u8>, Vec<u16>)> {
        let bytes: Vec<u8> = if self.bits > 8 {
            self.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
        } else {
            self.samples.iter().map(|sample| sample.to_le_bytes()[0]).collect()
        };
        let mut charls = CharLS::default();
        if let Some(mode) = self.mode {
            charls.set_interleave_mode(mode).unwrap();
        }
        let info = FrameInfo {
            width: self.width.into(),
            height: self.height.into(),
            bits_per_sample: self.bits.into(),
            component_count: self.components().into(),
        };
        let stream = charls.encode(info, self.near, &bytes).ok()?;
        let decoded = CharLS::default().decode(&stream).unwrap();
        let decoded: Vec<u16> = if self.bits > 8 {
            decoded.as_chunks::<2>().0.iter().map(|word| u16::from_le_bytes(*word)).collect()
        } else {
            decoded.into_iter().map(u16::from).collect()
        };
        let by_plane = self.mode == Some(InterleaveMode::None);
        let decoded =
            if by_plane { crate::imaging::decode::interleave(&decoded, 3) } else { decoded };
        Some((stream, decoded))
    }

    fn attributes(&self) -> PixelAttributes {
        PixelAttributes {
            rows: self.height,
            columns: self.width,
            samples_per_pixel: self.components(),
            bits_allocated: if self.bits > 8 { 16 } else { 8 },
            bits_stored: self.bits,
            high_bit: self.bits - 1,
            photometric: if self.mode.is_some() {
                Photometric::Rgb
            } else {
                Photometric::Monochrome2
            },
            ..PixelAttributes::default()
        }
    }
}

/// Pictures with slopes, edges, runs and noise, of every width, precision and interleaving.
fn cases() -> impl Strategy<Value = Case> {
    let modes = prop_oneof![
        3 => Just(None),
        1 => Just(Some(InterleaveMode::None)),
        1 => Just(Some(InterleaveMode::Line)),
        1 => Just(Some(InterleaveMode::Sample)),
    ];
    let shape = (1_u16..60, 1_u16..40, 2_u16..=16, 0_i32..4, modes, any::<u32>(), 0_u32..17);
    shape.prop_map(|(width, height, bits, near, mode, seed, noise)| {
        let max = u32::MAX >> (32 - u32::from(bits));
        let near = near.min(i32::try_from(max / 2).unwrap());
        let mut state = seed;
        let components = if mode.is_some() { 3 } else { 1 };
        let samples = (0..u32::from(width) * u32::from(height) * components)
            .map(|place| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let flat = if place / 23 % 3 == 0 { seed } else { place * (seed % 7) };
                let wild = (state >> 16) & (u32::MAX >> (32 - noise.max(1)));
                let wild = if noise == 0 { 0 } else { wild };
                u16::try_from(flat.wrapping_add(wild) & max).unwrap()
            })
            .collect();
        Case { width, height, bits, near, mode, samples }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn streams_decode_as_charls_decodes_them(case in cases()) {
        let Some((stream, expected)) = case.encode() else { return Ok(()) };
        let frame = decode(&case.attributes(), &stream).unwrap();
        let own = match frame.data {
            Samples::U8(data) => data.into_iter().map(u16::from).collect(),
            Samples::U16(data) => data,
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(own, expected);
    }

    #[test]
    fn damaged_streams_end(
        case in cases(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let Some((mut stream, _)) = case.encode() else { return Ok(()) };
        let _ = decode(&case.attributes(), &stream[..cut.index(stream.len())]);
        for (place, byte) in changes {
            let place = place.index(stream.len());
            stream[place] = byte;
        }
        let _ = decode(&case.attributes(), &stream);
    }
}

#[test]
fn a_stream_with_a_row_less_than_it_says_is_damaged() {
    let case = Case {
        width: 8,
        height: 8,
        bits: 12,
        near: 0,
        mode: None,
        samples: (0..64).map(|place| place * 50).collect(),
    };
    let (mut stream, _) = case.encode().unwrap();
    let frame = stream.windows(2).position(|pair| pair == [0xFF, 0xF7]).unwrap();
    stream[frame + 6] = 12;
    assert!(decode(&case.attributes(), &stream).is_err());
}
