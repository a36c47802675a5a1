//! What was made a short while ago, in memory: bounded by bytes, the longest unused leaves first.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Answers by name.
#[derive(Debug)]
pub struct Kept<T> {
    most: u64,
    /// A figure that tells its bytes.
    gauge: Option<&'static str>,
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    /// Counts uses.
    clock: u64,
    bytes: u64,
    entries: HashMap<String, Entry<T>>,
    /// Names by their last use.
    uses: BTreeMap<u64, String>,
}

#[derive(Debug)]
struct Entry<T> {
    answer: T,
    bytes: u64,
    used: u64,
}

impl<T: Clone> Kept<T> {
    /// Keeps answers of `most` bytes in all.
    pub fn new(most: u64) -> Self {
        let inner = Inner { clock: 0, bytes: 0, entries: HashMap::new(), uses: BTreeMap::new() };
        Self { most, gauge: None, inner: Mutex::new(inner) }
    }

    /// The same, its bytes told by a figure of that name.
    #[must_use]
    pub fn told_by(self, gauge: &'static str) -> Self {
        Self { gauge: Some(gauge), ..self }
    }

    /// The answer of that name, if it is still there.
    pub fn get(&self, name: &str) -> Option<T> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        let entry = inner.entries.get_mut(name)?;
        inner.clock = inner.clock.saturating_add(1);
        if let Some(name) = inner.uses.remove(&entry.used) {
            inner.uses.insert(inner.clock, name);
        }
        entry.used = inner.clock;
        Some(entry.answer.clone())
    }

    /// Keeps an answer that takes `bytes`, unless it would take more than a quarter of the room.
    pub fn put(&self, name: String, answer: T, bytes: u64) {
        let bytes = bytes.saturating_add(name.len() as u64).saturating_add(ENTRY_BYTES);
        if bytes > self.most / 4 {
            return;
        }
        // Dropped without the lock.
        let mut gone = Vec::new();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        gone.extend(inner.remove(&name));
        while inner.bytes.saturating_add(bytes) > self.most {
            let Some((_, oldest)) = inner.uses.pop_first() else { break };
            gone.extend(inner.remove(&oldest));
        }
        inner.clock = inner.clock.saturating_add(1);
        let used = inner.clock;
        inner.bytes = inner.bytes.saturating_add(bytes);
        inner.uses.insert(used, name.clone());
        inner.entries.insert(name, Entry { answer, bytes, used });
        let held = inner.bytes;
        drop(inner);
        drop(gone);
        if let Some(gauge) = self.gauge {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!(gauge).set(held as f64);
        }
    }
}

impl<T> Inner<T> {
    fn remove(&mut self, name: &str) -> Option<T> {
        let entry = self.entries.remove(name)?;
        self.uses.remove(&entry.used);
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        Some(entry.answer)
    }
}

/// What keeping an entry takes beside name and answer, about.
const ENTRY_BYTES: u64 = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ENTRY_BYTES, Kept};

    proptest! {
        #[test]
        fn the_bound_holds_and_the_books_balance(
            puts in proptest::collection::vec(("[a-f]", 0_u64..2000), 0..60),
        ) {
            let kept = Kept::new(8000);
            for (name, bytes) in &puts {
                kept.put(name.clone(), *bytes, *bytes);
                kept.get("a");
            }
            let inner = kept.inner.lock().unwrap();
            let held: u64 = inner.entries.values().map(|entry| entry.bytes).sum();
            prop_assert!(inner.bytes == held && held <= 8000);
            prop_assert_eq!(inner.uses.len(), inner.entries.len());
        }
    }

    #[test]
    fn the_longest_unused_leaves_first_and_the_bound_holds() {
        let room = 8 * (ENTRY_BYTES + 101);
        let kept = Kept::new(room);
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            kept.put(name.to_owned(), name, 100);
        }
        assert_eq!(kept.get("a"), Some("a"));
        kept.put("i".to_owned(), "i", 100);
        assert_eq!(kept.get("b"), None, "unused the longest");
        assert_eq!(kept.get("a"), Some("a"));
        assert_eq!(kept.get("i"), Some("i"));
        kept.put("i".to_owned(), "j", 100);
        assert_eq!(kept.get("i"), Some("j"));
        kept.put("huge".to_owned(), "huge", room);
        assert_eq!(kept.get("huge"), None);
        let inner = kept.inner.lock().unwrap();
        assert_eq!((inner.entries.len(), inner.uses.len(), inner.bytes), (8, 8, room));
    }
}
