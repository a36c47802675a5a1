//! Reading part of a deflated data set: everything before it must be inflated and dropped.

use std::ops::Range;

use bytes::Bytes;
use flate2::Decompress;
use flate2::FlushDecompress;
use flate2::Status;
use futures::StreamExt;
use futures::stream;

use crate::archive::error::ArchiveError;
use crate::archive::retrieve::ByteStream;
use crate::blobs::error::BlobError;

const OUTPUT_BYTES: usize = 64 * 1024;

struct Inflating {
    deflated: ByteStream,
    input: Bytes,
    inflate: Decompress,
    /// Inflated bytes so far.
    position: u64,
    wanted: Range<u64>,
}

/// The bytes `wanted` of what `deflated` inflates to.
pub(in crate::archive) fn part(deflated: ByteStream, wanted: Range<u64>) -> ByteStream {
    let inflate = Decompress::new(false);
    let state = Inflating { deflated, input: Bytes::new(), inflate, position: 0, wanted };
    stream::try_unfold(state, Inflating::next).boxed()
}

impl Inflating {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ArchiveError> {
        while self.position < self.wanted.end {
            if self.input.is_empty() {
                self.input = match self.deflated.next().await {
                    Some(bytes) => bytes?,
                    None => return Err(self.short()),
                };
            }
            let (piece, ended) = self.inflate_some()?;
            if !piece.is_empty() {
                return Ok(Some((piece, self)));
            }
            if ended && self.position < self.wanted.end {
                return Err(self.short());
            }
        }
        Ok(None)
    }

    /// Inflates one buffer's worth; gives the wanted part of it, and whether the stream ended.
    fn inflate_some(&mut self) -> Result<(Bytes, bool), ArchiveError> {
        let mut output = Vec::with_capacity(OUTPUT_BYTES);
        let before = self.inflate.total_in();
        let status =
            self.inflate
                .decompress_vec(&self.input, &mut output, FlushDecompress::None)
                .map_err(|error| BlobError::Unavailable(format!("deflated data set: {error}")))?;
        let taken = usize::try_from(self.inflate.total_in() - before).unwrap_or(usize::MAX);
        self.input = self.input.slice(taken.min(self.input.len())..);
        let start = self.position;
        self.position += output.len() as u64;
        let from = self.wanted.start.saturating_sub(start).min(output.len() as u64);
        let to = self.wanted.end.saturating_sub(start).min(output.len() as u64);
        let (from, to) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
        Ok((Bytes::from(output).slice(from.min(to)..to), status == Status::StreamEnd))
    }

    fn short(&self) -> ArchiveError {
        let error = BlobError::Short { key: "deflated data set".to_owned(), end: self.wanted.end };
        error.into()
    }
}
