//! The patient, study and series rows a batch belongs to: found, or made when seen first.
//!
//! What the first object says of its patient, study and series stays; later objects that say
//! otherwise add nothing. Rows are made level by level and in the order of their keys within a
//! level, so that two nodes which meet the same people at once wait for each other and never in a
//! circle.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use sqlx::QueryBuilder;
use sqlx::Row;

use crate::dicom::date::begin_us;
use crate::dicom::date::offset_minutes;
use crate::dicom::person_name::fold;
use crate::dicom::phonetic;
use crate::index::error::IndexError;
use crate::model::study::NewInstance;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::fuzzy;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;

/// One series of a batch and the rows it hangs from.
#[derive(Debug)]
struct Place<'a> {
    /// The first instance of the batch that is of this series: it speaks for it.
    first: &'a NewInstance,
    /// Where in the batch that is.
    number: usize,
    /// Issuer, Patient ID and scope: empty, or the study's UID when nobody is identified.
    patient_key: [String; 3],
    patient: Option<i64>,
    study: Option<i64>,
    series: Option<i64>,
}

/// The rows of a batch.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Series row of each instance, in their order.
    pub(super) series: Vec<i64>,
    /// Patient and study row of each instance.
    pub(super) above: Vec<(i64, i64)>,
    /// Studies made here: row id and the instance that made it.
    pub(super) new_studies: BTreeMap<i64, usize>,
}

/// The rows of a batch as they are before it is entered.
#[derive(Debug)]
pub(super) struct Looked<'a> {
    places: Vec<Place<'a>>,
    place_of: Vec<usize>,
    /// What notes say of studies of the batch.
    pub(super) notes: Notes,
}

/// What is known of rejection notes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Notes {
    /// How many there were when this transaction looked.
    pub(super) counted: i64,
    /// Whether one of them rejects something of a study of the batch.
    pub(super) concern: bool,
}

/// Looks which of the rows `instances` belong to are there.
pub(super) async fn look<'a>(
    tx: &mut Tx<'_>,
    instances: &'a [NewInstance],
) -> Result<Looked<'a>, IndexError> {
    let (mut places, place_of) = places(instances);
    let notes = look_up(tx, &mut places).await?;
    Ok(Looked { places, place_of, notes })
}

/// Makes the rows that are missing; gives all.
pub(super) async fn make(
    tx: &mut Tx<'_>,
    looked: Looked<'_>,
    now_us: i64,
) -> Result<Found, IndexError> {
    let Looked { mut places, place_of, .. } = looked;
    let mut found = Found::default();
    if places.iter().any(|place| place.series.is_none()) {
        make_patients(tx, &mut places).await?;
        let made = make_studies(tx, &mut places).await?;
        make_series(tx, &mut places, now_us).await?;
        for (number, at) in place_of.iter().enumerate() {
            let study = places.get(*at).and_then(|place| place.study);
            for study in study.into_iter().filter(|study| made.contains(study)) {
                found.new_studies.entry(study).or_insert(number);
            }
        }
    }
    let series = |at: &usize| places.get(*at).and_then(|place| place.series);
    let above = |at: &usize| places.get(*at).and_then(|place| Some((place.patient?, place.study?)));
    found.above = place_of.iter().map(above).collect::<Option<_>>().ok_or_else(vanished)?;
    found.series = place_of.iter().map(series).collect::<Option<_>>().ok_or_else(vanished)?;
    Ok(found)
}

/// The distinct series of a batch in key order, and which of them each instance is of.
fn places(instances: &[NewInstance]) -> (Vec<Place<'_>>, Vec<usize>) {
    let keys: Vec<[&str; 5]> = instances.iter().map(key).collect();
    let mut first: BTreeMap<[&str; 5], usize> = BTreeMap::new();
    for (number, key) in keys.iter().enumerate() {
        first.entry(*key).or_insert(number);
    }
    let places = first.iter().filter_map(|([issuer, id, scope, ..], number)| {
        Some(Place {
            first: instances.get(*number)?,
            number: *number,
            patient_key: [issuer, id, scope].map(|text| clean(text).into_owned()),
            patient: None,
            study: None,
            series: None,
        })
    });
    let places = places.collect();
    let rank: HashMap<[&str; 5], usize> =
        first.keys().enumerate().map(|(rank, key)| (*key, rank)).collect();
    let place_of = keys.iter().filter_map(|key| rank.get(key).copied()).collect();
    (places, place_of)
}

/// Issuer, Patient ID, scope, study, series.
fn key(new: &NewInstance) -> [&str; 5] {
    let id = &new.patient.id;
    // Whoever is not identified is somebody of this study alone.
    let scope = if id.is_known() { "" } else { new.study.uid.as_str() };
    [&id.issuer, &id.value, scope, new.study.uid.as_str(), new.series.uid.as_str()]
}

async fn look_up(tx: &mut Tx<'_>, places: &mut [Place<'_>]) -> Result<Notes, IndexError> {
    let mut notes: Option<Notes> = None;
    let numbers: Vec<usize> = (0..places.len()).collect();
    for piece in pieces(&numbers) {
        let mut sql = QueryBuilder::<Db>::new(
            "WITH k (number, issuer, patient_id, scope, study, series) AS (",
        );
        values(&mut sql, piece, |row, number| {
            let Some(place) = places.get(*number) else { return };
            row.whole(i64::try_from(*number).unwrap_or(i64::MAX));
            place.patient_key.iter().for_each(|text| {
                row.text(text);
            });
            row.text(place.first.study.uid.as_str()).text(place.first.series.uid.as_str());
        });
        sql.push(
            ") SELECT k.number, p.id, st.id, se.id,
               (SELECT notes FROM event_counter WHERE one = 1),
               (SELECT r.noted_us FROM rejection r WHERE r.study = k.study LIMIT 1) FROM k
             LEFT JOIN patient p ON p.patient_id = k.patient_id AND p.issuer = k.issuer
               AND p.scope = k.scope
             LEFT JOIN study st ON st.uid = k.study AND st.patient = p.id
             LEFT JOIN series se ON se.uid = k.series AND se.study = st.id",
        );
        for row in sql.build().fetch_all(&mut **tx).await.map_err(failed)? {
            let number: i64 = row.try_get(0).map_err(failed)?;
            let place = usize::try_from(number).ok().and_then(|number| places.get_mut(number));
            let place = place.ok_or_else(vanished)?;
            place.patient = row.try_get(1).map_err(failed)?;
            place.study = row.try_get(2).map_err(failed)?;
            place.series = row.try_get(3).map_err(failed)?;
            let noted: Option<i64> = row.try_get(5).map_err(failed)?;
            let first = Notes { counted: row.try_get(4).map_err(failed)?, concern: false };
            // Counted as early as possible: what is noted later is noticed when the batch ends.
            notes.get_or_insert(first).concern |= noted.is_some();
        }
    }
    Ok(notes.unwrap_or_default())
}

async fn make_patients(tx: &mut Tx<'_>, places: &mut [Place<'_>]) -> Result<(), IndexError> {
    let missing = places.iter().filter(|place| place.patient.is_none());
    let mut missing: Vec<&Place<'_>> = missing.collect();
    missing.sort_by_key(|place| (&place.patient_key, place.number));
    missing.dedup_by(|one, other| one.patient_key == other.patient_key);
    let mut made = HashMap::new();
    for piece in pieces(&missing) {
        let mut sql = QueryBuilder::<Db>::new(
            "INSERT INTO patient
               (issuer, patient_id, scope, name_folded, birth_date, sex, attributes) ",
        );
        values(&mut sql, piece, |row, place| {
            let facts = &place.first.patient;
            place.patient_key.iter().for_each(|text| {
                row.text(text);
            });
            row.text(&fold(&facts.name)).text(&facts.birth_date).text(&facts.sex);
            row.text(&facts.attributes);
        });
        sql.push(
            " ON CONFLICT (patient_id, issuer, scope) DO NOTHING
             RETURNING id, issuer, patient_id, scope",
        );
        let rows: Vec<(i64, String, String, String)> =
            sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        made.extend(
            rows.into_iter().map(|(id, issuer, value, scope)| ([issuer, value, scope], id)),
        );
    }
    let mut words: Vec<(i64, String)> = Vec::new();
    for place in &missing {
        let id = made.get(&place.patient_key).copied();
        let of_name = phonetic::words(&place.first.patient.name).into_iter();
        words.extend(id.into_iter().flat_map(|id| of_name.clone().map(move |word| (id, word))));
    }
    enter_words(tx, &words).await?;
    for place in places.iter_mut().filter(|place| place.patient.is_none()) {
        place.patient = made.get(&place.patient_key).copied();
    }
    // Another node was faster: its rows are committed now, so they can be seen.
    if places.iter().any(|place| place.patient.is_none()) {
        look_up(tx, places).await?;
    }
    Ok(())
}

/// Enters the words of new patients' names, for fuzzy matching.
async fn enter_words(tx: &mut Tx<'_>, words: &[(i64, String)]) -> Result<(), IndexError> {
    for piece in pieces(words) {
        let mut sql = QueryBuilder::<Db>::new("INSERT INTO patient_word (patient, word, sound) ");
        values(&mut sql, piece, |row, (patient, word)| {
            row.whole(*patient).text(word).text(&phonetic::sound(word));
        });
        sql.push(" ON CONFLICT (word, patient) DO NOTHING");
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(())
}

/// Makes the missing studies; gives those made here.
async fn make_studies(
    tx: &mut Tx<'_>,
    places: &mut [Place<'_>],
) -> Result<BTreeSet<i64>, IndexError> {
    let missing = places.iter().filter(|place| place.study.is_none());
    let mut missing: Vec<_> = missing
        .filter_map(|place| {
            Some(((place.first.study.uid.as_str(), place.patient?), place.number, place.first))
        })
        .collect();
    missing.sort_by_key(|(key, number, _)| (*key, *number));
    missing.dedup_by_key(|(key, ..)| *key);
    let mut made: HashMap<(String, i64), i64> = HashMap::new();
    for piece in pieces(&missing) {
        let mut sql = QueryBuilder::<Db>::new(
            "INSERT INTO study (uid, patient, date, time, instant_us, accession, referring_folded,
               referring_words, study_id, description, attributes) ",
        );
        values(&mut sql, piece, |row, ((uid, patient), _, first)| {
            let facts = &first.study;
            row.text(uid).whole(*patient).text(&facts.date).text(&facts.time);
            row.maybe(instant(&facts.date, &facts.time, first));
            row.text(&facts.accession_number).text(&fold(&facts.referring_physician));
            row.text(&fuzzy::words_of(&facts.referring_physician));
            row.text(&facts.id).text(&facts.description).text(&facts.attributes);
        });
        sql.push(" ON CONFLICT (uid, patient) DO NOTHING RETURNING uid, patient, id");
        let rows: Vec<(String, i64, i64)> =
            sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        made.extend(rows.into_iter().map(|(uid, patient, id)| ((uid, patient), id)));
    }
    for place in places.iter_mut().filter(|place| place.study.is_none()) {
        let patient = place.patient.ok_or_else(vanished)?;
        let key = (place.first.study.uid.as_str().to_owned(), patient);
        place.study = made.get(&key).copied();
    }
    if places.iter().any(|place| place.study.is_none()) {
        look_up(tx, places).await?;
    }
    Ok(made.into_values().collect())
}

async fn make_series(
    tx: &mut Tx<'_>,
    places: &mut [Place<'_>],
    now_us: i64,
) -> Result<(), IndexError> {
    let missing = places.iter().filter(|place| place.series.is_none());
    let missing: BTreeMap<(&str, i64), &NewInstance> = missing
        .filter_map(|place| Some(((place.first.series.uid.as_str(), place.study?), place.first)))
        .collect();
    let missing: Vec<_> = missing.into_iter().collect();
    let mut made: HashMap<(String, i64), i64> = HashMap::new();
    for piece in pieces(&missing) {
        let mut sql = QueryBuilder::<Db>::new(
            "INSERT INTO series (uid, study, modality, number, number_sort, description, body_part,
               performed_date, performed_time, instant_us, attributes, changed_us, instances, revision, bytes) ",
        );
        values(&mut sql, piece, |row, ((uid, study), first)| {
            let facts = &first.series;
            row.text(uid).whole(*study).text(&facts.modality).text(&facts.number);
            row.whole(number_sort(&facts.number)).text(&facts.description).text(&facts.body_part);
            row.text(&facts.performed_date).text(&facts.performed_time);
            row.maybe(instant(&facts.performed_date, &facts.performed_time, first));
            row.text(&facts.attributes);
            row.whole(now_us).whole(0).whole(0).whole(0);
        });
        sql.push(" ON CONFLICT (uid, study) DO NOTHING RETURNING uid, study, id");
        let rows: Vec<(String, i64, i64)> =
            sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        made.extend(rows.into_iter().map(|(uid, study, id)| ((uid, study), id)));
    }
    let mut new = Vec::new();
    for place in places.iter_mut().filter(|place| place.series.is_none()) {
        let study = place.study.ok_or_else(vanished)?;
        let key = (place.first.series.uid.as_str().to_owned(), study);
        place.series = made.get(&key).copied();
        new.extend(place.series.map(|series| (series, study, place.first)));
    }
    if places.iter().any(|place| place.series.is_none()) {
        look_up(tx, places).await?;
    }
    modalities(tx, &new).await?;
    requests(tx, &new).await
}

/// Enters the modalities of new series with their studies' dates, for lists newest first.
async fn modalities(tx: &mut Tx<'_>, new: &[(i64, i64, &NewInstance)]) -> Result<(), IndexError> {
    let mut new: Vec<(i64, &str)> = new
        .iter()
        .map(|(_, study, first)| (*study, first.series.modality.as_str()))
        .filter(|(_, modality)| !modality.is_empty())
        .collect();
    new.sort_unstable();
    new.dedup();
    for piece in pieces(&new) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (study, modality) AS (");
        values(&mut sql, piece, |row, (study, modality)| {
            row.whole(*study).text(modality);
        });
        sql.push(
            ") INSERT INTO study_modality (study, modality, date, time)
             SELECT st.id, k.modality, st.date, st.time FROM k JOIN study st ON st.id = k.study
             WHERE k.modality <> '' ORDER BY st.id, k.modality
             ON CONFLICT (study, modality) DO NOTHING",
        );
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(())
}

/// Enters what new series say they were requested by.
async fn requests(tx: &mut Tx<'_>, new: &[(i64, i64, &NewInstance)]) -> Result<(), IndexError> {
    let requests = new.iter().flat_map(|(series, _, first)| {
        first.series.requests.iter().map(|request| (*series, request))
    });
    let requests: Vec<_> = requests.collect();
    for piece in pieces(&requests) {
        let mut sql = QueryBuilder::<Db>::new(
            "INSERT INTO request (series, scheduled_step_id, procedure_id) ",
        );
        values(&mut sql, piece, |row, (series, request)| {
            row.whole(*series).text(&request.scheduled_step_id).text(&request.procedure_id);
        });
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(())
}

/// The instant of a date and time an object says; `None` unless it says its time zone too.
fn instant(date: &str, time: &str, said_by: &NewInstance) -> Option<i64> {
    let offset = offset_minutes(&said_by.instance.timezone)?;
    if time.is_empty() || date.len() != 8 { None } else { begin_us(date, time, offset) }
}

/// Where a number sorts: by value; what is no number comes behind, where its text decides.
pub(super) fn number_sort(number: &str) -> i64 {
    number.parse().unwrap_or(i64::MAX)
}

fn vanished() -> IndexError {
    IndexError::Unavailable("a row another transaction made cannot be seen".to_owned())
}
