//! The scanner's automaton, on bytes that are not deflated.
//!
//! It is always in one of a few [`State`]s, inside a stack of [`Level`]s no deeper than twice
//! [`Limits::depth`]. The only bytes it keeps are an unfinished header and an unfinished inline
//! value; everything else is counted.

use std::collections::BTreeMap;
use std::mem;
use std::ops::Range;

use dicom_core::{Tag, VR};

use crate::dicom::limits::Limits;
use crate::dicom::scan::header::{
    Decoded, Form, Header, ITEM, ITEM_END, LONGEST, SEQUENCE_END, SHORT, Written,
};
use crate::dicom::scan::{Element, Problem, ScanError, Value, Visit, vr};
use crate::dicom::syntax::Encoding;

/// Bytes of a fragment that are handed on.
const HEAD_BYTES: u64 = 16;
/// A buffer that grew beyond this for an offset table is given back.
const KEPT_BUFFER_BYTES: usize = 64 * 1024;

/// What the next byte belongs to.
#[derive(Debug)]
enum State {
    /// The header of an element, an item or a delimiter.
    Header,
    /// An inline value.
    Value(Element),
    /// A bulk value, or the rest of a fragment of it: counted.
    Skip { tag: Tag, end: u64 },
    /// The Basic Offset Table.
    OffsetTable { end: u64 },
    /// The first bytes of a fragment.
    FragmentHead { item_start: u64, bytes: Range<u64> },
    /// Zero bytes up to the end of the data set; any other byte makes this the error.
    Padding(ScanError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    DataSet,
    Sequence,
    Item,
    Fragments,
}

/// Something open that holds what follows.
#[derive(Debug, Clone, Copy)]
struct Level {
    kind: Kind,
    /// Tag of the element that opened it.
    tag: Tag,
    /// Where it ends, when its length is defined.
    end: Option<u64>,
    /// Nothing in it may end past this: its own end, or that of what holds it.
    bound: u64,
    form: Form,
    /// Pixel Representation seen in it, or before it in what holds it.
    signed: bool,
    /// Nothing in it has been read yet.
    fresh: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Machine {
    limits: Limits,
    /// Byte order of the data set itself.
    big: bool,
    /// The data set is in implicit VR, and so are all its items.
    fixed: bool,
    state: State,
    level: Level,
    outer: Vec<Level>,
    depth: u16,
    position: u64,
    header: [u8; LONGEST],
    header_len: usize,
    buffer: Vec<u8>,
    elements: u64,
    kept_bytes: u64,
    known_fragments: Option<BTreeMap<u64, u64>>,
}

type Result<T> = std::result::Result<T, ScanError>;

impl Machine {
    pub(super) fn new(encoding: Encoding, limits: Limits) -> Self {
        let fixed = encoding == Encoding::ImplicitLittle;
        let big = encoding == Encoding::ExplicitBig;
        let level = Level {
            kind: Kind::DataSet,
            tag: Tag(0, 0),
            end: None,
            bound: u64::MAX,
            form: Form { explicit: !fixed, big },
            signed: false,
            fresh: true,
        };
        Self {
            limits,
            big,
            fixed,
            state: State::Header,
            level,
            outer: Vec::new(),
            depth: 0,
            position: 0,
            header: [0; LONGEST],
            header_len: 0,
            buffer: Vec::new(),
            elements: 0,
            kept_bytes: 0,
            known_fragments: None,
        }
    }

    pub(super) fn know_fragments(&mut self, ends: BTreeMap<u64, u64>) {
        self.known_fragments = Some(ends);
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn skippable(&self) -> u64 {
        match self.state {
            State::Skip { end, .. } => end.saturating_sub(self.position),
            _ => 0,
        }
    }

    pub(super) fn skip(&mut self, bytes: u64) {
        self.position = self.position.saturating_add(bytes);
    }

    pub(super) fn push(&mut self, mut bytes: &[u8], visit: &mut dyn Visit) -> Result<()> {
        self.settle(visit);
        while !bytes.is_empty() {
            bytes = match mem::replace(&mut self.state, State::Header) {
                State::Header => self.header(bytes, visit)?,
                State::Value(element) => self.value(element, bytes, visit),
                State::Skip { tag, end } => self.count(tag, end, bytes),
                State::OffsetTable { end } => self.offset_table(end, bytes, visit),
                State::FragmentHead { item_start, bytes: place } => {
                    self.fragment_head(item_start, place, bytes, visit)
                }
                State::Padding(error) => return self.padding(error, bytes),
            };
            self.settle(visit);
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, visit: &mut dyn Visit) -> Result<u64> {
        self.settle(visit);
        let inside = match &self.state {
            State::Padding(_) => return Ok(self.position),
            State::Value(Element { tag, .. }) | State::Skip { tag, .. } => *tag,
            State::Header if self.level.kind == Kind::DataSet => {
                let rest = self.header.get(..self.header_len).unwrap_or_default();
                if rest.iter().all(|&byte| byte == 0) {
                    return Ok(self.position);
                }
                rest.first_chunk::<4>().map_or(Tag(0, 0), |&bytes| self.level.form.tag(bytes))
            }
            _ => self.level.tag,
        };
        refuse(self.position, Problem::Truncated(inside))
    }

    /// Leaves a bulk value that has been counted, and closes all that ends here.
    fn settle(&mut self, visit: &mut dyn Visit) {
        match self.state {
            State::Header if self.header_len == 0 => {}
            State::Skip { end, .. } if end <= self.position => self.state = State::Header,
            _ => return,
        }
        while self.level.end.is_some_and(|end| end <= self.position) {
            self.close(visit);
        }
    }

    /// Closes the innermost level.
    fn close(&mut self, visit: &mut dyn Visit) {
        let Some(outer) = self.outer.pop() else { return };
        match mem::replace(&mut self.level, outer).kind {
            Kind::Item => visit.end_item(),
            Kind::Sequence => {
                self.depth = self.depth.saturating_sub(1);
                visit.end_sequence();
            }
            Kind::Fragments => visit.end_fragments(self.position),
            Kind::DataSet => {}
        }
    }

    fn open(&mut self, level: Level) {
        self.outer.push(mem::replace(&mut self.level, level));
    }

    /// Takes header bytes; acts on the header once it is whole.
    fn header<'a>(&mut self, bytes: &'a [u8], visit: &mut dyn Visit) -> Result<&'a [u8]> {
        // The common case: all of it is here.
        if let (0, Some(first)) = (self.header_len, bytes.first_chunk::<LONGEST>())
            && let Some(header) = self.decode(first)?
        {
            self.begin(&header, visit)?;
            return Ok(bytes.get(header.size..).unwrap_or_default());
        }
        let wanted = if self.header_len < SHORT { SHORT } else { LONGEST };
        let free = self.header.get_mut(self.header_len..wanted).unwrap_or_default();
        let taken = free.len().min(bytes.len());
        let (bytes, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
        for (free, &byte) in free.iter_mut().zip(bytes) {
            *free = byte;
        }
        self.header_len = self.header_len.saturating_add(taken);
        if self.header_len < wanted {
            self.position = self.position.saturating_add(taken as u64);
            return Ok(rest);
        }
        // While it was being gathered the position went along; a header is acted on from its start.
        let gathered = self.header_len.saturating_sub(taken) as u64;
        self.position = self.position.saturating_sub(gathered);
        let whole = self.header;
        let decoded = match whole.get(..self.header_len) {
            Some(bytes) => self.decode(bytes)?,
            None => None,
        };
        match decoded {
            Some(header) => {
                self.header_len = 0;
                self.begin(&header, visit)?;
            }
            None => self.position = self.position.saturating_add(self.header_len as u64),
        }
        Ok(rest)
    }

    /// Decodes the header at the position; `None` when it needs more than `bytes`.
    fn decode(&mut self, bytes: &[u8]) -> Result<Option<Header>> {
        let Some(&short) = bytes.first_chunk::<SHORT>() else { return Ok(None) };
        if matches!(self.level.kind, Kind::Sequence | Kind::Fragments) {
            return Ok(Some(self.level.form.plain(short)));
        }
        if self.level.kind == Kind::DataSet && short == [0; SHORT] {
            return Ok(Some(self.level.form.plain(short)));
        }
        if mem::take(&mut self.level.fresh) {
            self.choose_form(short);
        }
        let more = bytes.get(SHORT..).and_then(|more| more.first_chunk::<4>()).copied();
        match self.level.form.element(short, more) {
            Decoded::Header(header) => Ok(Some(header)),
            Decoded::Longer => Ok(None),
            Decoded::BadVr(tag) => refuse(self.position, Problem::BadVr(tag)),
        }
    }

    /// Settles the form of a data set or item by the first 8 bytes of its first element. Files
    /// whose data set is not in the form its transfer syntax promises exist too.
    fn choose_form(&mut self, first: [u8; SHORT]) {
        let top = self.level.kind == Kind::DataSet;
        if top || !self.fixed {
            self.level.form = self.level.form.shown_by(first);
        }
        if top {
            self.fixed = !self.level.form.explicit;
        }
    }

    /// Acts on the header that begins at the position.
    fn begin(&mut self, header: &Header, visit: &mut dyn Visit) -> Result<()> {
        let start = self.position;
        self.position = start.saturating_add(header.size as u64);
        if self.position > self.level.bound {
            return refuse(start, Problem::Overlong(self.level.tag));
        }
        match (self.level.kind, header.tag) {
            (Kind::Item, ITEM_END) | (Kind::Sequence | Kind::Fragments, SEQUENCE_END)
                if self.ends_here() =>
            {
                self.close(visit);
            }
            (Kind::Sequence, ITEM) => return self.begin_item(header, start, visit),
            (Kind::Fragments, ITEM) => return self.begin_fragment(header, start, visit),
            (Kind::DataSet, ITEM_END | SEQUENCE_END) => {
                self.pad_from(start, Problem::Misplaced(header.tag));
            }
            (Kind::DataSet, Tag(0, 0)) if header.length == Some(0) => {
                self.pad_from(start, Problem::Misplaced(header.tag));
            }
            (Kind::Item | Kind::DataSet, tag) if tag.0 != ITEM.0 => {
                return self.begin_element(header, start, visit);
            }
            (_, tag) => return refuse(start, Problem::Misplaced(tag)),
        }
        Ok(())
    }

    /// Whether a delimiter may close the level here: its length is undefined, or this is its end.
    fn ends_here(&self) -> bool {
        self.level.end.is_none_or(|end| end == self.position)
    }

    fn pad_from(&mut self, offset: u64, problem: Problem) {
        self.state = State::Padding(ScanError { offset, problem });
    }

    /// Counts an element, item or fragment, and gives where its value ends.
    fn admit(&mut self, tag: Tag, length: u32, start: u64) -> Result<u64> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > self.limits.elements {
            return refuse(start, Problem::TooMany(self.limits.elements));
        }
        let end = self.position.saturating_add(u64::from(length));
        if end > self.level.bound {
            return refuse(start, Problem::Overlong(tag));
        }
        Ok(end)
    }

    fn begin_item(&mut self, header: &Header, start: u64, visit: &mut dyn Visit) -> Result<()> {
        let end = self.admit(header.tag, header.length.unwrap_or(0), start)?;
        let end = header.length.map(|_| end);
        let bound = end.unwrap_or(self.level.bound);
        self.open(Level { kind: Kind::Item, end, bound, fresh: true, ..self.level });
        visit.begin_item();
        Ok(())
    }

    fn begin_fragment(&mut self, header: &Header, start: u64, visit: &mut dyn Visit) -> Result<()> {
        let Some(length) = header.length else {
            return refuse(start, Problem::Misplaced(header.tag));
        };
        let end = self.admit(header.tag, length, start)?;
        let table = mem::take(&mut self.level.fresh);
        self.state = if table && length != 0 && length <= self.limits.offset_table_bytes {
            self.keep(length, start)?;
            State::OffsetTable { end }
        } else if table {
            visit.offset_table(&[]);
            State::Skip { tag: self.level.tag, end }
        } else if length == 0 {
            visit.fragment(start, end..end, &[]);
            State::Header
        } else {
            State::FragmentHead { item_start: start, bytes: self.position..end }
        };
        Ok(())
    }

    fn begin_element(&mut self, header: &Header, start: u64, visit: &mut dyn Visit) -> Result<()> {
        let tag = header.tag;
        let vr = match header.vr {
            Written::Known(vr) => vr,
            Written::Unlisted => VR::UN,
            Written::Nothing => vr::implicit(tag, self.level.signed),
        };
        let end = self.admit(tag, header.length.unwrap_or(0), start)?;
        let value = self.position..end;
        let element = Element { tag, vr, start, value, depth: self.depth };
        match header.length {
            Some(_) if vr == VR::SQ => {
                self.begin_sequence(element, Some(end), self.level.form, visit)
            }
            Some(length) => self.begin_value(element, length, visit),
            None => self.begin_undefined(element, header.vr, visit),
        }
    }

    fn begin_value(&mut self, element: Element, length: u32, visit: &mut dyn Visit) -> Result<()> {
        if vr::is_bulk(element.tag, element.vr, element.depth, length, &self.limits) {
            visit.element(&element, Value::Bulk);
            self.state = State::Skip { tag: element.tag, end: element.value.end };
        } else if length == 0 {
            visit.element(&element, Value::Inline(&[]));
        } else {
            self.keep(length, element.start)?;
            self.state = State::Value(element);
        }
        Ok(())
    }

    /// What an undefined length means: encapsulated values, or a sequence.
    fn begin_undefined(
        &mut self,
        mut element: Element,
        written: Written,
        visit: &mut dyn Visit,
    ) -> Result<()> {
        let vr = element.vr;
        let pixels = element.tag == vr::PIXEL_DATA;
        if pixels || (vr::is_binary(vr) && vr != VR::UN) {
            if written == Written::Nothing {
                element.vr = VR::OB; // PS3.5 §A.4 knows no other for encapsulated values
            }
            self.begin_fragments(element, visit);
            return Ok(());
        }
        let form = match (written, vr) {
            // Without a written VR only sequences can be undefined, whatever the dictionary says.
            (Written::Nothing, _) | (_, VR::SQ) => self.level.form,
            (_, VR::UN) => Form::IMPLICIT_LITTLE, // PS3.5 §6.2.2 note 2
            _ => return refuse(element.start, Problem::BadVr(element.tag)),
        };
        self.begin_sequence(element, None, form, visit)
    }

    fn begin_fragments(&mut self, mut element: Element, visit: &mut dyn Visit) {
        let known = self.known_fragments.as_ref().and_then(|ends| ends.get(&self.position));
        if let Some(&end) = known {
            element.value.end = end.min(self.level.bound).max(self.position);
            visit.element(&element, Value::Bulk);
            self.state = State::Skip { tag: element.tag, end: element.value.end };
            return;
        }
        visit.begin_fragments(&element);
        let tag = element.tag;
        self.open(Level { kind: Kind::Fragments, tag, end: None, fresh: true, ..self.level });
    }

    fn begin_sequence(
        &mut self,
        mut element: Element,
        end: Option<u64>,
        form: Form,
        visit: &mut dyn Visit,
    ) -> Result<()> {
        if self.depth >= self.limits.depth {
            return refuse(element.start, Problem::TooDeep(self.limits.depth));
        }
        element.vr = VR::SQ;
        visit.begin_sequence(&element);
        self.depth = self.depth.saturating_add(1);
        let bound = end.unwrap_or(self.level.bound);
        let tag = element.tag;
        self.open(Level { kind: Kind::Sequence, tag, end, bound, form, ..self.level });
        Ok(())
    }

    /// Counts bytes that will be kept.
    fn keep(&mut self, length: u32, start: u64) -> Result<()> {
        self.kept_bytes = self.kept_bytes.saturating_add(u64::from(length));
        if self.kept_bytes > self.limits.header_bytes {
            return refuse(start, Problem::HeaderTooLarge(self.limits.header_bytes));
        }
        Ok(())
    }

    /// Takes bytes up to `end`, in the buffer when they do not come whole. `None`: not all here.
    fn gather<'a>(&mut self, end: u64, bytes: &'a [u8]) -> (Option<Gathered<'a>>, &'a [u8]) {
        let (taken, rest) = self.take(end, bytes);
        if self.position < end {
            self.buffer.extend_from_slice(taken);
            return (None, rest);
        }
        if self.buffer.is_empty() {
            return (Some(Gathered::Whole(taken)), rest);
        }
        self.buffer.extend_from_slice(taken);
        (Some(Gathered::Buffer(mem::take(&mut self.buffer))), rest)
    }

    /// Gives a buffer back for the next value.
    fn release(&mut self, gathered: Gathered<'_>) {
        if let Gathered::Buffer(mut buffer) = gathered
            && buffer.capacity() <= KEPT_BUFFER_BYTES
        {
            buffer.clear();
            self.buffer = buffer;
        }
    }

    /// Splits off the bytes up to data set offset `end`, and moves past them.
    fn take<'a>(&mut self, end: u64, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let wanted = usize::try_from(end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let (taken, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.position = self.position.saturating_add(taken.len() as u64);
        (taken, rest)
    }

    fn value<'a>(&mut self, element: Element, bytes: &'a [u8], visit: &mut dyn Visit) -> &'a [u8] {
        let (gathered, rest) = self.gather(element.value.end, bytes);
        let Some(mut gathered) = gathered else {
            self.state = State::Value(element);
            return rest;
        };
        if element.tag == vr::PIXEL_REPRESENTATION
            && let Some(&number) = gathered.bytes().first_chunk::<2>()
        {
            self.level.signed = self.level.form.u16(number) == 1;
        }
        if self.level.form.big != self.big {
            gathered = gathered.turned(element.vr);
        }
        visit.element(&element, Value::Inline(gathered.bytes()));
        self.release(gathered);
        rest
    }

    fn count<'a>(&mut self, tag: Tag, end: u64, bytes: &'a [u8]) -> &'a [u8] {
        let (_, rest) = self.take(end, bytes);
        self.state = State::Skip { tag, end };
        rest
    }

    fn offset_table<'a>(&mut self, end: u64, bytes: &'a [u8], visit: &mut dyn Visit) -> &'a [u8] {
        let (gathered, rest) = self.gather(end, bytes);
        match gathered {
            Some(gathered) => {
                visit.offset_table(gathered.bytes());
                self.release(gathered);
            }
            None => self.state = State::OffsetTable { end },
        }
        rest
    }

    fn fragment_head<'a>(
        &mut self,
        item_start: u64,
        place: Range<u64>,
        bytes: &'a [u8],
        visit: &mut dyn Visit,
    ) -> &'a [u8] {
        let head_end = place.end.min(place.start.saturating_add(HEAD_BYTES));
        let (gathered, rest) = self.gather(head_end, bytes);
        self.state = match gathered {
            Some(gathered) => {
                visit.fragment(item_start, place.clone(), gathered.bytes());
                self.release(gathered);
                State::Skip { tag: self.level.tag, end: place.end }
            }
            None => State::FragmentHead { item_start, bytes: place },
        };
        rest
    }

    fn padding(&mut self, error: ScanError, bytes: &[u8]) -> Result<()> {
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(error);
        }
        self.position = self.position.saturating_add(bytes.len() as u64);
        self.state = State::Padding(error);
        Ok(())
    }
}

fn refuse<T>(offset: u64, problem: Problem) -> Result<T> {
    Err(ScanError { offset, problem })
}

/// A value whose bytes are all here.
enum Gathered<'a> {
    /// They came in one piece.
    Whole(&'a [u8]),
    /// They came in several, or were turned.
    Buffer(Vec<u8>),
}

impl Gathered<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Buffer(bytes) => bytes,
        }
    }

    fn turned(self, vr: VR) -> Self {
        let mut bytes = match self {
            Self::Whole(bytes) => bytes.to_vec(),
            Self::Buffer(bytes) => bytes,
        };
        vr::turn(vr, &mut bytes);
        Self::Buffer(bytes)
    }
}
