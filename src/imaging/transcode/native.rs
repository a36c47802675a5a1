//! Samples as they are: little endian words, interleaved by pixel (PS3.5 §8.1, §8.2).

use crate::imaging::decode::Samples;
use crate::imaging::transcode::words::Words;

/// The frame's bytes; single bits are packed from the lowest of each byte on (PS3.5 §8.1.1).
pub(in crate::imaging::transcode) fn encode(words: &Words) -> Vec<u8> {
    match &words.data {
        Samples::U8(bits) if words.form.bits_allocated == 1 => bits
            .chunks(8)
            .map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | (bit & 1)))
            .collect(),
        Samples::U8(words) => words.clone(),
        Samples::U16(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        Samples::U32(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        Samples::F32(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        Samples::F64(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
    }
}
