//! Bytes on their way into a store, gathered until there are enough to be worth a write.

use bytes::Bytes;
use bytes::BytesMut;

/// Pieces in order. Large ones are kept as they came, small ones are copied together, so that a
/// blob arriving byte by byte costs no more memory than its bytes.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pieces: Vec<Bytes>,
    tail: BytesMut,
    bytes: usize,
}

impl Pending {
    /// Bytes held.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Adds to the end.
    pub(crate) fn push(&mut self, piece: Bytes) {
        self.bytes = self.bytes.saturating_add(piece.len());
        if piece.len() < KEPT_WHOLE {
            self.tail.extend_from_slice(&piece);
            if self.tail.len() >= KEPT_WHOLE {
                self.close_tail();
            }
        } else {
            self.close_tail();
            self.pieces.push(piece);
        }
    }

    /// All pieces, leaving none.
    pub(crate) fn take(&mut self) -> Vec<Bytes> {
        self.close_tail();
        self.bytes = 0;
        std::mem::take(&mut self.pieces)
    }

    /// The first `bytes` bytes, or all when there are fewer; what follows stays.
    pub(crate) fn take_front(&mut self, bytes: usize) -> Vec<Bytes> {
        let mut wanted = bytes;
        let mut front = Vec::new();
        for mut piece in self.take() {
            if wanted >= piece.len() {
                wanted -= piece.len();
                front.push(piece);
            } else {
                let rest = piece.split_off(wanted);
                if wanted > 0 {
                    front.push(piece);
                    wanted = 0;
                }
                self.bytes = self.bytes.saturating_add(rest.len());
                self.pieces.push(rest);
            }
        }
        front
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push(self.tail.split().freeze());
        }
    }
}

/// From here on a piece is worth an entry of its own.
const KEPT_WHOLE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            sizes in proptest::collection::vec(0..40_000_usize, 0..12),
            fronts in proptest::collection::vec(0..60_000_usize, 0..6),
        ) {
            let mut pending = Pending::default();
            let mut all = Vec::new();
            for (index, size) in sizes.into_iter().enumerate() {
                let piece = vec![u8::try_from(index).unwrap(); size];
                all.extend_from_slice(&piece);
                pending.push(piece.into());
            }
            let mut out = Vec::new();
            for front in fronts {
                let expected = front.min(pending.len());
                let taken = pending.take_front(front);
                prop_assert_eq!(taken.iter().map(Bytes::len).sum::<usize>(), expected);
                out.extend(taken.concat());
                prop_assert_eq!(pending.len(), all.len() - out.len());
            }
            out.extend(pending.take().concat());
            prop_assert_eq!(pending.len(), 0);
            prop_assert!(out == all);
        }
    }

    #[test]
    fn single_bytes_are_copied_together() {
        let mut pending = Pending::default();
        for _ in 0..100_000 {
            pending.push(Bytes::from_static(b"x"));
        }
        assert_eq!(pending.len(), 100_000);
        assert!(pending.take().len() < 10);
    }
}
