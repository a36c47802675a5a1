//! Rejection notes as they come in (IHE Imaging Object Change Management, RAD-66): which key object
//! selections are some, and what they name.
//!
//! Whoever may store may reject: a note is an object like others, and the profile knows no other way.
//! It counts from the transaction that enters it. What it names is found by all three UIDs, whoever's
//! patient it is filed under: the same object under a corrected Patient ID is what must be hidden too.

use crate::archive::archive::Settings;
use crate::archive::error::ArchiveError;
use crate::dicom::key_objects::MAX_REFERENCES;
use crate::dicom::key_objects::Selection;
use crate::model::path::InstancePath;
use crate::model::rejection::Note;
use crate::model::rejection::Reason;

/// The note a key object selection is; `None` when it is none, or does not count here. One that cannot
/// be followed to the letter is refused, so that nobody takes for hidden what is not.
pub(in crate::archive) fn note(
    selection: Option<Selection>,
    settings: &Settings,
) -> Result<Option<Note>, ArchiveError> {
    let Some(selection) = selection.filter(|_| settings.apply_rejection_notes) else {
        return Ok(None);
    };
    let (code, scheme) = &selection.title;
    let reason = Reason::of_code(code).filter(|_| scheme == "DCM");
    let shown = |reason: &Reason| *reason == Reason::Quality && settings.show_rejected_for_quality;
    let Some(reason) = reason.filter(|reason| !shown(reason)) else { return Ok(None) };
    if !selection.is_whole || selection.references.is_empty() {
        return Err(ArchiveError::Unidentified(format!(
            "a rejection note names 1 to {MAX_REFERENCES} instances, each with Study, Series and \
             SOP Instance UID (0040,A375)"
        )));
    }
    let path = |(study, series, instance)| InstancePath { study, series, instance };
    Ok(Some(Note { reason, instances: selection.references.into_iter().map(path).collect() }))
}

#[cfg(test)]
mod tests {
    use super::note;
    use crate::archive::archive::Settings;
    use crate::dicom::key_objects::Selection;
    use crate::dicom::uid::Uid;
    use crate::model::rejection::Reason;

    fn selection(code: &str, scheme: &str) -> Selection {
        let uid = |text: &str| Uid::parse(text).unwrap();
        let references = vec![(uid("1.1"), uid("1.2"), uid("1.3"))];
        let title = (code.to_owned(), scheme.to_owned());
        Selection { title, references, is_whole: true }
    }

    #[test]
    fn a_title_of_the_profile_is_a_note_and_nothing_else_is() {
        let settings = Settings::default();
        let read = |code, scheme| note(Some(selection(code, scheme)), &settings).unwrap();
        assert_eq!(read("113038", "DCM").map(|note| note.reason), Some(Reason::WorklistEntry));
        assert_eq!(read("113038", "99LOCAL"), None);
        assert_eq!(read("113000", "DCM"), None);
        assert_eq!(note(None, &settings).unwrap(), None);
    }

    #[test]
    fn the_switches_leave_notes_without_force() {
        let off = Settings { apply_rejection_notes: false, ..Settings::default() };
        let shown = Settings { show_rejected_for_quality: true, ..Settings::default() };
        assert_eq!(note(Some(selection("113037", "DCM")), &off).unwrap(), None);
        assert_eq!(note(Some(selection("113001", "DCM")), &shown).unwrap(), None);
        assert!(note(Some(selection("113037", "DCM")), &shown).unwrap().is_some());
    }

    #[test]
    fn a_note_that_cannot_be_followed_is_refused_and_says_why() {
        let cut = Selection { is_whole: false, ..selection("113037", "DCM") };
        let refused = note(Some(cut), &Settings::default()).unwrap_err().to_string();
        assert!(refused.contains("(0040,A375)"), "{refused}");
    }
}
