//! Frames of single bits end to end: one begins where the last ends, inside a byte (PS3.5 §8.1.1).

use bytes::Bytes;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::archive::retrieve::ByteStream;
use crate::imaging::pool::Pool;

/// Bits that do not fill a byte yet.
#[derive(Debug, Default)]
struct Joiner {
    carry: u8,
    /// Bits of it, fewer than 8.
    filled: u32,
}

/// Frames of `bits` bits each, every one beginning at a byte, as one value.
pub(in crate::archive) fn joined(frames: ByteStream, bits: u64, pool: Pool) -> ByteStream {
    let state = (frames, Some(Joiner::default()), pool);
    stream::try_unfold(state, move |(mut frames, joiner, pool)| async move {
        let Some(mut joiner) = joiner else { return Ok(None) };
        while let Some(frame) = frames.try_next().await? {
            let work = move || {
                let bytes = joiner.push(&frame, bits);
                Ok((joiner, bytes))
            };
            let (back, bytes) = pool.run(bits / 4, work).await?;
            joiner = back;
            if !bytes.is_empty() {
                return Ok(Some((Bytes::from(bytes), (frames, Some(joiner), pool))));
            }
        }
        let last = joiner.finish();
        Ok(last.map(|last| (Bytes::copy_from_slice(&[last]), (frames, None, pool))))
    })
    .boxed()
}

impl Joiner {
    /// Whole bytes, now that a frame has come.
    fn push(&mut self, frame: &[u8], bits: u64) -> Vec<u8> {
        let mut whole = Vec::with_capacity(frame.len().saturating_add(1));
        let mut left = bits;
        for byte in frame {
            let count = u32::try_from(left.min(8)).unwrap_or(8);
            left = left.saturating_sub(8);
            let value = u16::from(*byte) & ((1 << count) - 1);
            let [low, high] = (value << self.filled | u16::from(self.carry)).to_le_bytes();
            self.filled += count;
            if self.filled >= 8 {
                whole.push(low);
                self.carry = high;
                self.filled -= 8;
            } else {
                self.carry = low;
            }
        }
        whole
    }

    fn finish(self) -> Option<u8> {
        (self.filled > 0).then_some(self.carry)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use proptest::prelude::*;

    use super::{Bytes, Pool, StreamExt, TryStreamExt, joined};

    async fn all(frames: Vec<Vec<u8>>, bits: u64) -> Vec<u8> {
        let pool = Pool::new(1, 1 << 20).unwrap();
        let frames = stream::iter(frames.into_iter().map(|frame| Ok(Bytes::from(frame))));
        let joined: Vec<Bytes> = joined(frames.boxed(), bits, pool).try_collect().await.unwrap();
        assert!(joined.iter().all(|piece| !piece.is_empty()));
        joined.concat()
    }

    #[tokio::test]
    async fn the_next_frame_begins_inside_a_byte() {
        // Bits above a frame's last are none of it.
        let frames = vec![vec![0b1111_1011], vec![0b101], vec![0b110]];
        assert_eq!(all(frames, 3).await, [0b1010_1011, 0b1]);
        assert_eq!(all(vec![vec![1, 2], vec![3, 4]], 16).await, [1, 2, 3, 4]);
        assert!(all(Vec::new(), 3).await.is_empty());
    }

    proptest! {
        #[test]
        fn bit_for_bit_the_same(frames in prop::collection::vec(prop::collection::vec(any::<bool>(), 13), 0..9)) {
            let packed = |bits: &[bool]| -> Vec<u8> {
                bits.chunks(8)
                    .map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
                    .collect()
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let each = frames.iter().map(|frame| packed(frame)).collect();
            let got = runtime.block_on(all(each, 13));
            prop_assert_eq!(got, packed(&frames.concat()));
        }
    }
}
