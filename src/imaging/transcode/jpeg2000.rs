//! JPEG 2000 and High-Throughput JPEG 2000, lossless (ISO/IEC 15444-1, -15; PS3.5 §8.2.4, §8.2.14).
//!
//! Resolutions come one after the other, the smallest first, each a tile-part of its own whose length
//! the main header lists: the beginning of a stream is a small picture, and a reader knows how much
//! of it to fetch. The syntax with RPCL options asks for that order; the others allow it.

mod blocks;
mod codestream;
mod high_throughput;
mod mq;
mod packet_header;
mod wavelet;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::imaging::error::ImagingError;
use crate::imaging::transcode::jpeg2000::blocks::Ebcot;
use crate::imaging::transcode::jpeg2000::codestream::Picture;
use crate::imaging::transcode::jpeg2000::high_throughput::HighThroughput;
use crate::imaging::transcode::words::{Plane, extend};

/// The smallest resolution is no larger than this.
const SMALLEST: u16 = 64;

/// Which block coder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::transcode) enum Blocks {
    /// Part 1's.
    Arithmetic,
    /// Part 15's.
    HighThroughput,
}

/// Encodes one frame; `transform`: three components by the reversible colour transform.
pub(in crate::imaging::transcode) fn encode(
    plane: &Plane,
    transform: bool,
    blocks: Blocks,
) -> Result<Vec<u8>, ImagingError> {
    let picture = picture(plane, transform);
    let coded = catch_unwind(AssertUnwindSafe(|| match blocks {
        Blocks::Arithmetic => codestream::encode(picture, &mut Ebcot::default()),
        Blocks::HighThroughput => codestream::encode(picture, &mut HighThroughput),
    }));
    let coded = coded.ok().flatten();
    coded.ok_or_else(|| ImagingError::unsupported("JPEG 2000 of such samples"))
}

fn picture(plane: &Plane, transform: bool) -> Picture {
    let step = usize::from(plane.components.max(1));
    let component = |first: usize| {
        let samples = plane.samples.iter().skip(first).step_by(step);
        samples.map(|word| value(*word, plane)).collect()
    };
    let longest = plane.width.max(plane.height);
    let levels = (0..16).find(|halvings| longest.div_ceil(1 << halvings) <= SMALLEST);
    Picture {
        width: plane.width,
        height: plane.height,
        precision: plane.precision.into(),
        signed: plane.signed,
        components: (0..step).map(component).collect(),
        transform: transform && step == 3,
        levels: levels.unwrap_or(10),
    }
}

fn value(word: u16, plane: &Plane) -> i32 {
    let word = extend(word, plane.precision, plane.signed);
    if plane.signed { word.cast_signed().into() } else { word.into() }
}
