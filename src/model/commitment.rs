//! What somebody asked to be kept safe, and how far it was looked at (PS3.4 §J).

use crate::dicom::uid::Uid;

/// One object the archive is asked to answer for (PS3.18 §J.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its study and series, when the request says them.
    pub within: Option<(Uid, Uid)>,
    /// Referenced SOP Class UID (0008,1150).
    pub sop_class: Uid,
    /// Referenced SOP Instance UID (0008,1155).
    pub instance: Uid,
}

impl Reference {
    /// The stored form: class and instance, then study and series where they are known.
    pub fn to_text(&self) -> String {
        match &self.within {
            Some((study, series)) => {
                format!("{} {} {study} {series}", self.sop_class, self.instance)
            }
            None => format!("{} {}", self.sop_class, self.instance),
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        let mut uids = text.split(' ').map(|uid| Uid::parse(uid).ok());
        let (sop_class, instance) = (uids.next()??, uids.next()??);
        let within = match uids.next() {
            Some(study) => Some((study?, uids.next()??)),
            None => None,
        };
        Some(Self { within, sop_class, instance })
    }
}

/// A request for storage commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Transaction UID.
    pub transaction: Uid,
    /// What is to be answered for, in the order asked; none once it is forgotten.
    pub references: Vec<Reference>,
    /// Of the first so many references why not (PS3.3 §C.14.1.1); 0 is committed.
    pub reasons: Vec<u16>,
    /// When the last of them was looked at, µs since 1970.
    pub finished_us: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::Reference;
    use crate::dicom::uid::Uid;

    #[test]
    fn a_reference_is_read_back_as_it_was_written() {
        let uid = |text| Uid::parse(text).unwrap();
        for within in [None, Some((uid("1.3"), uid("1.4")))] {
            let reference = Reference { within, sop_class: uid("1.1"), instance: uid("1.2") };
            assert_eq!(Reference::parse(&reference.to_text()), Some(reference));
        }
        for text in ["", "1.1", "1.1 1.2 1.3", "1.1 "] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }
}
