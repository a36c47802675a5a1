//! The scanner: one pass over the bytes of a data set, no recursion, bounded memory.
//!
//! Bytes are pushed in whatever pieces they arrive; a [`Visit`] hears of every element, sequence,
//! item and fragment with its place. Whatever the cut of the input, the calls are the same.
//!
//! What real files get wrong is read where it can be read only one way:
//! - a data set or item in the other VR form than it should be in (its first element tells),
//! - a VR of two capitals the standard does not list (PS3.5 §6.2 keeps room for new ones),
//! - odd lengths, tags out of order, delimiters whose length is not zero, a delimiter at the very
//!   end of what has a length, or of the data set,
//! - zero bytes after the data set.
//!
//! Everything else is refused with a [`Problem`]. `machine` holds the automaton, `header` decodes
//! element headers, `vr` tells what a value is, `inflate` undoes PS3.5 §A.5.

pub(in crate::dicom) mod header;
mod inflate;
mod machine;
pub(in crate::dicom) mod vr;

use std::collections::BTreeMap;
use std::ops::Range;

use dicom_core::{Tag, VR};

use crate::dicom::limits::Limits;
use crate::dicom::syntax::Encoding;
use inflate::Inflate;
use machine::Machine;

/// A data element's header and place. Offsets count from the first byte of the (inflated) data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Tag.
    pub tag: Tag,
    /// Value representation as written; in implicit VR from the dictionary (UN when unknown),
    /// for US-or-SS and OB-or-OW attributes as PS3.5 §A.1 and the pixel representation say.
    pub vr: VR,
    /// Where the element's header begins.
    pub start: u64,
    /// Where its value lies; for undefined lengths the end is the start.
    pub value: Range<u64>,
    /// Sequences open around it: 0 at the top.
    pub depth: u16,
}

/// A value as the scanner hands it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// The value's bytes, in the data set's byte order (numbers that lie in the other order, in a
    /// UN sequence of a big endian data set, are turned).
    Inline(&'a [u8]),
    /// Longer than the inline limit, or pixel data: only its place (see [`Element::value`]).
    Bulk,
}

/// Hears what a scan finds, in the order of the data set.
pub trait Visit {
    /// A data element that is not a sequence.
    fn element(&mut self, element: &Element, value: Value<'_>);
    /// A sequence (SQ, or UN of undefined length, PS3.5 §6.2.2 note 2) begins; its VR is always SQ.
    fn begin_sequence(&mut self, element: &Element);
    /// An item of the innermost open sequence begins.
    fn begin_item(&mut self);
    /// The innermost open item ends.
    fn end_item(&mut self);
    /// The innermost open sequence ends.
    fn end_sequence(&mut self);
    /// Encapsulated pixel data begins (PS3.5 §A.4), at the top or in an item (icons).
    fn begin_fragments(&mut self, element: &Element);
    /// The Basic Offset Table item: its bytes, or nothing when it is empty or over the limit.
    fn offset_table(&mut self, bytes: &[u8]);
    /// A fragment: where its item header begins, where its bytes lie, and its first bytes (up to 16).
    fn fragment(&mut self, item_start: u64, bytes: Range<u64>, head: &[u8]);
    /// Encapsulated pixel data ends; `end` is where the element ends, delimiter included.
    fn end_fragments(&mut self, end: u64);
}

/// Why a data set was refused: which byte, and what was wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset} of the data set")]
pub struct ScanError {
    /// Offset from the first byte of the (inflated) data set.
    pub offset: u64,
    /// What was wrong, with the tag it was wrong in where there is one.
    pub problem: Problem,
}

/// What a scan refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The data set ends inside an element, item or sequence.
    #[error("the data set ends inside {0}")]
    Truncated(Tag),
    /// A two-letter VR that is none (PS3.5 §6.2).
    #[error("element {0} has no valid value representation")]
    BadVr(Tag),
    /// A value that reaches past the item or sequence that holds it.
    #[error("element {0} is longer than what holds it")]
    Overlong(Tag),
    /// A delimiter or item where none may stand.
    #[error("{0} stands where it may not")]
    Misplaced(Tag),
    /// Deeper than [`Limits::depth`].
    #[error("sequences are nested more than {0} deep")]
    TooDeep(u16),
    /// More than [`Limits::elements`].
    #[error("more than {0} elements")]
    TooMany(u64),
    /// More header bytes than [`Limits::header_bytes`].
    #[error("header values take more than {0} bytes")]
    HeaderTooLarge(u64),
    /// A deflated data set that inflates past the limits.
    #[error("inflates to more than the limit")]
    InflateBomb,
    /// A deflated data set whose stream is damaged.
    #[error("the deflated stream is damaged")]
    BadDeflate,
}

/// Reads one data set from its bytes.
#[derive(Debug)]
pub struct Scanner {
    machine: Machine,
    inflate: Option<Box<Inflate>>,
    failed: Option<ScanError>,
}

impl Scanner {
    /// A scanner for one data set of that encoding.
    pub fn new(encoding: Encoding, limits: Limits) -> Self {
        let inflate =
            (encoding == Encoding::DeflatedExplicitLittle).then(|| Box::new(Inflate::new(&limits)));
        Self { machine: Machine::new(encoding, limits), inflate, failed: None }
    }

    /// A scanner that knows where encapsulated pixel data ends (value start to value end), tells of
    /// it as one bulk element and does not look inside.
    pub fn with_known_fragments(
        encoding: Encoding,
        limits: Limits,
        ends: BTreeMap<u64, u64>,
    ) -> Self {
        let mut scanner = Self::new(encoding, limits);
        scanner.machine.know_fragments(ends);
        scanner
    }

    /// Takes the next bytes of the data set as stored (deflated, when the encoding deflates).
    /// After an error every further call gives the same error.
    pub fn push(&mut self, bytes: &[u8], visit: &mut dyn Visit) -> Result<(), ScanError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = match &mut self.inflate {
            None => self.machine.push(bytes, visit),
            Some(inflate) => inflate.push(bytes, &mut self.machine, visit),
        };
        result.map_err(|error| self.fail(error))
    }

    /// How many of the next bytes the scanner would only count, because they lie inside a bulk
    /// value. Always 0 when deflated.
    pub fn skippable(&self) -> u64 {
        match (&self.failed, &self.inflate) {
            (None, None) => self.machine.skippable(),
            _ => 0,
        }
    }

    /// Leaves out the next `bytes` bytes, at most [`Scanner::skippable`].
    pub fn skip(&mut self, bytes: u64) {
        let bytes = bytes.min(self.skippable());
        self.machine.skip(bytes);
    }

    /// Bytes of the (inflated) data set taken so far.
    pub fn position(&self) -> u64 {
        self.machine.position()
    }

    /// Ends the data set: gives its (inflated) length, or tells what it ended inside of.
    pub fn finish(&mut self, visit: &mut dyn Visit) -> Result<u64, ScanError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let ended = match &self.inflate {
            None => Ok(()),
            Some(inflate) => inflate.finish(self.machine.position()),
        };
        // The innermost element says more than the deflated stream that broke off in it.
        let result = self.machine.finish(visit).and_then(|length| ended.map(|()| length));
        result.map_err(|error| self.fail(error))
    }

    fn fail(&mut self, error: ScanError) -> ScanError {
        self.failed = Some(error.clone());
        error
    }
}
