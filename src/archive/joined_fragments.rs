//! Encapsulated pixel data whose frames nobody can tell apart, a video above all: its fragments end
//! to end, without their item headers and the offset table before them (PS3.5 §A.4).

use std::sync::Arc;

use bytes::Buf;
use bytes::Bytes;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::frame::FramePlan;
use crate::archive::retrieve::ByteStream;
use crate::dicom::frames::FrameTable;
use crate::dicom::syntax::is_native;
use crate::imaging::error::ImagingError;

/// Bytes of an item's tag and length.
const HEADER_BYTES: usize = 8;
/// Item (PS3.5 §7.5.1).
const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
/// Sequence Delimitation Item.
const END: [u8; 4] = [0xFE, 0xFF, 0xDD, 0xE0];

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Bytes of an item header, those that are here.
    Header(Vec<u8>),
    /// So many bytes of the offset table.
    Table(u32),
    /// So many bytes of a fragment.
    Fragment(u32),
    /// Nothing.
    End,
}

#[derive(Debug)]
struct Unwrapping {
    next: Next,
    table_seen: bool,
}

impl FramePlan {
    /// Whether the pixel data is one stream to us: encapsulated, and not known by its frames.
    pub fn is_one_stream(&self) -> bool {
        let unknown = |pixels: &crate::dicom::layout::Pixels| pixels.frames == FrameTable::Unknown;
        self.layout.pixels.as_ref().is_some_and(unknown)
            && !is_native(&self.located.transfer_syntax)
    }
}

impl Archive {
    /// The pixel data of a planned instance that is one stream, as it is stored.
    pub fn one_stream(
        &self,
        permit: &Permit,
        plan: &Arc<FramePlan>,
    ) -> Result<ByteStream, ArchiveError> {
        if !permit.covers_study(&plan.located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let pixels = plan.layout.pixels.as_ref().ok_or(ImagingError::NoPixels)?;
        let value = self.data_set_stream(&plan.located, &plan.layout, pixels.value.clone());
        Ok(unwrapped(value))
    }
}

fn unwrapped(value: ByteStream) -> ByteStream {
    let unwrapping = Unwrapping { next: Next::Header(Vec::new()), table_seen: false };
    let state = (value, Bytes::new(), unwrapping);
    stream::try_unfold(state, |(mut value, mut piece, mut unwrapping)| async move {
        loop {
            if piece.is_empty() {
                match value.try_next().await? {
                    Some(more) => piece = more,
                    None if unwrapping.next == Next::End => return Ok(None),
                    None => return Err(damaged("it is cut short")),
                }
                continue;
            }
            if let Some(bytes) = unwrapping.take(&mut piece)? {
                return Ok(Some((bytes, (value, piece, unwrapping))));
            }
        }
    })
    .boxed()
}

fn damaged(words: &str) -> ArchiveError {
    ImagingError::Damaged(format!("encapsulated pixel data: {words}")).into()
}

impl Unwrapping {
    /// Takes what it can of a piece that is not empty; bytes of a fragment, if it was that.
    fn take(&mut self, piece: &mut Bytes) -> Result<Option<Bytes>, ArchiveError> {
        let cut = |piece: &mut Bytes, most: u32| {
            let length = usize::try_from(most).unwrap_or(usize::MAX).min(piece.len());
            let rest = most.saturating_sub(u32::try_from(length).unwrap_or(u32::MAX));
            (piece.split_to(length), rest)
        };
        let after = |rest: u32, next: fn(u32) -> Next| {
            if rest == 0 { Next::Header(Vec::new()) } else { next(rest) }
        };
        match &mut self.next {
            Next::Header(header) => {
                let wanted = HEADER_BYTES.saturating_sub(header.len()).min(piece.len());
                header.extend_from_slice(&piece.split_to(wanted));
                let whole = header.first_chunk::<HEADER_BYTES>().copied();
                if let Some(whole) = whole {
                    self.next = self.begun(whole)?;
                }
                Ok(None)
            }
            Next::Table(length) => {
                let (_, rest) = cut(piece, *length);
                self.next = after(rest, Next::Table);
                Ok(None)
            }
            Next::Fragment(length) => {
                let (bytes, rest) = cut(piece, *length);
                self.next = after(rest, Next::Fragment);
                Ok(Some(bytes))
            }
            Next::End => {
                piece.advance(piece.len());
                Ok(None)
            }
        }
    }

    fn begun(
        &mut self,
        [a, b, c, d, length @ ..]: [u8; HEADER_BYTES],
    ) -> Result<Next, ArchiveError> {
        let length = u32::from_le_bytes(length);
        match [a, b, c, d] {
            END => Ok(Next::End),
            ITEM if length == u32::MAX => Err(damaged("an item has no length")),
            ITEM if length == 0 => {
                self.table_seen = true;
                Ok(Next::Header(Vec::new()))
            }
            ITEM if !std::mem::replace(&mut self.table_seen, true) => Ok(Next::Table(length)),
            ITEM => Ok(Next::Fragment(length)),
            _ => Err(damaged("something stands between its items")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Bytes, StreamExt, TryStreamExt, stream, unwrapped};
    use crate::archive::error::ArchiveError;

    fn item(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0], &length[..], bytes].concat()
    }

    const END: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

    async fn read(value: &[u8], cuts: usize) -> Result<Vec<u8>, ArchiveError> {
        let pieces = value.chunks(cuts.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece)));
        let pieces: Vec<_> = pieces.collect();
        let read: Vec<Bytes> = unwrapped(stream::iter(pieces).boxed()).try_collect().await?;
        Ok(read.concat())
    }

    #[tokio::test]
    async fn fragments_come_end_to_end_wherever_the_value_is_cut() {
        let value = [item(&[0; 4]), item(b"abcd"), item(b""), item(b"ef"), END.to_vec()].concat();
        for cuts in [1, 2, 7, 8, 9, 100] {
            assert_eq!(read(&value, cuts).await.unwrap(), b"abcdef");
        }
        assert_eq!(read(&[item(b""), item(b"xy"), END.to_vec()].concat(), 3).await.unwrap(), b"xy");
    }

    #[tokio::test]
    async fn what_is_cut_short_or_no_item_never_looks_whole() {
        let value = [item(b""), item(b"abcd"), END.to_vec()].concat();
        for end in 0..value.len() {
            assert!(read(&value[..end], 5).await.is_err(), "cut at {end}");
        }
        assert!(read(&[item(b""), b"not item".to_vec()].concat(), 5).await.is_err());
        let endless = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(read(&endless, 5).await.is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), cuts in 1..9_usize) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(read(&bytes, cuts));
            let framed = [item(&[]), bytes.clone(), END.to_vec()].concat();
            let _ = runtime.block_on(read(&framed, cuts));
        }
    }
}
