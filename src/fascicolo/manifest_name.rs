//! How manifests are named: by a hash of all they say, which leads back to their study.

use sha2::Digest;
use sha2::Sha256;

use crate::index::pages::{InstanceFound, SeriesFound};

/// What tells the instances of a study from those it had before, or a study before it in its row.
pub(in crate::fascicolo) fn key_of(study: i64, series: &[&SeriesFound]) -> String {
    let mut hash = Sha256::new();
    hash.update(study.to_le_bytes());
    for series in series {
        for number in [series.row, series.revision, series.changed_us, series.instances.into()] {
            hash.update(number.to_le_bytes());
        }
        hash.update(&series.uid);
        hash.update([0]);
    }
    uid_of(&hash.finalize())
}

/// What the instances make of a manifest's name.
pub(in crate::fascicolo) fn digest(instances: &[InstanceFound]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for found in instances {
        hash.update(found.series.to_le_bytes());
        hash.update(found.frames.to_le_bytes());
        for text in [&found.uid, &found.sop_class, &found.number] {
            hash.update(text);
            hash.update([0]);
        }
    }
    hash.finalize().into()
}

/// A UID made of texts: the same of the same ones (PS3.5 §B.2).
pub(in crate::fascicolo) fn derived_uid(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text);
        hash.update([0]);
    }
    uid_of(&hash.finalize())
}

fn uid_of(hash: &[u8]) -> String {
    let bytes = hash.first_chunk::<16>().copied().unwrap_or_default();
    uid(bytes)
}

/// A UUID as a UID (PS3.5 §B.2); its version and variant are put in.
fn uid(bytes: [u8; 16]) -> String {
    format!("2.25.{}", uuid::Builder::from_custom_bytes(bytes).into_uuid().as_u128())
}

/// The name of a study's manifest of this content: a UUID whose first six bytes lead back to the study,
/// hidden by six of the hash. Whoever follows them compares the whole name.
pub(in crate::fascicolo) fn named(study: i64, content: &[u8; 32]) -> String {
    let mut bytes = content.first_chunk::<16>().copied().unwrap_or_default();
    let mask = mask_of(u128::from_be_bytes(bytes));
    let row = study.cast_unsigned().to_be_bytes();
    for ((byte, mask), row) in bytes.iter_mut().zip(mask).zip(row.into_iter().skip(2)) {
        *byte = mask ^ row;
    }
    uid(bytes)
}

/// The row of the study whose manifest a UID may name.
pub fn study_named_by(uid: &str) -> Option<i64> {
    let number: u128 = uid.strip_prefix("2.25.")?.parse().ok()?;
    let mut row = [0; 8];
    for ((byte, mask), row) in
        number.to_be_bytes().into_iter().zip(mask_of(number)).zip(row.iter_mut().skip(2))
    {
        *row = byte ^ mask;
    }
    Some(i64::from_be_bytes(row))
}

/// Bytes 9 to 14: no version and no variant is put there.
fn mask_of(number: u128) -> [u8; 6] {
    let [.., a, b, c, d, e, f, _] = number.to_be_bytes();
    [a, b, c, d, e, f]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{InstanceFound, SeriesFound, derived_uid, digest, key_of, named, study_named_by};

    #[test]
    fn uids_are_made_of_what_they_name_and_valid() {
        let uid = derived_uid(&["a", "b"]);
        assert_eq!(uid, derived_uid(&["a", "b"]));
        assert_ne!(uid, derived_uid(&["ab", ""]));
        assert!(uid.starts_with("2.25.") && uid.len() <= 64, "{uid}");
    }

    proptest! {
        #[test]
        fn a_name_leads_back_to_its_study_and_no_two_contents_share_one(
            study in 0_i64..1 << 48, one in any::<[u8; 32]>(), other in any::<[u8; 32]>(),
        ) {
            let name = named(study, &one);
            prop_assert!(name.len() <= 64 && crate::dicom::uid::Uid::parse(&name).is_ok());
            prop_assert_eq!(study_named_by(&name), Some(study));
            prop_assert_eq!(named(study, &other) == name, one == other);
            prop_assert_ne!(named(study ^ 1, &one), name);
        }

        #[test]
        fn no_text_panics(text in ".*|2\\.25\\.[0-9]{0,45}") {
            let _ = study_named_by(&text);
        }
    }

    #[test]
    fn a_row_used_again_and_every_change_of_a_series_make_another_key() {
        let series = |row, uid: &str, revision, changed_us| SeriesFound {
            row,
            study: 1,
            uid: uid.to_owned(),
            number: String::new(),
            modality: String::new(),
            description: String::new(),
            body_part: String::new(),
            instances: 3,
            revision,
            changed_us,
            attributes: String::new(),
        };
        let known = key_of(1, &[&series(1, "1.2", 3, 10)]);
        assert_eq!(known, key_of(1, &[&series(1, "1.2", 3, 10)]));
        for other in [
            series(2, "1.2", 3, 10),
            series(1, "1.3", 3, 10),
            series(1, "1.2", 4, 10),
            series(1, "1.2", 3, 11),
        ] {
            assert_ne!(known, key_of(1, &[&other]), "{other:?}");
        }
        assert_ne!(known, key_of(2, &[&series(1, "1.2", 3, 10)]));
    }

    #[test]
    fn every_fact_of_an_instance_is_in_the_digest() {
        let instance = |series, uid: &str, sop_class: &str, number: &str, frames| InstanceFound {
            series,
            uid: uid.to_owned(),
            sop_class: sop_class.to_owned(),
            number: number.to_owned(),
            frames,
        };
        let one = digest(&[instance(1, "1.2", "1.3", "4", 1)]);
        for other in [
            instance(2, "1.2", "1.3", "4", 1),
            instance(1, "1.1", "1.3", "4", 1),
            instance(1, "1.2", "1.", "34", 1),
            instance(1, "1.2", "1.3", "5", 1),
            instance(1, "1.2", "1.3", "4", 2),
        ] {
            assert_ne!(one, digest(&[other]));
        }
        assert_ne!(one, digest(&[]));
    }
}
