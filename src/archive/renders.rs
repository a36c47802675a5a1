//! Pictures drawn a moment ago, kept by their validator: what many ask for is drawn once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;

/// A cache of drawn pictures, bounded in bytes; the one used least lately goes first.
#[derive(Debug)]
pub(in crate::archive) struct Renders {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    /// Counts uses.
    now: u64,
    pictures: HashMap<String, (u64, Bytes)>,
    /// Names by when they were used last.
    order: BTreeMap<u64, String>,
}

impl Renders {
    pub(in crate::archive) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, kept: Mutex::default() }
    }

    /// The picture of that name.
    pub(in crate::archive) fn get(&self, name: &str) -> Option<Bytes> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.now += 1;
        let now = kept.now;
        let (used, bytes) = kept.pictures.get_mut(name)?;
        let (before, bytes) = (std::mem::replace(used, now), bytes.clone());
        if let Some(name) = kept.order.remove(&before) {
            kept.order.insert(now, name);
        }
        Some(bytes)
    }

    /// Keeps a picture, unless it alone would take more than a quarter of the room.
    pub(in crate::archive) fn put(&self, name: &str, bytes: Bytes) {
        if bytes.len() > self.max_bytes / 4 {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.now += 1;
        let now = kept.now;
        kept.bytes += bytes.len();
        if let Some((before, old)) = kept.pictures.insert(name.to_owned(), (now, bytes)) {
            kept.bytes -= old.len();
            kept.order.remove(&before);
        }
        kept.order.insert(now, name.to_owned());
        while kept.bytes > self.max_bytes {
            let Some((_, oldest)) = kept.order.pop_first() else { break };
            if let Some((_, bytes)) = kept.pictures.remove(&oldest) {
                kept.bytes -= bytes.len();
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("lastra_render_cache_bytes").set(kept.bytes as f64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Bytes, Renders};

    #[test]
    fn what_was_used_least_lately_goes_first() {
        let renders = Renders::new(100);
        for name in ["a", "b", "c", "d"] {
            renders.put(name, Bytes::from(vec![0; 25]));
        }
        assert!(renders.get("a").is_some());
        renders.put("e", Bytes::from(vec![0; 25]));
        assert!(renders.get("b").is_none() && renders.get("a").is_some());
        renders.put("huge", Bytes::from(vec![0; 26]));
        assert!(renders.get("huge").is_none(), "more than a quarter");
    }

    proptest! {
        #[test]
        fn the_bound_holds_and_the_books_balance(
            puts in proptest::collection::vec(("[a-f]", 0_usize..30), 0..60),
        ) {
            let renders = Renders::new(100);
            for (name, bytes) in &puts {
                renders.put(name, Bytes::from(vec![0; *bytes]));
                renders.get("a");
            }
            let kept = renders.kept.lock().unwrap();
            let held: usize = kept.pictures.values().map(|(_, bytes)| bytes.len()).sum();
            prop_assert!(kept.bytes == held && held <= 100);
            prop_assert_eq!(kept.order.len(), kept.pictures.len());
        }
    }
}
