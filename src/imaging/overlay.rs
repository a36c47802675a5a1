//! Overlay planes (PS3.3 §C.9.2): bitmaps drawn over a picture in white.

use bytes::Bytes;
use dicom_core::Tag;

use crate::dicom::tree::Item;
use crate::imaging::decode::{Frame, Samples};
use crate::imaging::encode::Raster;

/// Planes an object may have (PS3.5 §7.6: groups 6000 to 601E).
const GROUPS: std::ops::RangeInclusive<u16> = 0x6000..=0x601E;

/// A plane, with its bits or where they are to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// Group of its elements.
    pub group: u16,
    /// Pixels across.
    pub columns: u32,
    /// Pixels down.
    pub rows: u32,
    /// Column of the picture, from 0, where its left edge lies.
    pub left: i64,
    /// Row of the picture, from 0, where its top edge lies.
    pub top: i64,
    /// Frames of the plane.
    pub frames: u32,
    /// Frame of the picture, from 0, that its first frame belongs to.
    pub first_frame: u32,
    /// Its bits.
    pub bits: OverlayBits,
}

/// Where a plane's bits are.
#[derive(Debug, Clone, PartialEq)]
pub enum OverlayBits {
    /// Overlay Data (60xx,3000), the first pixel in the lowest bit.
    Packed(Bytes),
    /// Overlay Data that is bulk: this range of the data set, still to be read.
    Unread(std::ops::Range<u64>),
    /// A bit of the pixel words themselves (retired, and still sent).
    Embedded(u16),
}

/// The planes a data set describes. What has no size or no bits is left out.
pub fn overlays(data_set: Item<'_>) -> Vec<Overlay> {
    GROUPS.step_by(2).filter_map(|group| overlay(data_set, group)).collect()
}

fn overlay(data_set: Item<'_>, group: u16) -> Option<Overlay> {
    let rows = data_set.whole(Tag(group, 0x0010)).filter(|rows| (1..=65_535).contains(rows))?;
    let columns =
        data_set.whole(Tag(group, 0x0011)).filter(|columns| (1..=65_535).contains(columns))?;
    let data = Tag(group, 0x3000);
    let bits = if let Some(bytes) = data_set.bytes(data) {
        OverlayBits::Packed(Bytes::copy_from_slice(bytes))
    } else if let Some(range) = data_set.bulk(data) {
        OverlayBits::Unread(range)
    } else {
        let position = data_set.whole(Tag(group, 0x0102)).filter(|position| *position < 16)?;
        OverlayBits::Embedded(u16::try_from(position).ok()?)
    };
    // Row\Column of the first pixel, 1\1 is the picture's own first.
    let origin = data_set.numbers(Tag(group, 0x0050));
    let from_zero = |which: usize| origin.get(which).map_or(0, |place| offset(place - 1.0));
    Some(Overlay {
        group,
        columns,
        rows,
        left: from_zero(1),
        top: from_zero(0),
        frames: data_set.whole(Tag(group, 0x0015)).unwrap_or(1).max(1),
        first_frame: data_set.whole(Tag(group, 0x0051)).unwrap_or(1).saturating_sub(1),
        bits,
    })
}

/// Which of a plane's rows or columns lie in a picture of that size.
fn visible(origin: i64, size: u32, picture: u32) -> std::ops::Range<u32> {
    let first = u32::try_from(origin.saturating_neg().max(0)).unwrap_or(u32::MAX);
    let end = u32::try_from(i64::from(picture).saturating_sub(origin).max(0)).unwrap_or(u32::MAX);
    first..end.min(size)
}

#[expect(clippy::cast_possible_truncation, reason = "SS: 16 bits")]
fn offset(place: f64) -> i64 {
    place as i64
}

impl Overlay {
    /// Bytes of its bits, where they are here.
    pub fn bytes(&self) -> u64 {
        match &self.bits {
            OverlayBits::Packed(bits) => bits.len() as u64,
            OverlayBits::Unread(_) | OverlayBits::Embedded(_) => 0,
        }
    }

    /// Draws the plane in white over a picture as large as the decoded frame: frame `index` of it.
    /// A plane of one frame lies over all.
    pub fn draw(&self, raster: &mut Raster, decoded: Option<&Frame>, index: u32) {
        self.paint(raster, decoded, index, [255; 3]);
    }

    /// The same in a colour.
    pub fn paint(&self, raster: &mut Raster, decoded: Option<&Frame>, index: u32, color: [u8; 3]) {
        let frame = if self.frames == 1 { Some(0) } else { index.checked_sub(self.first_frame) };
        let Some(frame) = frame.filter(|frame| *frame < self.frames) else { return };
        match (&self.bits, decoded) {
            (OverlayBits::Packed(bits), _) => self.draw_packed(raster, bits, frame, color),
            (OverlayBits::Embedded(position), Some(decoded)) => {
                self.draw_embedded(raster, decoded, *position, color);
            }
            _ => {}
        }
    }

    fn draw_packed(&self, raster: &mut Raster, bits: &[u8], frame: u32, color: [u8; 3]) {
        let pixels = u64::from(self.columns) * u64::from(self.rows);
        let start = pixels.saturating_mul(frame.into());
        for y in visible(self.top, self.rows, raster.height) {
            for x in visible(self.left, self.columns, raster.width) {
                let bit = start + u64::from(y) * u64::from(self.columns) + u64::from(x);
                let byte = usize::try_from(bit / 8).ok().and_then(|byte| bits.get(byte));
                if byte.is_some_and(|byte| byte >> (bit % 8) & 1 == 1) {
                    self.set(raster, x, y, color);
                }
            }
        }
    }

    fn draw_embedded(&self, raster: &mut Raster, decoded: &Frame, position: u16, color: [u8; 3]) {
        let set = |word: u32| word >> position & 1 == 1;
        let at = |x: u32, y: u32| {
            let place = u64::from(y) * u64::from(decoded.width) + u64::from(x);
            let place = usize::try_from(place).ok()?;
            match &decoded.data {
                Samples::U8(words) => words.get(place).map(|word| set((*word).into())),
                Samples::U16(words) => words.get(place).map(|word| set((*word).into())),
                _ => None,
            }
        };
        for y in visible(self.top, self.rows.min(decoded.height), raster.height) {
            for x in visible(self.left, self.columns.min(decoded.width), raster.width) {
                if at(x, y) == Some(true) {
                    self.set(raster, x, y, color);
                }
            }
        }
    }

    fn set(&self, raster: &mut Raster, x: u32, y: u32, color: [u8; 3]) {
        let x = u32::try_from(i64::from(x).saturating_add(self.left));
        let y = u32::try_from(i64::from(y).saturating_add(self.top));
        if let (Ok(x), Ok(y)) = (x, y) {
            raster.set(x, y, color);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use dicom_core::Tag;

    use super::{Overlay, OverlayBits, overlays};
    use crate::dicom::feed::{element, scan};
    use crate::dicom::syntax::Encoding;
    use crate::dicom::tree::Tree;
    use crate::imaging::encode::Raster;

    fn black() -> Raster {
        Raster { width: 4, height: 2, channels: 1, data: vec![7; 8] }
    }

    #[test]
    fn a_plane_is_read_and_lights_its_pixels_where_its_origin_says() {
        let mut tree = Tree::new(Encoding::ExplicitLittle);
        let elements = [
            element(Tag(0x6002, 0x0010), "US", &[2, 0]),
            element(Tag(0x6002, 0x0011), "US", &[3, 0]),
            element(Tag(0x6002, 0x0050), "SS", &[1, 0, 2, 0]),
            element(Tag(0x6002, 0x3000), "OW", &[0b0010_0001, 0]),
        ];
        scan(&elements, &mut tree);
        let found = overlays(tree.root());
        assert_eq!(found.len(), 1);
        let mut raster = black();
        found[0].draw(&mut raster, None, 5);
        assert_eq!(raster.data, [7, 255, 7, 7, 7, 7, 7, 255]);
    }

    #[test]
    fn planes_of_several_frames_follow_the_pictures_and_lie_over_no_others() {
        let overlay = Overlay {
            group: 0x6000,
            columns: 3,
            rows: 1,
            left: -1,
            top: 0,
            frames: 2,
            first_frame: 1,
            // Three bits a frame, the second begins inside the byte.
            bits: OverlayBits::Packed(Bytes::from_static(&[0b0011_0010])),
        };
        // Frame 1 has the bits 0, 1, 0 and frame 2 the bits 0, 1, 1; the first of each lies left of
        // the picture.
        for (index, lit) in [(0, [7; 3]), (1, [255, 7, 7]), (2, [255, 255, 7]), (3, [7; 3])] {
            let mut raster = black();
            overlay.draw(&mut raster, None, index);
            assert_eq!(raster.data[..3], lit, "frame {index}");
        }
    }
}
