//! Part 10 files: preamble and meta header, read tolerantly and written (PS3.10 §7).

use dicom_core::{Tag, VR};

use crate::dicom::scan::header::{Decoded, Form, Header, LONGEST, SHORT, Written};
use crate::dicom::syntax::{EXPLICIT_BIG, EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE};
use crate::dicom::uid::Uid;

/// Our Implementation Class UID (0002,0012), of a UUID made once.
pub const IMPLEMENTATION_CLASS: &str = "2.25.270515063029049797463422951908876715542";
/// Our Implementation Version Name (0002,0013).
pub const IMPLEMENTATION_VERSION: &str = "LASTRA_0_1_0";
/// The most bytes preamble and meta header may have together, unless told otherwise.
pub const DEFAULT_MAX_PREFIX_BYTES: usize = 64 * 1024;

const PREAMBLE_BYTES: usize = 128;
const MAGIC: &[u8; 4] = b"DICM";
/// Enough to tell a preamble from a data set that begins at once.
const MAGIC_BYTES: usize = PREAMBLE_BYTES + MAGIC.len() + SHORT;
const META_GROUP: u16 = 0x0002;
const META_FORM: Form = Form { explicit: true, big: false };
/// The longest first element that a data set without any meta header may have to be believed.
const MAX_FIRST_BYTES: u32 = 1024;

/// What comes before the data set of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// Its bytes as they came; none when the file is a bare data set.
    pub bytes: Vec<u8>,
    /// Transfer Syntax UID (0002,0010), or what the data set looks like when it is missing.
    pub transfer_syntax: Uid,
    /// Whether any reader finds the data set behind it: preamble, `DICM`, a right group length,
    /// explicit VR throughout, a transfer syntax.
    pub well_formed: bool,
    /// Media Storage SOP Class UID (0002,0002), when present and usable.
    pub media_sop_class: Option<Uid>,
    /// Media Storage SOP Instance UID (0002,0003).
    pub media_sop_instance: Option<Uid>,
}

/// How far a [`Part10Reader`] came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It took all bytes and needs more.
    More,
    /// The data set begins.
    DataSet {
        /// What came before it.
        prefix: Prefix,
        /// First bytes of the data set, which had to be looked at. Under 2 KiB.
        head: Vec<u8>,
        /// The data set goes on after this many of the bytes pushed last.
        used: usize,
    },
}

/// Why bytes are not a file that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Part10Error {
    /// Neither `DICM` nor a data set.
    #[error("this is no DICOM file")]
    NotDicom,
    /// The meta header is longer than the limit, in bytes.
    #[error("preamble and meta header take more than {0} bytes")]
    TooLong(usize),
    /// An element of the meta header has an undefined length.
    #[error("element {0} of the meta header has no length")]
    Undefined(Tag),
    /// The file ends inside the meta header.
    #[error("the file ends inside the meta header")]
    Truncated,
    /// No transfer syntax is given, and the data set does not show it.
    #[error("the transfer syntax is not given and cannot be told")]
    UnknownSyntax,
}

/// Reads what comes before the data set, from a file that arrives in pieces.
#[derive(Debug)]
pub struct Part10Reader {
    buffer: Vec<u8>,
    max_bytes: usize,
    place: Place,
    /// Where the place begins in the buffer.
    at: usize,
    meta: Meta,
}

/// What the reader reads next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Preamble,
    Meta,
    DataSet,
}

/// What the meta header has told so far.
#[derive(Debug, Default)]
struct Meta {
    start: usize,
    has_magic: bool,
    has_preamble: bool,
    has_implicit: bool,
    /// Where the group length says the meta header ends.
    announced_end: Option<usize>,
    sop_class: Option<Uid>,
    sop_instance: Option<Uid>,
    transfer_syntax: Option<Uid>,
}

/// What the bytes at hand allow.
enum Next {
    /// Nothing before the buffer has this many bytes.
    Need(usize),
    /// To go on.
    Again,
    /// The data set begins here, in this transfer syntax.
    Begins(Uid),
}

impl Default for Part10Reader {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_PREFIX_BYTES)
    }
}

impl Part10Reader {
    /// A reader that refuses a prefix of more than `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self { buffer: Vec::new(), max_bytes, place: Place::Preamble, at: 0, meta: Meta::default() }
    }

    /// Takes the next bytes of the file, no more than it must. Not to be called again once it has
    /// given the data set or an error.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Step, Part10Error> {
        let mut rest = bytes;
        loop {
            match self.next(false)? {
                Next::Again => {}
                Next::Begins(syntax) => {
                    let used = bytes.len().saturating_sub(rest.len());
                    let (prefix, head) = self.cut(syntax);
                    return Ok(Step::DataSet { prefix, head, used });
                }
                Next::Need(_) if rest.is_empty() => return Ok(Step::More),
                Next::Need(count) => {
                    let missing = count.saturating_sub(self.buffer.len());
                    let (taken, left) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
                    self.buffer.extend_from_slice(taken);
                    rest = left;
                }
            }
        }
    }

    /// Ends a file of which all bytes were taken: gives what comes before the data set, and the
    /// data set.
    pub fn finish(mut self) -> Result<(Prefix, Vec<u8>), Part10Error> {
        loop {
            match self.next(true)? {
                Next::Again => {}
                Next::Begins(syntax) => return Ok(self.cut(syntax)),
                Next::Need(_) => return Err(Part10Error::Truncated),
            }
        }
    }

    fn next(&mut self, ended: bool) -> Result<Next, Part10Error> {
        match self.place {
            Place::Preamble => Ok(self.preamble(ended)),
            Place::Meta => self.element(ended),
            Place::DataSet => self.data_set(ended),
        }
    }

    fn preamble(&mut self, ended: bool) -> Next {
        if self.buffer.len() < MAGIC_BYTES && !ended {
            return Next::Need(MAGIC_BYTES);
        }
        let after = self.buffer.get(PREAMBLE_BYTES..).unwrap_or_default();
        if after.starts_with(MAGIC) {
            self.meta.has_preamble = true;
            self.meta.has_magic = true;
            self.at = PREAMBLE_BYTES.saturating_add(MAGIC.len());
        } else if self.buffer.starts_with(MAGIC) {
            self.meta.has_magic = true;
            self.at = MAGIC.len();
        } else if begins_meta(after) && !begins_meta(&self.buffer) {
            self.meta.has_preamble = true; // its `DICM` is missing
            self.at = PREAMBLE_BYTES;
        }
        self.meta.start = self.at;
        self.place = Place::Meta;
        Next::Again
    }

    /// Reads one element of the meta header. It ends where another group begins, whatever the
    /// group length says; only before deflated bytes, which may look like anything, that counts.
    fn element(&mut self, ended: bool) -> Result<Next, Part10Error> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let deflated = self
            .meta
            .transfer_syntax
            .as_ref()
            .is_some_and(|uid| Encoding::of(uid.as_str()) == Encoding::DeflatedExplicitLittle);
        let other_group = match rest.first_chunk::<2>() {
            Some(&group) => META_FORM.u16(group) != META_GROUP,
            None => ended,
        };
        if other_group || (deflated && self.meta.announced_end == Some(self.at)) {
            self.place = Place::DataSet;
            return Ok(Next::Again);
        }
        let Some(&short) = rest.first_chunk::<SHORT>() else { return Ok(self.need(SHORT)) };
        let more = rest.get(SHORT..).and_then(|more| more.first_chunk::<4>()).copied();
        let header = match META_FORM.element(short, more) {
            Decoded::Header(header) => header,
            Decoded::Longer => return Ok(self.need(LONGEST)),
            Decoded::BadVr(_) => Form::IMPLICIT_LITTLE.plain(short),
        };
        let length = header.length.ok_or(Part10Error::Undefined(header.tag))?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let size = header.size.saturating_add(length);
        let end = self.at.saturating_add(size);
        if end > self.max_bytes {
            return Err(Part10Error::TooLong(self.max_bytes));
        }
        match self.buffer.get(self.at.saturating_add(header.size)..end) {
            Some(value) => self.meta.note(&header, self.at, value, end),
            None => return Ok(Next::Need(end)),
        }
        self.at = end;
        Ok(Next::Again)
    }

    fn data_set(&mut self, ended: bool) -> Result<Next, Part10Error> {
        if let Some(syntax) = &self.meta.transfer_syntax {
            return Ok(Next::Begins(syntax.clone()));
        }
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let looks = if self.meta.has_magic || self.at > self.meta.start {
            look(rest, ended)
        } else {
            look_strictly(rest, ended)
        };
        match looks {
            Look::Needs(count) => Ok(self.need(count)),
            Look::Like(syntax) => {
                let syntax = Uid::parse(syntax).map_err(|_| Part10Error::UnknownSyntax)?;
                Ok(Next::Begins(syntax))
            }
            Look::Unlike if self.meta.has_magic => Err(Part10Error::UnknownSyntax),
            Look::Unlike => Err(Part10Error::NotDicom),
        }
    }

    fn need(&self, count: usize) -> Next {
        Next::Need(self.at.saturating_add(count))
    }

    fn cut(&mut self, transfer_syntax: Uid) -> (Prefix, Vec<u8>) {
        let mut bytes = std::mem::take(&mut self.buffer);
        let head = bytes.split_off(self.at.min(bytes.len()));
        let meta = std::mem::take(&mut self.meta);
        let well_formed = meta.has_preamble
            && meta.has_magic
            && !meta.has_implicit
            && meta.announced_end == Some(self.at)
            && meta.transfer_syntax.is_some();
        let prefix = Prefix {
            bytes,
            transfer_syntax,
            well_formed,
            media_sop_class: meta.sop_class,
            media_sop_instance: meta.sop_instance,
        };
        (prefix, head)
    }
}

impl Meta {
    fn note(&mut self, header: &Header, start: usize, value: &[u8], end: usize) {
        self.has_implicit |= header.vr == Written::Nothing;
        let uid = || Uid::parse(std::str::from_utf8(value).ok()?).ok();
        match header.tag.1 {
            0x0000 if start == self.start => {
                let length = value.first_chunk::<4>().map(|&bytes| u32::from_le_bytes(bytes));
                let length = length.and_then(|length| usize::try_from(length).ok());
                self.announced_end = length.and_then(|length| end.checked_add(length));
            }
            0x0002 => self.sop_class = uid(),
            0x0003 => self.sop_instance = uid(),
            0x0010 => self.transfer_syntax = uid(),
            _ => {}
        }
    }
}

/// Whether a meta header begins here: (0002,0000) or (0002,0001).
fn begins_meta(bytes: &[u8]) -> bool {
    bytes.starts_with(&[2, 0, 0, 0]) || bytes.starts_with(&[2, 0, 1, 0])
}

/// What a data set's first bytes look like.
enum Look {
    /// That many bytes are needed to tell.
    Needs(usize),
    /// A data set in that transfer syntax.
    Like(&'static str),
    /// No data set.
    Unlike,
}

/// The transfer syntax of a data set, by its first element: a known VR makes it explicit, and of
/// the two byte orders the one that gives the lower group is right.
fn look(bytes: &[u8], ended: bool) -> Look {
    let Some(&first) = bytes.first_chunk::<SHORT>() else {
        return match (ended, bytes.is_empty()) {
            (false, _) => Look::Needs(SHORT),
            (true, true) => Look::Like(IMPLICIT_LITTLE),
            (true, false) => Look::Unlike,
        };
    };
    let [g0, g1, _, _, v0, v1, ..] = first;
    if VR::from_binary([v0, v1]).is_none() {
        return Look::Like(IMPLICIT_LITTLE);
    }
    let big = Form { explicit: true, big: true };
    let big = big.u16([g0, g1]) < META_FORM.u16([g0, g1]);
    Look::Like(if big { EXPLICIT_BIG } else { EXPLICIT_LITTLE })
}

/// As [`look`], of bytes that nothing says are DICOM: the first element must be of a group data
/// sets begin with, and in implicit VR, where any bytes make an element, the next must follow it.
fn look_strictly(bytes: &[u8], ended: bool) -> Look {
    let Some(&first) = bytes.first_chunk::<SHORT>() else {
        return if ended { Look::Unlike } else { Look::Needs(SHORT) };
    };
    let look = look(bytes, ended);
    let big = matches!(look, Look::Like(EXPLICIT_BIG));
    let header = Form { explicit: false, big }.plain(first);
    if !(0x0001..=0x0010).contains(&header.tag.0) {
        return Look::Unlike;
    }
    if !matches!(look, Look::Like(IMPLICIT_LITTLE)) {
        return look;
    }
    let length = match header.length {
        None => return look,
        Some(length) if length > MAX_FIRST_BYTES => return Look::Unlike,
        Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
    };
    let end = SHORT.saturating_add(length);
    match bytes.get(end..).map(<[u8]>::first_chunk::<4>) {
        Some(Some(&next)) if Form::IMPLICIT_LITTLE.tag(next) > header.tag => look,
        Some(None) if ended && bytes.len() == end => look,
        Some(None) | None if !ended => Look::Needs(end.saturating_add(4)),
        _ => Look::Unlike,
    }
}

/// What goes into a meta header we write.
#[derive(Debug, Clone, Copy)]
pub struct MetaFields<'a> {
    /// Media Storage SOP Class UID (0002,0002).
    pub sop_class: &'a Uid,
    /// Media Storage SOP Instance UID (0002,0003).
    pub sop_instance: &'a Uid,
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax: &'a Uid,
    /// Source Application Entity Title (0002,0016), where the object came from.
    pub source_ae: Option<&'a str>,
}

/// Preamble and meta header for a data set that came without (PS3.10 §7.1). UIDs are written as
/// they are, valid or not: the object is worth more than its header's form.
pub fn write_prefix(meta: &MetaFields<'_>) -> Vec<u8> {
    let mut elements = Vec::new();
    // A long VR: two reserved bytes, 32-bit length, version 1 as a bit of the second byte.
    elements.extend_from_slice(&[2, 0, 1, 0, b'O', b'B', 0, 0, 2, 0, 0, 0, 0, 1]);
    write_text(&mut elements, 0x0002, *b"UI", meta.sop_class.as_str());
    write_text(&mut elements, 0x0003, *b"UI", meta.sop_instance.as_str());
    write_text(&mut elements, 0x0010, *b"UI", meta.transfer_syntax.as_str());
    write_text(&mut elements, 0x0012, *b"UI", IMPLEMENTATION_CLASS);
    write_text(&mut elements, 0x0013, *b"SH", IMPLEMENTATION_VERSION);
    if let Some(title) = meta.source_ae.filter(|title| !title.is_empty()) {
        write_text(&mut elements, 0x0016, *b"AE", title);
    }
    let mut out = vec![0; PREAMBLE_BYTES];
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[2, 0, 0, 0, b'U', b'L', 4, 0]);
    let length = u32::try_from(elements.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.append(&mut elements);
    out
}

/// Writes a text element of group 0002, padded to an even length (PS3.5 §6.2).
fn write_text(out: &mut Vec<u8>, element: u16, vr: [u8; 2], text: &str) {
    let padding: &[u8] = match (text.len() % 2, &vr) {
        (0, _) => &[],
        (_, b"UI") => &[0],
        _ => b" ",
    };
    let length = text.len().saturating_add(padding.len());
    // UIDs have at most 128 bytes, titles 16: a text that does not fit comes from neither.
    let Ok(length) = u16::try_from(length) else { return };
    out.extend_from_slice(&META_GROUP.to_le_bytes());
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(&vr);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(padding);
}
