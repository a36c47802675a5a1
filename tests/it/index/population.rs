//! Instances made up for the index: facts without bytes.

use lastra::dicom::uid::Uid;
use lastra::model::study::CopyFacts;
use lastra::model::study::InstanceFacts;
use lastra::model::study::NewInstance;
use lastra::model::study::PatientFacts;
use lastra::model::study::RequestFacts;
use lastra::model::study::SeriesFacts;
use lastra::model::study::StudyFacts;
use lastra::people::patient_id::PatientId;

/// Instance `instance` of series `series` of study `study` of patient `patient`; `content` tells
/// different bytes apart.
pub(crate) fn new(
    patient: &str,
    study: u32,
    series: u32,
    instance: u32,
    content: u8,
) -> NewInstance {
    let uid = |text: String| Uid::parse(&text).unwrap();
    let attributes = |value: &str| format!(r#"{{"00100020":{{"vr":"LO","Value":["{value}"]}}}}"#);
    let mut hash = [content; 32];
    hash[0] = instance.to_le_bytes()[0];
    NewInstance {
        patient: PatientFacts {
            id: PatientId { issuer: String::new(), value: patient.to_owned() },
            name: format!("Rossì{study}^Anna"),
            birth_date: "19700101".to_owned(),
            sex: "F".to_owned(),
            attributes: attributes(patient),
        },
        study: StudyFacts {
            uid: uid(format!("1.{study}")),
            date: format!("2026{:02}{:02}", study % 12 + 1, study % 28 + 1),
            time: "101500".to_owned(),
            accession_number: format!("ACC{study}"),
            referring_physician: "Bianchi^Luca".to_owned(),
            id: format!("S{study}"),
            description: format!("TC torace 100% [{study}]"),
            attributes: "{}".to_owned(),
        },
        series: SeriesFacts {
            uid: uid(format!("1.{study}.{series}")),
            modality: if series % 2 == 1 { "CT" } else { "MR" }.to_owned(),
            number: series.to_string(),
            description: format!("serie {series}"),
            body_part: if series % 2 == 1 { "CHEST" } else { "" }.to_owned(),
            performed_date: "20260301".to_owned(),
            performed_time: "1015".to_owned(),
            requests: vec![RequestFacts {
                scheduled_step_id: format!("SPS{series}"),
                procedure_id: format!("RP{study}"),
            }],
            attributes: "{}".to_owned(),
        },
        instance: InstanceFacts {
            sop_class: uid("1.2.840.10008.5.1.4.1.1.2".to_owned()),
            uid: uid(format!("1.{study}.{series}.{instance}")),
            number: instance.to_string(),
            frames: 1,
            timezone: String::new(),
            attributes: "{}".to_owned(),
        },
        copy: CopyFacts {
            blob_key: format!("i/{patient}/{study}/{series}/{instance}/{}", uuid::Uuid::new_v4()),
            blob_bytes: 1000,
            data_set_sha256: hash,
            transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
            source: "test".to_owned(),
            received_us: 1,
            layout: vec![1, 2, 3],
        },
        extended: Vec::new(),
        rejects: None,
    }
}
