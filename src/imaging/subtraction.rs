//! Mask subtraction (PS3.3 §C.7.6.10, §C.11.13): of which frames a subtracted picture is made. How:
//! see [`difference`].
//!
//! An image whose Recommended Viewing Mode is SUB is shown subtracted, where its own mask module
//! applies; a presentation state's mask takes the place of the image's, also where it has none.

pub mod difference;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use dicom_core::Tag;

use crate::dicom::tree::Item;
use crate::imaging::error::ImagingError;

/// Mask Subtraction Sequence.
pub const MASK_SUBTRACTION: Tag = Tag(0x0028, 0x6100);
/// Mask Operation.
pub const MASK_OPERATION: Tag = Tag(0x0028, 0x6101);
/// Applicable Frame Range.
pub const APPLICABLE_FRAMES: Tag = Tag(0x0028, 0x6102);
/// Mask Frame Numbers.
pub const MASK_FRAMES: Tag = Tag(0x0028, 0x6110);
/// Contrast Frame Averaging.
pub const CONTRAST_AVERAGING: Tag = Tag(0x0028, 0x6112);
/// Mask Sub-pixel Shift.
pub const MASK_SHIFT: Tag = Tag(0x0028, 0x6114);
/// TID Offset.
pub const TID_OFFSET: Tag = Tag(0x0028, 0x6120);
/// Subtraction Item ID.
pub const ITEM_ID: Tag = Tag(0x0028, 0x9416);
/// Frame Pixel Shift Sequence, of functional groups (PS3.3 §C.7.6.16.2.14).
pub const FRAME_SHIFT: Tag = Tag(0x0028, 0x9415);
/// Recommended Viewing Mode.
pub const VIEWING_MODE: Tag = Tag(0x0028, 0x1090);

/// Items kept of one object.
pub const MAX_ITEMS: usize = 256;
/// Shifts of single frames kept of one object.
pub const MAX_SHIFTS: usize = 100_000;
/// Numbers kept of one range.
const MAX_RANGE_NUMBERS: usize = 4096;
/// Frames that are averaged, of the mask or of the contrast.
pub const MAX_AVERAGED: usize = 64;

/// Whether a picture is to be subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Subtraction {
    /// As Recommended Viewing Mode (0028,1090) says.
    #[default]
    Recommended,
    /// Where there is a mask.
    Yes,
    /// Never: the frame as it is stored.
    No,
}

/// A mask module.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Masks {
    /// Its operations, in its order; those it says are none are left out.
    pub items: Vec<Mask>,
    /// Recommended Viewing Mode is SUB.
    pub recommended: bool,
    /// How masks are moved for a frame (index from 0), or for all (`None`), by Subtraction Item ID.
    pub shifts: BTreeMap<(Option<u32>, u16), Shift>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    operation: Operation,
    /// Frames it is for: first and last of each range, from 1; none: wherever it can be.
    ranges: Vec<(u32, u32)>,
    /// Contrast frames averaged, from the current one on.
    averaged: u32,
    shift: Shift,
    /// Subtraction Item ID.
    id: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operation {
    /// `AVG_SUB`: the average of these frames.
    Average(Vec<u32>),
    /// TID: the frame so many before.
    Interval(i64),
    /// `REV_TID`: backwards from the frame so many before the first.
    Reversed(i64),
}

/// How far a mask is moved, in pixels (PS3.3 §C.7.6.10.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shift {
    /// Towards higher rows.
    pub down: f32,
    /// Towards lower columns.
    pub left: f32,
}

/// The frames, from 1, of which one picture is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Operands {
    /// Averaged and subtracted from.
    pub contrast: Vec<u32>,
    /// Averaged, moved and subtracted.
    pub mask: Vec<u32>,
    /// How the mask is moved.
    pub shift: Shift,
}

/// The elements of an item as they were read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Mask Operation.
    pub operation: String,
    /// Applicable Frame Range.
    pub ranges: Vec<u16>,
    /// Mask Frame Numbers.
    pub frames: Vec<u16>,
    /// Contrast Frame Averaging.
    pub averaged: Option<u16>,
    /// Mask Sub-pixel Shift.
    pub shift: Option<(f32, f32)>,
    /// TID Offset.
    pub offset: Option<i16>,
    /// Subtraction Item ID.
    pub id: Option<u16>,
}

impl Said {
    /// Of an item of a data set in memory.
    pub fn of(item: Item<'_>) -> Self {
        let shift = item.numbers(MASK_SHIFT);
        Self {
            operation: item.text(MASK_OPERATION).unwrap_or_default(),
            ranges: item.table(APPLICABLE_FRAMES),
            frames: item.table(MASK_FRAMES),
            averaged: item.table(CONTRAST_AVERAGING).first().copied(),
            shift: shift.first_chunk::<2>().map(|[down, left]| (single(*down), single(*left))),
            offset: item.table(TID_OFFSET).first().map(|word| word.cast_signed()),
            id: item.table(ITEM_ID).first().copied(),
        }
    }

    /// The operation; `None` when there is none, or none that is known.
    pub fn mask(mut self) -> Option<Mask> {
        self.ranges.truncate(MAX_RANGE_NUMBERS);
        // One more than may be: so many are refused when they are asked for.
        self.frames.truncate(MAX_AVERAGED.saturating_add(1));
        let offset = self.offset.map_or(1, i64::from);
        let operation = match self.operation.as_str() {
            "AVG_SUB" => Operation::Average(self.frames.into_iter().map(u32::from).collect()),
            "TID" => Operation::Interval(offset),
            "REV_TID" => Operation::Reversed(offset),
            _ => return None,
        };
        let (pairs, _) = self.ranges.as_chunks::<2>();
        let ranges = pairs.iter().map(|[first, last]| (u32::from(*first), u32::from(*last)));
        Some(Mask {
            operation,
            ranges: ranges.collect(),
            averaged: self.averaged.map_or(1, u32::from).max(1),
            shift: self.shift.map_or_else(Shift::default, Shift::of),
            id: self.id,
        })
    }
}

impl Shift {
    /// Of the two numbers of Mask Sub-pixel Shift; what is no number moves nothing.
    pub fn of((down, left): (f32, f32)) -> Self {
        if down.is_finite() && left.is_finite() { Self { down, left } } else { Self::default() }
    }
}

impl Masks {
    /// Bytes its operations take, about.
    pub fn bytes(&self) -> usize {
        self.items.iter().map(Mask::bytes).fold(0, usize::saturating_add)
    }

    /// Of a data set in memory: a presentation state.
    pub fn of(data_set: Item<'_>) -> Self {
        let items = data_set.items(MASK_SUBTRACTION).take(MAX_ITEMS);
        Self {
            items: items.filter_map(|item| Said::of(item).mask()).collect(),
            recommended: data_set.text(VIEWING_MODE).is_some_and(|mode| mode == "SUB"),
            shifts: BTreeMap::new(),
        }
    }

    /// Of which of an image's `frames` the picture of frame `frame` (from 1) is made, by the first
    /// operation that is for it; `None`: it is shown as it is. `Unsupported` when it would take
    /// more than is averaged here.
    pub fn operands(&self, frame: u32, frames: u32) -> Result<Option<Operands>, ImagingError> {
        let found = self.items.iter().find_map(|item| {
            let shift = item.id.and_then(|id| self.shift_of(frame.saturating_sub(1), id));
            let operands = item.operands(frame, frames)?;
            Some(Operands { shift: shift.unwrap_or(operands.shift), ..operands })
        });
        let most = |found: &Operands| found.mask.len().max(found.contrast.len());
        match found {
            Some(found) if most(&found) > MAX_AVERAGED => Err(ImagingError::Unsupported(format!(
                "averages of more than {MAX_AVERAGED} frames in its mask module"
            ))),
            found => Ok(found),
        }
    }

    /// How a mask is moved for a frame (index from 0): its own shift, else that of all frames.
    fn shift_of(&self, index: u32, id: u16) -> Option<Shift> {
        let own = self.shifts.get(&(Some(index), id));
        own.or_else(|| self.shifts.get(&(None, id))).copied()
    }
}

impl Mask {
    fn bytes(&self) -> usize {
        let frames = match &self.operation {
            Operation::Average(frames) => frames.len(),
            Operation::Interval(_) | Operation::Reversed(_) => 0,
        };
        size_of::<Self>()
            .saturating_add(self.ranges.len().saturating_mul(8))
            .saturating_add(frames.saturating_mul(4))
    }

    fn operands(&self, frame: u32, frames: u32) -> Option<Operands> {
        if !(1..=frames).contains(&frame) {
            return None;
        }
        // Without a range it ends where there are frames enough to average.
        let last = frame.saturating_add(self.averaged.saturating_sub(1));
        let applies = if self.ranges.is_empty() {
            last <= frames
        } else {
            self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&frame))
        };
        if !applies {
            return None;
        }
        let one = |number: i64| u32::try_from(number).ok().map(|frame| vec![frame]);
        let current = i64::from(frame);
        let mut mask = match &self.operation {
            Operation::Average(numbers) => numbers.clone(),
            Operation::Interval(offset) => one(current.saturating_sub(*offset))?,
            Operation::Reversed(offset) => {
                // MFN = (FCFN - TID Offset) - (CFN - FCFN) (PS3.3 §C.7.6.10.1.1).
                let first = i64::from(self.ranges.first()?.0);
                let back = current.saturating_sub(first);
                one(first.saturating_sub(*offset).saturating_sub(back))?
            }
        };
        mask.retain(|number| (1..=frames).contains(number));
        if mask.is_empty() {
            return None;
        }
        let most = u32::try_from(MAX_AVERAGED).unwrap_or(u32::MAX);
        let last = last.min(frames).min(frame.saturating_add(most));
        Some(Operands { contrast: (frame..=last).collect(), mask, shift: self.shift })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "written in single precision")]
fn single(number: f64) -> f32 {
    number as f32
}
