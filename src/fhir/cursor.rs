//! Where a page ended, as its `next` link says it: opaque to clients, checked when it comes back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::index::pages::Place;

/// The most characters of one.
const MOST_CHARS: usize = 1024;

/// A place as it is written.
type Written = Option<(i64, i64, String, String)>;

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Which of several lists one behind the other.
    pub stage: u8,
    /// Behind which place; `None`: the list begins.
    pub after: Option<Place>,
    /// The same of lists that are merged with it.
    pub beside: [Option<Place>; BESIDE],
}

/// Lists that are merged with another.
pub const BESIDE: usize = 2;

impl Cursor {
    /// One of a single list.
    pub fn new(stage: u8, after: Option<Place>) -> Self {
        Self { stage, after, beside: [None, None] }
    }

    /// Writes it.
    pub fn write(&self) -> String {
        let [first, second] = &self.beside;
        let (after, first, second) =
            (place(self.after.as_ref()), place(first.as_ref()), place(second.as_ref()));
        let text = if first.is_none() && second.is_none() {
            serde_json::to_string(&(self.stage, after))
        } else {
            serde_json::to_string(&(self.stage, after, first, second))
        };
        URL_SAFE_NO_PAD.encode(text.unwrap_or_default())
    }

    /// Reads it; `None` when it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = (text.len() <= MOST_CHARS).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        let one = || serde_json::from_slice::<(u8, Written)>(&bytes).ok();
        let merged = || serde_json::from_slice::<(u8, Written, Written, Written)>(&bytes).ok();
        let (stage, after, first, second) =
            one().map(|(stage, after)| (stage, after, None, None)).or_else(merged)?;
        Some(Self { stage, after: read(after), beside: [read(first), read(second)] })
    }
}

fn place(at: Option<&Place>) -> Option<(i64, i64, &str, &str)> {
    at.map(|at| (at.row, at.changed_us, at.date.as_str(), at.time.as_str()))
}

fn read(place: Written) -> Option<Place> {
    place.map(|(row, changed_us, date, time)| Place { date, time, changed_us, row })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Cursor;
    use crate::index::pages::Place;

    proptest! {
        #[test]
        fn what_is_written_is_read(stage in any::<u8>(), date in ".{0,20}", row in any::<i64>()) {
            let place = Place { date, time: String::new(), changed_us: row ^ 1, row };
            for after in [None, Some(place.clone())] {
                for beside in [[None, None], [Some(place.clone()), None], [None, Some(place.clone())]] {
                    let cursor = Cursor { stage, after: after.clone(), beside };
                    let written = cursor.write();
                    prop_assert_eq!(Cursor::parse(&written), Some(cursor));
                }
            }
        }

        #[test]
        fn no_text_panics(text in ".*|[A-Za-z0-9_-]*") {
            let _ = Cursor::parse(&text);
        }
    }
}
