//! Keys: unique, immutable, spread over folders so that none grows without bound.
//!
//! `i/ab/cd/abcd….dcm` for instances, `d/ab/cd/abcd…` for derived objects and `f/ab/cd/abcd…` for
//! documents: 32 random hexadecimal digits, of which the first four name the two folders, 65 536 a kind. A run of keys
//! shares its folder, then the next folder is drawn at random: a new folder costs three syncs and
//! a folder's first blocks, which a key of its own folder each would pay almost every time
//! (measured: half the speed), and the objects of a study lie together. 100 million instances
//! make about 1 500 files a folder.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::PoisonError;

use uuid::Uuid;

/// What a blob is; the first part of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobKind {
    /// A received Part 10 file.
    Instance,
    /// An object made from others; can be made again.
    Derived,
    /// A document as it came.
    Document,
}

impl BlobKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 3] = [Self::Instance, Self::Derived, Self::Document];

    /// The top folder.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Instance => "i",
            Self::Derived => "d",
            Self::Document => "f",
        }
    }

    /// How names end.
    fn suffix(self) -> &'static str {
        match self {
            Self::Instance => ".dcm",
            Self::Derived | Self::Document => "",
        }
    }
}

/// A key of the one form that this store makes: safe as a path, and never another's file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobKey {
    text: String,
    kind: BlobKind,
    folder: u16,
}

impl BlobKey {
    /// Reads a key; `None` for anything this store did not make.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (top, outer, inner, name) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let kind = BlobKind::ALL.into_iter().find(|kind| kind.folder() == top)?;
        let digits = name.strip_suffix(kind.suffix())?;
        let well_formed = parts.next().is_none()
            && digits.len() == 32
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && outer.len() == 2
            && inner.len() == 2
            && digits.strip_prefix(outer).is_some_and(|rest| rest.starts_with(inner));
        let folder = u16::from_str_radix(digits.get(..4)?, 16).ok()?;
        well_formed.then(|| Self { text: text.to_owned(), kind, folder })
    }

    /// The key as it is stored in the index.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it names.
    pub fn kind(&self) -> BlobKind {
        self.kind
    }

    /// Which of the 65 536 folders of its kind it lies in.
    pub(crate) fn folder(&self) -> u16 {
        self.folder
    }

    fn from_uuid(kind: BlobKind, uuid: Uuid) -> Self {
        let digits = uuid.simple().to_string();
        let [high, low, ..] = *uuid.as_bytes();
        let mut text = String::with_capacity(44);
        // Writing to a String cannot fail.
        let _ = write!(text, "{}/{high:02x}/{low:02x}/{digits}{}", kind.folder(), kind.suffix());
        Self { text, kind, folder: u16::from_be_bytes([high, low]) }
    }
}

/// Makes new keys: 106 random bits each beside the folder's sixteen.
#[derive(Debug, Default)]
pub(crate) struct KeyMaker {
    run: Mutex<Run>,
}

/// The folder in use, and how many more keys it takes.
#[derive(Debug, Default)]
struct Run {
    folder: [u8; 2],
    left: u16,
}

impl KeyMaker {
    /// A key never made before.
    pub(crate) fn next(&self, kind: BlobKind) -> BlobKey {
        let mut bytes = *Uuid::new_v4().as_bytes();
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = run.left.checked_sub(1) {
            run.left = left;
            [bytes[0], bytes[1]] = run.folder;
        } else {
            *run = Run { folder: [bytes[0], bytes[1]], left: KEYS_A_RUN - 1 };
        }
        BlobKey::from_uuid(kind, Uuid::from_bytes(bytes))
    }
}

/// Keys that share a folder before the next is drawn.
const KEYS_A_RUN: u16 = 256;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_unique_and_read_back_as_they_were_made() {
        let (maker, mut seen) = (KeyMaker::default(), HashSet::new());
        for kind in BlobKind::ALL {
            for _ in 0..2000 {
                let key = maker.next(kind);
                assert_eq!(BlobKey::parse(key.as_str()).as_ref(), Some(&key));
                assert_eq!(key.kind(), kind);
                assert!(seen.insert(key));
            }
        }
    }

    #[test]
    fn a_run_of_keys_shares_its_folder_and_the_next_run_takes_another() {
        let maker = KeyMaker::default();
        let folders: Vec<u16> =
            (0..KEYS_A_RUN * 8).map(|_| maker.next(BlobKind::Instance).folder()).collect();
        let runs: Vec<&[u16]> = folders.chunks(usize::from(KEYS_A_RUN)).collect();
        assert!(runs.iter().all(|run| run.iter().all(|folder| Some(folder) == run.first())));
        let distinct: HashSet<u16> = folders.iter().copied().collect();
        assert!(distinct.len() >= 6, "{distinct:?}"); // eight draws of 65 536
    }

    #[test]
    fn what_no_store_made_is_no_key() {
        let digits = "abcd0123456789abcdef0123456789ab";
        let good = format!("i/ab/cd/{digits}.dcm");
        assert!(BlobKey::parse(&good).is_some());
        for bad in [
            String::new(),
            "../../etc/passwd".into(),
            format!("i/ab/cd/{digits}"),
            format!("d/ab/cd/{digits}.dcm"),
            format!("x/ab/cd/{digits}.dcm"),
            format!("i/ab/ce/{digits}.dcm"),
            format!("i/a/bcd/{digits}.dcm"),
            format!("/{good}"),
            format!("{good}/"),
            good.to_uppercase(),
            good.replace('9', "é"),
        ] {
            assert_eq!(BlobKey::parse(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_never_accepts_a_way_out(text in "[id./0-9a-f]{0,60}|\\PC{0,60}") {
            if let Some(key) = BlobKey::parse(&text) {
                prop_assert_eq!(key.as_str(), text.as_str());
                prop_assert!(!text.contains(".."));
            }
        }
    }
}
