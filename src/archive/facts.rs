//! From an object's header to what the index keeps of it, and the checks in between.

use crate::archive::error::ArchiveError;
use crate::archive::ingest::Envelope;
use crate::dicom::header::Header;
use crate::dicom::layout::Layout;
use crate::dicom::uid::Uid;
use crate::model::path::InstancePath;
use crate::model::study::CopyFacts;
use crate::model::study::InstanceFacts;
use crate::model::study::NewInstance;
use crate::model::study::PatientFacts;
use crate::model::study::RequestFacts;
use crate::model::study::SeriesFacts;
use crate::model::study::StudyFacts;

/// The identifiers without which an object cannot be kept apart from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::archive) struct Identity {
    /// Study, series and instance.
    pub(in crate::archive) path: InstancePath,
    /// SOP class.
    pub(in crate::archive) sop_class: Uid,
}

/// Reads the identifiers and holds them against what the sender announced. A command whose UIDs
/// differ from the data set's is refused: nobody could tell which of the two is meant.
pub(in crate::archive) fn identity(
    header: &Header,
    envelope: &Envelope,
) -> Result<Identity, ArchiveError> {
    let study = required(header.study_uid.as_ref(), "Study Instance UID (0020,000D)")?;
    let series = required(header.series_uid.as_ref(), "Series Instance UID (0020,000E)")?;
    let instance = agreed(
        header.sop_instance.as_ref(),
        envelope.sop_instance.as_ref(),
        "SOP Instance UID (0008,0018)",
    )?;
    let sop_class = agreed(
        header.sop_class.as_ref(),
        envelope.sop_class.as_ref(),
        "SOP Class UID (0008,0016)",
    )?;
    Ok(Identity { path: InstancePath { study, series, instance }, sop_class })
}

fn required(uid: Option<&Uid>, name: &str) -> Result<Uid, ArchiveError> {
    uid.cloned().ok_or_else(|| ArchiveError::Unidentified(format!("{name} is missing or unusable")))
}

fn agreed(
    in_data_set: Option<&Uid>,
    announced: Option<&Uid>,
    name: &str,
) -> Result<Uid, ArchiveError> {
    let uid = required(in_data_set, name)?;
    match announced {
        Some(announced) if *announced != uid => {
            Err(ArchiveError::Mismatch(format!("{name} differs from the command's")))
        }
        _ => Ok(uid),
    }
}

/// Everything one index transaction needs.
pub(in crate::archive) fn new_instance(
    header: Header,
    identity: Identity,
    layout: &Layout,
    copy: CopyFacts,
) -> NewInstance {
    let Identity { path, sop_class } = identity;
    let frames = if layout.pixels.is_some() { header.pixels.frames.max(1) } else { 0 };
    let requests = header.series.requests.into_iter().map(|request| RequestFacts {
        scheduled_step_id: request.scheduled_step_id,
        procedure_id: request.procedure_id,
    });
    NewInstance {
        patient: PatientFacts {
            id: header.patient_id,
            name: header.patient.name,
            birth_date: header.patient.birth_date,
            sex: header.patient.sex,
            attributes: header.patient.attributes,
        },
        study: StudyFacts {
            uid: path.study,
            date: header.study.date,
            time: header.study.time,
            accession_number: header.study.accession_number,
            referring_physician: header.study.referring_physician,
            id: header.study.id,
            description: header.study.description,
            attributes: header.study.attributes,
        },
        series: SeriesFacts {
            uid: path.series,
            modality: header.series.modality,
            number: header.series.number,
            description: header.series.description,
            body_part: header.series.body_part,
            performed_date: header.series.performed_date,
            performed_time: header.series.performed_time,
            requests: requests.collect(),
            attributes: header.series.attributes,
        },
        instance: InstanceFacts {
            sop_class,
            uid: path.instance,
            number: header.instance.number,
            frames,
            timezone: header.instance.timezone,
            attributes: header.instance.attributes,
        },
        copy,
        extended: Vec::new(),
        rejects: None,
    }
}
