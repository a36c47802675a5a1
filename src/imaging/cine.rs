//! Moving pictures: frames one after the other in a GIF (`GIF89a`), repeated for ever.

use std::fmt;

use gif::{Encoder, Frame, Repeat};

use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;

/// A GIF being written. Grey levels stay as they are; colours are cut to 256 a frame.
pub struct Cine {
    encoder: Encoder<Vec<u8>>,
    size: (u16, u16),
    frames: u32,
    /// Time that is not shown yet: GIF counts in hundredths of a second.
    owed_ms: u32,
}

impl fmt::Debug for Cine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cine").field("size", &self.size).finish_non_exhaustive()
    }
}

/// How hard colours are looked for, 1 (best) to 30 (fastest).
const SPEED: i32 = 10;

/// Browsers slow frames shorter than this down to ten a second.
const LEAST_MS: u32 = 20;

impl Cine {
    /// Begins with the size and kind of its first picture.
    pub fn begin(first: &Raster) -> Result<Self, ImagingError> {
        let too_large = |_| ImagingError::TooLarge { bytes: first.data.len() as u64 };
        let width = u16::try_from(first.width).map_err(too_large)?;
        let height = u16::try_from(first.height).map_err(too_large)?;
        let greys: Vec<u8> = (0..=255).flat_map(|level| [level; 3]).collect();
        let palette: &[u8] = if first.channels == 1 { &greys } else { &[] };
        let encoder = Encoder::new(Vec::new(), width, height, palette);
        let encoder = encoder.map_err(ImagingError::damaged)?;
        Ok(Self { encoder, size: (width, height), frames: 0, owed_ms: 0 })
    }

    /// Adds a picture that is shown for so long. It must be of the first one's size and kind.
    pub fn add(&mut self, raster: &Raster, shown_ms: u32) -> Result<(), ImagingError> {
        let (width, height) = self.size;
        if (raster.width, raster.height) != (width.into(), height.into()) {
            return Err(ImagingError::damaged("its frames differ in size"));
        }
        if shown_ms > 0 {
            if self.frames == 0 {
                self.encoder.set_repeat(Repeat::Infinite).map_err(ImagingError::damaged)?;
            }
            self.owed_ms = self.owed_ms.saturating_add(shown_ms.max(LEAST_MS));
        }
        let mut frame = if raster.channels == 1 {
            Frame { width, height, buffer: (&raster.data[..]).into(), ..Frame::default() }
        } else {
            Frame::from_rgb_speed(width, height, &raster.data, SPEED)
        };
        frame.delay = u16::try_from(self.owed_ms / 10).unwrap_or(u16::MAX);
        self.owed_ms %= 10;
        self.frames = self.frames.saturating_add(1);
        self.encoder.write_frame(&frame).map_err(ImagingError::damaged)
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> usize {
        self.encoder.get_ref().len()
    }

    /// The finished GIF.
    pub fn finish(self) -> Result<Vec<u8>, ImagingError> {
        self.encoder.into_inner().map_err(ImagingError::damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::Cine;
    use crate::imaging::encode::Raster;

    fn frames(gif: &[u8], color: gif::ColorOutput) -> Vec<(u16, Vec<u8>)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(color);
        let mut decoder = options.read_info(gif).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames.push((frame.delay, frame.buffer.to_vec()));
        }
        frames
    }

    #[test]
    fn grey_frames_keep_every_level_and_their_times_add_up() {
        let data: Vec<u8> = (0..=255).collect();
        let first = Raster { width: 16, height: 16, channels: 1, data };
        let second = Raster { data: first.data.iter().rev().copied().collect(), ..first.clone() };
        let mut cine = Cine::begin(&first).unwrap();
        for raster in [&first, &second, &first] {
            cine.add(raster, 33).unwrap();
        }
        let read = frames(&cine.finish().unwrap(), gif::ColorOutput::Indexed);
        let delays: Vec<u16> = read.iter().map(|(delay, _)| *delay).collect();
        assert_eq!(delays, [3, 3, 3], "99 ms in all, the last one still owed");
        assert_eq!(read[1].1, second.data);
    }

    #[test]
    fn colours_come_out_near_to_what_they_were() {
        let data: Vec<u8> = (0..64_u8).flat_map(|n| [n * 4, 255 - n * 4, 128]).collect();
        let raster = Raster { width: 8, height: 8, channels: 3, data };
        let mut cine = Cine::begin(&raster).unwrap();
        cine.add(&raster, 100).unwrap();
        let read = frames(&cine.finish().unwrap(), gif::ColorOutput::RGBA);
        let (pixels, _) = read[0].1.as_chunks::<4>();
        for (pixel, wanted) in pixels.iter().zip(raster.data.chunks(3)) {
            for (got, wanted) in pixel.iter().zip(wanted) {
                assert!(got.abs_diff(*wanted) <= 12, "{pixel:?} for {wanted}");
            }
        }
    }

    #[test]
    fn a_frame_of_another_size_is_an_error() {
        let raster =
            |width| Raster { width, height: 1, channels: 1, data: vec![0; width as usize] };
        let mut cine = Cine::begin(&raster(2)).unwrap();
        assert!(cine.add(&raster(3), 40).is_err());
        let huge = Raster { width: 70_000, height: 1, channels: 1, data: vec![0; 70_000] };
        assert!(Cine::begin(&huge).is_err());
    }
}
