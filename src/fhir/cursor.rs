//! Where a page ended, as its `next` link says it: opaque to clients, checked when it comes back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::index::pages::Place;

/// The most characters of one.
const MOST_CHARS: usize = 1024;

/// A cursor as it is written.
type Written = (u8, Option<(i64, i64, String, String)>);

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Which of several lists one behind the other.
    pub stage: u8,
    /// Behind which place; `None`: the list begins.
    pub after: Option<Place>,
}

impl Cursor {
    /// Writes it.
    pub fn write(&self) -> String {
        let place = self.after.as_ref().map(|at| (at.row, at.changed_us, &at.date, &at.time));
        let text = serde_json::to_string(&(self.stage, place)).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads it; `None` when it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = (text.len() <= MOST_CHARS).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        let (stage, place): Written = serde_json::from_slice(&bytes).ok()?;
        let after =
            place.map(|(row, changed_us, date, time)| Place { date, time, changed_us, row });
        Some(Self { stage, after })
    }
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
            for after in [None, Some(place)] {
                let cursor = Cursor { stage, after };
                prop_assert_eq!(Cursor::parse(&cursor.write()), Some(cursor));
            }
        }

        #[test]
        fn no_text_panics(text in ".*|[A-Za-z0-9_-]*") {
            let _ = Cursor::parse(&text);
        }
    }
}
