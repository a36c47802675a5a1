//! Lookup tables of the per-frame functional groups (PS3.3 §C.7.6.16.2.10b): heard one by one, kept
//! within bounds, alike ones once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dicom::scan::Element;
use crate::imaging::pixels::collector::lut;
use crate::imaging::pixels::palette::RawLut;
use crate::imaging::pixels::value::Order;
use crate::imaging::pixels::{LutState, MAX_FRAMES};

/// Which of a frame's two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::imaging::pixels) enum Which {
    /// Modality LUT.
    Modality,
    /// VOI LUT.
    Voi,
}

/// The tables a frame has of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrameTables {
    /// Modality LUT Sequence (0028,3000), first item.
    pub modality: Option<Arc<LutState>>,
    /// VOI LUT Sequence (0028,3010), first item.
    pub voi: Option<Arc<LutState>>,
}

/// Bytes of tables kept of one object; frames past them have one that is unusable.
const MAX_KEPT_BYTES: usize = 16 * 1024 * 1024;
/// Tables that lie apart from the header and are read for one picture.
const MAX_APART: usize = 16;

/// The tables heard so far.
#[derive(Debug, Default)]
pub(in crate::imaging::pixels) struct Gathered {
    /// Of the item that is open.
    open: RawLut,
    frames: BTreeMap<u32, FrameTables>,
    /// The last of each kind: the next frame often has the same.
    last: [Option<Arc<LutState>>; 2],
    /// Those whose data lie apart, by the place of these.
    apart: BTreeMap<String, (u32, Which, RawLut)>,
    bytes: usize,
}

impl Gathered {
    pub(in crate::imaging::pixels) fn begin(&mut self) {
        self.open = RawLut::default();
    }

    pub(in crate::imaging::pixels) fn hear(
        &mut self,
        order: Order,
        element: &Element,
        bytes: Option<&[u8]>,
    ) {
        lut(&mut self.open, order, element, bytes);
    }

    /// The open item ends, which was of frame `index` (from 0).
    pub(in crate::imaging::pixels) fn end(&mut self, index: usize, which: Which, order: Order) {
        let raw = std::mem::take(&mut self.open);
        let Some(frame) = u32::try_from(index).ok().filter(|_| index < MAX_FRAMES) else { return };
        if raw.is_empty() {
            return;
        }
        if raw.bulk && self.apart.len() < MAX_APART {
            self.apart.insert(which.path(frame), (frame, which, raw));
            // Until it is read.
            return self.put(frame, which, LutState::Unusable);
        }
        self.put(frame, which, raw.table(order).map_or(LutState::Unusable, LutState::Read));
    }

    pub(in crate::imaging::pixels) fn missing(&self) -> impl Iterator<Item = String> {
        self.apart.keys().cloned()
    }

    /// The bytes of a table that lies apart; whether there is one at that place.
    pub(in crate::imaging::pixels) fn table(
        &mut self,
        path: &str,
        bytes: &[u8],
        order: Order,
    ) -> bool {
        let Some((frame, which, mut raw)) = self.apart.remove(path) else { return false };
        raw.data = Some(bytes.to_vec());
        self.put(frame, which, raw.table(order).map_or(LutState::Unusable, LutState::Read));
        true
    }

    pub(in crate::imaging::pixels) fn finish(self) -> BTreeMap<u32, FrameTables> {
        self.frames
    }

    fn put(&mut self, frame: u32, which: Which, state: LutState) {
        let place = usize::from(which == Which::Voi);
        let last = self.last.get(place).and_then(Option::as_ref);
        let shared = match last.filter(|last| ***last == state) {
            Some(last) => Arc::clone(last),
            None => Arc::new(self.within_bounds(state)),
        };
        if let Some(last) = self.last.get_mut(place) {
            *last = Some(Arc::clone(&shared));
        }
        let tables = self.frames.entry(frame).or_default();
        match which {
            Which::Modality => tables.modality = Some(shared),
            Which::Voi => tables.voi = Some(shared),
        }
    }

    fn within_bounds(&mut self, state: LutState) -> LutState {
        let LutState::Read(lut) = &state else { return state };
        let bytes = self.bytes.saturating_add(lut.entries.len().saturating_mul(2));
        if bytes > MAX_KEPT_BYTES {
            return LutState::Unusable;
        }
        self.bytes = bytes;
        state
    }
}

impl Which {
    /// Where LUT Data (0028,3006) of a frame (from 0) lies, as the layout knows it.
    fn path(self, frame: u32) -> String {
        let item = frame.saturating_add(1);
        match self {
            Self::Modality => format!("52009230/{item}/00289145/1/00283000/1/00283006"),
            Self::Voi => format!("52009230/{item}/00289132/1/00283010/1/00283006"),
        }
    }
}
