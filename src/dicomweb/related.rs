//! Reads `multipart/related` bodies as they arrive (RFC 2046 §5.1, RFC 2387; PS3.18 §8.6.1.2).
//!
//! Pure: bytes in, events out. A part that states its `Content-Length` is read by it, so that bytes
//! which look like a boundary cannot cut an object short; a part that ends in any other way than at
//! a whole delimiter is never reported as ended. Memory: the bytes pushed and not yet taken, and
//! one part's header of at most [`MAX_HEADER_BYTES`].

use bytes::Buf;
use bytes::Bytes;
use bytes::BytesMut;
use memchr::memmem::Finder;

/// The longest header of a part, or preamble before the first.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// What comes next in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A part begins.
    Part(Head),
    /// Bytes of the open part.
    Bytes(Bytes),
    /// The open part is whole.
    PartEnd,
    /// The last part is behind us; what follows is of no meaning.
    End,
}

/// What a part says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// `Content-Type`, as written; empty when there is none.
    pub content_type: String,
    /// `Content-Length`, when there is a usable one.
    pub content_length: Option<u64>,
    /// `Content-Location`; empty when there is none.
    pub content_location: String,
}

/// Why a body is no multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelatedError {
    /// The boundary parameter is absent, too long or holds what it must not.
    #[error("the Content-Type names no usable boundary")]
    Boundary,
    /// No delimiter where the first or next one must be.
    #[error("no boundary where one must be")]
    NoDelimiter,
    /// A part's header is too long.
    #[error("a part's header is longer than {MAX_HEADER_BYTES} bytes")]
    HeaderTooLong,
    /// The body ended inside a part or before its closing delimiter.
    #[error("the body ends before its closing boundary")]
    Cut,
}

/// Where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first delimiter.
    Preamble,
    /// Behind a delimiter's text: the rest of its line.
    DelimiterLine,
    Header,
    /// In a part of unknown length.
    Open,
    /// In a part with so many bytes left.
    Counted(u64),
    /// Where only a delimiter may come.
    Delimiter,
    Done,
}

/// Reads one body.
#[derive(Debug)]
pub struct Reader {
    /// CR LF, two hyphens, the boundary.
    delimiter: Vec<u8>,
    finder: Finder<'static>,
    buffer: BytesMut,
    place: Place,
}

impl Reader {
    /// A reader of bodies with that boundary.
    pub fn new(boundary: &str) -> Result<Self, RelatedError> {
        let usable = (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len())
            && boundary.bytes().all(|byte| (0x20..0x7F).contains(&byte))
            && !boundary.ends_with(' ');
        if !usable {
            return Err(RelatedError::Boundary);
        }
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        let finder = Finder::new(&delimiter).into_owned();
        // The first delimiter may open the body without a line before it.
        let buffer = BytesMut::from(&b"\r\n"[..]);
        Ok(Self { delimiter, finder, buffer, place: Place::Preamble })
    }

    /// Takes bytes of the body; ask [`Reader::event`] until it has no more.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.place != Place::Done {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The body is over: an error unless its closing delimiter came.
    pub fn finish(&self) -> Result<(), RelatedError> {
        if self.place == Place::Done { Ok(()) } else { Err(RelatedError::Cut) }
    }

    /// The next event, or `None` until more is pushed.
    pub fn event(&mut self) -> Result<Option<Event>, RelatedError> {
        loop {
            match self.place {
                Place::Preamble => {
                    let Some(at) = self.finder.find(&self.buffer) else { return self.wait() };
                    self.buffer.advance(at.saturating_add(self.delimiter.len()));
                    self.place = Place::DelimiterLine;
                }
                Place::DelimiterLine => match line_end(&self.buffer) {
                    LineEnd::Closing => {
                        self.buffer = BytesMut::new();
                        self.place = Place::Done;
                        return Ok(Some(Event::End));
                    }
                    LineEnd::At(at) => {
                        self.buffer.advance(at);
                        self.place = Place::Header;
                    }
                    LineEnd::Unknown => return self.wait(),
                    LineEnd::None => return Err(RelatedError::NoDelimiter),
                },
                Place::Header => {
                    let Some(head) = self.header() else { return self.wait() };
                    self.place = head.content_length.map_or(Place::Open, Place::Counted);
                    return Ok(Some(Event::Part(head)));
                }
                Place::Open => return Ok(self.open()),
                Place::Counted(0) => self.place = Place::Delimiter,
                Place::Counted(left) => return Ok(self.counted(left)),
                Place::Delimiter => {
                    let seen = self.buffer.len().min(self.delimiter.len());
                    if self.buffer.get(..seen) != self.delimiter.get(..seen) {
                        return Err(RelatedError::NoDelimiter);
                    }
                    if seen < self.delimiter.len() {
                        return Ok(None);
                    }
                    self.buffer.advance(seen);
                    self.place = Place::DelimiterLine;
                    return Ok(Some(Event::PartEnd));
                }
                Place::Done => return Ok(None),
            }
        }
    }

    /// More is needed, within reason.
    fn wait(&self) -> Result<Option<Event>, RelatedError> {
        if self.buffer.len() <= MAX_HEADER_BYTES {
            return Ok(None);
        }
        Err(match self.place {
            Place::Header => RelatedError::HeaderTooLong,
            _ => RelatedError::NoDelimiter,
        })
    }

    /// A part's header, once it is whole: lines, then an empty one.
    fn header(&mut self) -> Option<Head> {
        // No header at all: the empty line comes at once.
        let (bytes, behind) = if self.buffer.starts_with(b"\r\n") {
            (0, 2)
        } else {
            let at = memchr::memmem::find(&self.buffer, b"\r\n\r\n")?;
            (at, at.saturating_add(4))
        };
        let head = head(self.buffer.get(..bytes).unwrap_or_default());
        self.buffer.advance(behind);
        Some(head)
    }

    fn counted(&mut self, left: u64) -> Option<Event> {
        if self.buffer.is_empty() {
            return None;
        }
        let bytes = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
        let taken = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.place = Place::Counted(left.saturating_sub(taken));
        Some(Event::Bytes(self.buffer.split_to(bytes).freeze()))
    }

    /// Bytes of a part up to its delimiter; the text of a delimiter that no line end or closing
    /// follows belongs to the part.
    fn open(&mut self) -> Option<Event> {
        let mut from = 0;
        while let Some(found) = self.buffer.get(from..).and_then(|rest| self.finder.find(rest)) {
            let at = from.saturating_add(found);
            let behind = at.saturating_add(self.delimiter.len());
            match line_end(self.buffer.get(behind..).unwrap_or_default()) {
                LineEnd::None => from = at.saturating_add(1),
                LineEnd::Unknown => return self.bytes(at),
                LineEnd::At(_) | LineEnd::Closing if at > 0 => return self.bytes(at),
                LineEnd::At(_) | LineEnd::Closing => {
                    self.buffer.advance(behind);
                    self.place = Place::DelimiterLine;
                    return Some(Event::PartEnd);
                }
            }
        }
        // The last bytes may be the beginning of a delimiter.
        self.bytes(self.buffer.len().saturating_sub(self.delimiter.len().saturating_sub(1)))
    }

    fn bytes(&mut self, count: usize) -> Option<Event> {
        (count > 0).then(|| Event::Bytes(self.buffer.split_to(count).freeze()))
    }
}

/// What follows a delimiter's text.
enum LineEnd {
    /// `--`: it is the last.
    Closing,
    /// White space and a line end; what follows begins here.
    At(usize),
    /// Too early to tell.
    Unknown,
    /// Something else: it is no delimiter.
    None,
}

fn line_end(bytes: &[u8]) -> LineEnd {
    match bytes {
        [b'-', b'-', ..] => return LineEnd::Closing,
        [b'-'] | [] => return LineEnd::Unknown,
        _ => {}
    }
    let padding = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match bytes.get(padding..).unwrap_or_default() {
        [b'\r', b'\n', ..] => LineEnd::At(padding.saturating_add(2)),
        [b'\r'] | [] if padding <= MAX_PADDING_BYTES => LineEnd::Unknown,
        _ => LineEnd::None,
    }
}

/// White space looked over behind a delimiter.
const MAX_PADDING_BYTES: usize = 256;

fn head(bytes: &[u8]) -> Head {
    let mut head = Head::default();
    for line in String::from_utf8_lossy(bytes).split("\r\n") {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "content-type" => value.clone_into(&mut head.content_type),
            "content-length" => head.content_length = value.parse().ok(),
            "content-location" => value.clone_into(&mut head.content_location),
            _ => {}
        }
    }
    head
}

#[cfg(test)]
mod tests;
