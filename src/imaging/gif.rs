//! GIF files to native pixels (PS3.18 Table 10.5.2-1: transformed, there being no transfer syntax
//! for them; an animated one becomes frames, each whole).

use std::fmt;
use std::io::Cursor;
use std::num::NonZeroU64;

use bytes::Bytes;
use gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod, Frame, MemoryLimit};

use crate::imaging::decode::MAX_FRAME_BYTES;
use crate::imaging::error::ImagingError;

/// Frames of one file.
pub const MAX_FRAMES: usize = 20_000;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
    /// 1: all its colours are grey; 3: red, green, blue. 8 bits each.
    pub samples: u16,
    /// How long each frame is shown, in milliseconds.
    pub shown_ms: Vec<u32>,
}

/// A file's frames, drawn one over the other.
pub struct Frames {
    decoder: Decoder<Cursor<Bytes>>,
    width: usize,
    samples: u16,
    /// Red, green and blue of what is shown. Transparency shows what was there before, at first
    /// black: DICOM has no word for it.
    canvas: Vec<u8>,
    /// What becomes of the frame drawn last, before the next.
    pending: Option<Pending>,
}

struct Pending {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// What was there before; none: black.
    before: Option<Vec<u8>>,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("width", &self.width).finish_non_exhaustive()
    }
}

fn open(file: &Bytes, output: ColorOutput) -> Result<Decoder<Cursor<Bytes>>, ImagingError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(output);
    options.check_frame_consistency(true);
    if let Some(most) = NonZeroU64::new(MAX_FRAME_BYTES) {
        options.set_memory_limit(MemoryLimit::Bytes(most));
    }
    options.read_info(Cursor::new(file.clone())).map_err(ImagingError::damaged)
}

/// Looks a file through without decoding its frames.
pub fn describe(file: &Bytes) -> Result<Told, ImagingError> {
    let mut decoder = open(file, ColorOutput::Indexed)?;
    let (rows, columns) = (decoder.height(), decoder.width());
    let bytes = u64::from(rows).saturating_mul(columns.into()).saturating_mul(3);
    if bytes == 0 {
        return Err(ImagingError::damaged("the GIF has no rows or no columns"));
    }
    if bytes > MAX_FRAME_BYTES {
        return Err(ImagingError::TooLarge { bytes });
    }
    let is_grey = |palette: &[u8]| {
        palette.chunks_exact(3).all(|color| matches!(color, [r, g, b] if r == g && g == b))
    };
    let mut grey = decoder.global_palette().is_none_or(is_grey);
    let mut shown_ms = Vec::new();
    while let Some(frame) = decoder.next_frame_info().map_err(ImagingError::damaged)? {
        if shown_ms.len() >= MAX_FRAMES {
            return Err(ImagingError::Unsupported(format!("GIF of more than {MAX_FRAMES} frames")));
        }
        grey = grey && frame.palette.as_deref().is_none_or(is_grey);
        shown_ms.push(u32::from(frame.delay).saturating_mul(10));
    }
    if shown_ms.is_empty() {
        return Err(ImagingError::damaged("the GIF has no frames"));
    }
    Ok(Told { rows, columns, samples: if grey { 1 } else { 3 }, shown_ms })
}

impl Frames {
    /// Begins with a described file.
    pub fn of(file: &Bytes, told: &Told) -> Result<Self, ImagingError> {
        let decoder = open(file, ColorOutput::RGBA)?;
        let (width, height) = (usize::from(told.columns), usize::from(told.rows));
        let canvas = vec![0; width.saturating_mul(height).saturating_mul(3)];
        Ok(Self { decoder, width, samples: told.samples, canvas, pending: None })
    }

    /// The next frame's samples, interleaved by pixel; `None` after the last. CPU work: on the pool
    /// only.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, ImagingError> {
        if let Some(pending) = self.pending.take() {
            self.dispose(&pending);
        }
        let frame = self.decoder.read_next_frame().map_err(ImagingError::damaged)?;
        let Some(frame) = frame.cloned() else { return Ok(None) };
        self.pending = self.remember(&frame);
        self.draw(&frame);
        Ok(Some(match self.samples {
            1 => self.canvas.iter().step_by(3).copied().collect(),
            _ => self.canvas.clone(),
        }))
    }

    /// What lies under a frame, where it is needed again.
    fn remember(&self, frame: &Frame<'_>) -> Option<Pending> {
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let (width, height) = (usize::from(frame.width), usize::from(frame.height));
        let before = match frame.dispose {
            DisposalMethod::Any | DisposalMethod::Keep => return None,
            DisposalMethod::Background => None,
            DisposalMethod::Previous => {
                let rows =
                    (top..top.saturating_add(height)).filter_map(|y| self.row(y, left, width));
                Some(rows.flatten().copied().collect())
            }
        };
        Some(Pending { left, top, width, height, before })
    }

    fn dispose(&mut self, pending: &Pending) {
        let Pending { left, top, width, height, before } = pending;
        let length = width.saturating_mul(3).max(1);
        let mut rows = before.as_deref().unwrap_or_default().chunks_exact(length);
        for y in *top..top.saturating_add(*height) {
            let row = rows.next();
            if let Some(target) = self.row_mut(y, *left, *width) {
                match row {
                    Some(row) if row.len() == target.len() => target.copy_from_slice(row),
                    _ => target.fill(0),
                }
            }
        }
    }

    fn draw(&mut self, frame: &Frame<'_>) {
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let width = usize::from(frame.width);
        let rows = frame.buffer.chunks_exact(width.saturating_mul(4).max(1));
        for (y, row) in (top..).zip(rows) {
            let Some(target) = self.row_mut(y, left, width) else { continue };
            for (target, pixel) in target.chunks_exact_mut(3).zip(row.chunks_exact(4)) {
                if let [red, green, blue, cover] = pixel
                    && *cover > 0
                {
                    target.copy_from_slice(&[*red, *green, *blue]);
                }
            }
        }
    }

    /// Pixels of a row of the canvas; none where they do not all lie in it.
    fn span(&self, y: usize, left: usize, width: usize) -> Option<std::ops::Range<usize>> {
        if left.checked_add(width)? > self.width {
            return None;
        }
        let start = y.checked_mul(self.width)?.checked_add(left)?.checked_mul(3)?;
        Some(start..start.checked_add(width.checked_mul(3)?)?)
    }

    fn row(&self, y: usize, left: usize, width: usize) -> Option<&[u8]> {
        self.span(y, left, width).and_then(|span| self.canvas.get(span))
    }

    fn row_mut(&mut self, y: usize, left: usize, width: usize) -> Option<&mut [u8]> {
        let span = self.span(y, left, width)?;
        self.canvas.get_mut(span)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gif::{DisposalMethod, Encoder, Frame};
    use proptest::prelude::*;

    use super::{Frames, Told, describe};

    const COLOURS: &[u8] = &[10, 10, 10, 200, 0, 0, 0, 200, 0];
    const GREYS: &[u8] = &[10, 10, 10, 90, 90, 90, 200, 200, 200];

    /// A file of 3 by 1 pixels whose frames are places, indices and disposal.
    fn file(palette: &[u8], frames: &[(u16, &'static [u8], DisposalMethod)]) -> Bytes {
        let mut encoder = Encoder::new(Vec::new(), 3, 1, palette).unwrap();
        for (left, pixels, dispose) in frames {
            let frame = Frame {
                left: *left,
                width: u16::try_from(pixels.len()).unwrap(),
                height: 1,
                delay: 4,
                dispose: *dispose,
                transparent: Some(3),
                buffer: (*pixels).into(),
                ..Frame::default()
            };
            encoder.write_frame(&frame).unwrap();
        }
        encoder.into_inner().unwrap().into()
    }

    fn frames(file: &Bytes) -> (Told, Vec<Vec<u8>>) {
        let told = describe(file).unwrap();
        let mut frames = Frames::of(file, &told).unwrap();
        let mut all = Vec::new();
        while let Some(frame) = frames.next_frame().unwrap() {
            all.push(frame);
        }
        (told, all)
    }

    #[test]
    fn each_frame_is_the_whole_picture_then() {
        let keep = DisposalMethod::Keep;
        let file = file(
            GREYS,
            &[
                (0, &[0, 1, 2], keep),
                (1, &[2], DisposalMethod::Previous),
                (0, &[3, 0], DisposalMethod::Background),
                (2, &[1], keep),
            ],
        );
        let (told, frames) = frames(&file);
        assert_eq!(told, Told { rows: 1, columns: 3, samples: 1, shown_ms: vec![40; 4] });
        let expected: [[u8; 3]; 4] = [[10, 90, 200], [10, 200, 200], [10, 10, 200], [0, 0, 90]];
        assert_eq!(frames, expected.map(|frame| frame.to_vec()));
    }

    #[test]
    fn colours_are_red_green_and_blue() {
        let (told, frames) = frames(&file(COLOURS, &[(0, &[0, 1, 2], DisposalMethod::Any)]));
        assert_eq!(told.samples, 3);
        assert_eq!(frames, [COLOURS.to_vec()]);
    }

    #[test]
    fn a_cut_file_is_an_error_or_what_there_was_of_it() {
        let whole = file(GREYS, &[(0, &[0, 1, 2], DisposalMethod::Any)]);
        for end in 0..whole.len() - 2 {
            let cut = whole.slice(..end);
            let frames = describe(&cut).and_then(|told| Frames::of(&cut, &told));
            assert!(frames.and_then(|mut frames| frames.next_frame()).is_err(), "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..60_usize) {
            let mut spoiled = file(GREYS, &[
                (0, &[0, 1, 2], DisposalMethod::Previous), (1, &[2, 3], DisposalMethod::Background),
            ]).to_vec();
            for (target, byte) in spoiled.iter_mut().skip(at).zip(bytes.iter().take(3)) {
                *target = *byte;
            }
            for file in [Bytes::from(bytes), Bytes::from(spoiled)] {
                if let Ok(told) = describe(&file)
                    && let Ok(mut frames) = Frames::of(&file, &told)
                {
                    for _ in 0..4 {
                        let _ = frames.next_frame();
                    }
                }
            }
        }
    }
}
