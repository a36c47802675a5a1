//! Words of a stream in the other byte order.

use bytes::Bytes;
use bytes::BytesMut;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::archive::retrieve::ByteStream;

/// `source` with the bytes of each word of `word` bytes reversed; a last word that is cut short
/// stays as it is.
pub(in crate::archive) fn turned(source: ByteStream, word: usize) -> ByteStream {
    if word <= 1 {
        return source;
    }
    let state = (source, BytesMut::new());
    stream::try_unfold(state, move |(mut source, mut rest)| async move {
        while let Some(piece) = source.try_next().await? {
            rest.extend_from_slice(&piece);
            let whole = rest.len() / word * word;
            if whole == 0 {
                continue;
            }
            let mut words = rest.split_to(whole);
            for word in words.chunks_exact_mut(word) {
                word.reverse();
            }
            return Ok(Some((words.freeze(), (source, rest))));
        }
        let last: Bytes = rest.split().freeze();
        Ok((!last.is_empty()).then_some((last, (source, rest))))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::TryStreamExt;
    use futures::stream;

    use super::{Bytes, turned};

    #[tokio::test]
    async fn words_are_turned_wherever_the_stream_is_cut() {
        for (cuts, word, expected) in [
            (vec![&[1, 2, 3][..], &[4, 5], &[6]], 2, vec![2, 1, 4, 3, 6, 5]),
            (vec![&[1][..], &[], &[2, 3, 4, 5, 6, 7, 8, 9]], 4, vec![4, 3, 2, 1, 8, 7, 6, 5, 9]),
            (vec![&[1, 2, 3][..]], 1, vec![1, 2, 3]),
        ] {
            let pieces = cuts.into_iter().map(|cut| Ok(Bytes::copy_from_slice(cut)));
            let pieces: Vec<_> = pieces.collect();
            let read: Vec<Bytes> =
                turned(stream::iter(pieces).boxed(), word).try_collect().await.unwrap();
            assert_eq!(read.concat(), expected);
        }
    }
}
