//! Any objects and any searches: the index answers like a plain filter over a list.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use lastra::dicom::person_name::fold;
use lastra::dicom::phonetic::sound;
use lastra::dicom::phonetic::words;
use lastra::index::port::Index;
use lastra::index::query::Found;
use lastra::index::query::Key;
use lastra::index::query::Level;
use lastra::index::query::Match;
use lastra::index::query::Moment;
use lastra::index::query::OrderBy;
use lastra::index::query::Query;
use lastra::index::query::Rule;
use lastra::index::query::Span;
use lastra::index::query::Spellings;
use lastra::model::study::NewInstance;
use lastra::model::study::RequestFacts;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use proptest::test_runner::TestRunner;

use super::matching::KEYS;
use super::objects::Kept;
use super::objects::object;
use super::objects::patient;
use super::objects::store;
use super::objects::uid;
use super::objects::with;

/// Values with what patterns, accents and empty values make difficult; few, so that many are equal.
const TEXTS: [&str; 14] = [
    "",
    "A",
    "a",
    "AB",
    "Ä",
    "A%",
    "A_",
    "[A]",
    "A\\",
    "A*",
    "山",
    "AB^A",
    "Rosi^Kiara=山",
    "D'Abo A",
];
const DATES: [&str; 5] = ["", "2026", "20260101", "20260102", "20251231"];
const NUMBERS: [&str; 6] = ["", "1", "2", "10", "-1", "X"];
const PATTERNS: [&str; 14] =
    ["*", "?", "A*", "?*", "*A", "a*", "Ä*", "A?", "[A]", "[*", "*\\", "*B*A", "山?", "%*"];

#[derive(Debug, Clone)]
struct Place {
    patient: usize,
    issuer: usize,
    study: usize,
    series: usize,
}

fn text() -> impl Strategy<Value = String> {
    select(&TEXTS[..]).prop_map(str::to_owned)
}

fn date() -> impl Strategy<Value = String> {
    select(&DATES[..]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = String> {
    select(&NUMBERS[..]).prop_map(str::to_owned)
}

fn objects() -> impl Strategy<Value = Vec<NewInstance>> {
    let place = (0..3_usize, 0..2_usize, 0..4_usize, 0..3_usize)
        .prop_map(|(patient, issuer, study, series)| Place { patient, issuer, study, series });
    let texts = proptest::collection::vec(text(), 8);
    let dates = proptest::collection::vec(date(), 3);
    let numbers = (number(), number());
    let requests = proptest::collection::vec((text(), text()), 0..3);
    let modality = select(vec!["", "CT", "MR", "A"]);
    let one = (place, texts, dates, numbers, requests, modality).prop_map(
        |(place, texts, dates, numbers, requests, modality)| {
            let study = format!("1.{}", place.study);
            with(object(&study, &format!("{study}.{}", place.series), "1"), |o| {
                let id = ["", "P1", "P2"][place.patient];
                o.patient.id = patient(["", "H"][place.issuer], id);
                let mut texts = texts.into_iter();
                let mut text = || texts.next().unwrap();
                o.patient.name = text();
                o.patient.sex = text();
                o.study.accession_number = text();
                o.study.referring_physician = text();
                o.study.id = text();
                o.study.description = text();
                o.series.description = text();
                o.series.body_part = text();
                o.study.date.clone_from(&dates[0]);
                o.patient.birth_date.clone_from(&dates[1]);
                o.series.performed_date.clone_from(&dates[2]);
                (o.series.number, o.instance.number) = numbers;
                modality.clone_into(&mut o.series.modality);
                o.series.requests = requests
                    .into_iter()
                    .map(|(scheduled_step_id, procedure_id)| RequestFacts {
                        scheduled_step_id,
                        procedure_id,
                    })
                    .collect();
            })
        },
    );
    proptest::collection::vec(one, 1..14).prop_map(|mut objects| {
        for (number, object) in objects.iter_mut().enumerate() {
            object.instance.uid = uid(&format!("9.{number}"));
            object.instance.attributes = format!("{{\"{number}\":1}}");
        }
        objects
    })
}

fn spellings() -> impl Strategy<Value = Spellings> {
    let word = select(vec!["A", "AB", "ab", "Ä", "山", "ROSSI", "Rosi", "M", "Chiara"]);
    (proptest::collection::vec(word, 1..3), any::<bool>()).prop_map(|(any, anywhere)| {
        let any = any.into_iter().map(str::to_owned).collect();
        Spellings { any, anywhere }
    })
}

fn moment() -> impl Strategy<Value = Option<Moment>> {
    let time = select(vec!["", "10", "1015", "101500", "12"]);
    let moment = (select(&DATES[1..]), time)
        .prop_map(|(date, time)| Moment { date: date.to_owned(), time: time.to_owned() });
    proptest::option::of(moment)
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        8 => plain_rule(),
        1 => proptest::collection::vec(plain_rule(), 0..3).prop_map(Rule::Any),
        1 => proptest::collection::vec(spellings(), 0..3).prop_map(Rule::Fuzzy),
        1 => (moment(), moment())
            .prop_map(|(from, to)| Rule::Span(Span { from, to, instants: None })),
    ]
}

fn plain_rule() -> impl Strategy<Value = Rule> {
    let value = || {
        prop_oneof![3 => text(), 2 => date(), 1 => number(), 1 => Just("CT".to_owned()),
        1 => Just("P1".to_owned()), 1 => Just("1.1".to_owned())]
    };
    let bound = || proptest::option::of(value());
    prop_oneof![
        value().prop_map(Rule::Equal),
        select(&PATTERNS[..]).prop_map(|pattern| Rule::Wildcard(pattern.to_owned())),
        proptest::collection::vec(value(), 0..3).prop_map(Rule::AnyOf),
        (bound(), bound()).prop_map(|(from, to)| Rule::Range { from, to }),
        Just(Rule::Empty),
    ]
}

/// Keys with the rules that suit only them, so that these come often enough.
fn condition() -> impl Strategy<Value = Match> {
    let names = select(vec![Key::PatientName, Key::ReferringPhysicianName]);
    let by_ear = proptest::collection::vec(spellings(), 1..3).prop_map(Rule::Fuzzy);
    let acts = select(vec![Key::StudyDate, Key::PerformedDate]);
    let span =
        (moment(), moment()).prop_map(|(from, to)| Rule::Span(Span { from, to, instants: None }));
    prop_oneof![
        6 => (select(&KEYS[..]), rule()),
        1 => (names, by_ear),
        1 => (acts, span),
    ]
    .prop_map(|(key, rule)| Match { key, rule })
}

/// Keys that answers are sorted by here: one of each kind of column.
const ORDERS: [Key; 9] = [
    Key::PatientId,
    Key::PatientName,
    Key::StudyDate,
    Key::StudyId,
    Key::ReferringPhysicianName,
    Key::Modality,
    Key::SeriesNumber,
    Key::SeriesDescription,
    Key::InstanceNumber,
];

fn query() -> impl Strategy<Value = Query> {
    let by = (select(&ORDERS[..]), any::<bool>())
        .prop_map(|(key, descending)| OrderBy { key, descending });
    let order = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(by, 1..3)];
    (
        select(vec![Level::Study, Level::Series, Level::Instance]),
        proptest::option::weighted(0.2, 0..4_usize),
        proptest::option::weighted(0.1, 0..3_usize),
        proptest::option::weighted(0.1, (0..2_usize, 0..3_usize)),
        (proptest::collection::vec(condition(), 0..4), order),
        prop_oneof![Just(100_u32), 0..4_u32],
        prop_oneof![Just(0_u32), 0..4_u32],
    )
        .prop_map(|(level, study, series, who, (matches, order), limit, offset)| Query {
            level,
            study: study.map(|study| uid(&format!("1.{study}"))),
            series: series.map(|series| uid(&format!("1.{}.{series}", study.unwrap_or(1)))),
            patient: who.map(|(issuer, id)| patient(["", "H"][issuer], ["", "P1", "P2"][id])),
            matches,
            order,
            limit,
            offset,
        })
}

/// What the index should keep: first facts of patients, studies and series, in order of arrival.
#[derive(Default)]
struct Model<'a> {
    patients: Vec<((&'a str, &'a str, &'a str), &'a NewInstance)>,
    studies: Vec<((&'a str, usize), &'a NewInstance)>,
    series: Vec<((&'a str, usize), &'a NewInstance)>,
    instances: Vec<(usize, &'a NewInstance)>,
}

fn row<'a, K: PartialEq>(
    rows: &mut Vec<(K, &'a NewInstance)>,
    key: K,
    new: &'a NewInstance,
) -> usize {
    rows.iter().position(|row| row.0 == key).unwrap_or_else(|| {
        rows.push((key, new));
        rows.len() - 1
    })
}

impl<'a> Model<'a> {
    fn of(objects: &'a [NewInstance]) -> Self {
        let mut model = Self::default();
        for new in objects {
            let id = &new.patient.id;
            let scope = if id.is_known() { "" } else { new.study.uid.as_str() };
            let patient = row(&mut model.patients, (&id.issuer, &id.value, scope), new);
            let study = row(&mut model.studies, (new.study.uid.as_str(), patient), new);
            let series = row(&mut model.series, (new.series.uid.as_str(), study), new);
            model.instances.push((series, new));
        }
        model
    }

    fn patient_of(&self, study: usize) -> &NewInstance {
        self.patients[self.studies[study].0.1].1
    }

    fn series_of(&self, study: usize) -> impl Iterator<Item = usize> {
        (0..self.series.len()).filter(move |series| self.series[*series].0.1 == study)
    }

    fn instances_of(&self, series: usize) -> impl Iterator<Item = usize> {
        (0..self.instances.len()).filter(move |instance| self.instances[*instance].0 == series)
    }

    /// Rows of the answer as (study, series, instance), all of them in order.
    fn answer(&self, query: &Query) -> Vec<(usize, usize, usize)> {
        let mut rows = BTreeSet::new();
        for study in 0..self.studies.len() {
            if !self.study_holds(study, query) {
                continue;
            }
            for series in self.series_of(study).filter(|series| self.series_holds(*series, query)) {
                for instance in self.instances_of(series) {
                    if !self.instance_holds(instance, query) {
                        continue;
                    }
                    rows.insert(match query.level {
                        Level::Study => (study, 0, 0),
                        Level::Series => (study, series, 0),
                        Level::Instance => (study, series, instance),
                    });
                }
            }
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        let default_order = |(study, series, instance): &(usize, usize, usize)| {
            let said = &self.studies[*study].1.study;
            let newest = (said.date.clone(), said.time.clone(), *study);
            let series_number = &self.series[*series].1.series.number;
            let series_order =
                (series_number.parse().unwrap_or(i64::MAX), series_number.clone(), *series);
            let number = self.instances[*instance].1.instance.number.parse().unwrap_or(i64::MAX);
            (std::cmp::Reverse(newest), series_order, number, *instance)
        };
        rows.sort_by(|one, other| {
            let asked = query.order.iter().filter(|by| by.key.level() <= query.level);
            let asked = asked.map(|by| {
                let order = self.sorted_by(*one, by.key).cmp(&self.sorted_by(*other, by.key));
                if by.descending { order.reverse() } else { order }
            });
            let first = asked.fold(Ordering::Equal, Ordering::then);
            first.then_with(|| default_order(one).cmp(&default_order(other)))
        });
        rows
    }

    /// What a row sorts by for a key.
    fn sorted_by(
        &self,
        (study, series, instance): (usize, usize, usize),
        key: Key,
    ) -> (i64, String) {
        let (patient, said) = (self.patient_of(study), &self.studies[study].1.study);
        let (facts, itself) = (&self.series[series].1.series, &self.instances[instance].1.instance);
        let number = |text: &str| (text.parse().unwrap_or(i64::MAX), text.to_owned());
        let text = match key {
            Key::SeriesNumber => return number(&facts.number),
            Key::InstanceNumber => return number(&itself.number),
            Key::PatientId => &patient.patient.id.value,
            Key::PatientName => return (0, fold(&patient.patient.name)),
            Key::StudyDate => &said.date,
            Key::StudyId => &said.id,
            Key::ReferringPhysicianName => return (0, fold(&said.referring_physician)),
            Key::Modality => &facts.modality,
            Key::SeriesDescription => &facts.description,
            key => panic!("not among ORDERS: {key:?}"),
        };
        (0, text.clone())
    }

    fn study_holds(&self, study: usize, query: &Query) -> bool {
        let (patient, said) = (self.patient_of(study), self.studies[study].1);
        let id = &patient.patient.id;
        query.study.as_ref().is_none_or(|uid| *uid == said.study.uid)
            && query.patient.as_ref().is_none_or(|wanted| wanted == id)
            && query.matches.iter().all(|Match { key, rule }| self.study_meets(study, *key, rule))
    }

    fn study_meets(&self, study: usize, key: Key, rule: &Rule) -> bool {
        let (patient, said) = (self.patient_of(study), self.studies[study].1);
        let (id, facts, person) = (&patient.patient.id, &said.study, &patient.patient);
        if key.level() != Level::Study {
            return true;
        }
        match rule {
            Rule::Any(rules) => return rules.iter().any(|rule| self.study_meets(study, key, rule)),
            Rule::Fuzzy(words) => {
                return match key {
                    Key::PatientName => heard(&person.name, words),
                    Key::ReferringPhysicianName => heard(&facts.referring_physician, words),
                    _ => false,
                };
            }
            Rule::Span(span) => {
                return key == Key::StudyDate && spans(&facts.date, &facts.time, span);
            }
            _ => {}
        }
        match key {
            Key::PatientId => holds(&id.value, rule),
            Key::IssuerOfPatientId => holds(&id.issuer, rule),
            Key::PatientName => holds(&fold(&person.name), &folded(rule)),
            Key::PatientBirthDate => holds(&person.birth_date, rule),
            Key::PatientSex => holds(&person.sex, rule),
            Key::StudyInstanceUid => holds(facts.uid.as_str(), rule),
            Key::StudyDate => holds(&facts.date, rule),
            Key::StudyTime => holds(&facts.time, rule),
            Key::AccessionNumber => holds(&facts.accession_number, rule),
            Key::ReferringPhysicianName => holds(&fold(&facts.referring_physician), &folded(rule)),
            Key::StudyId => holds(&facts.id, rule),
            Key::StudyDescription => holds(&facts.description, rule),
            Key::ModalitiesInStudy => any_holds(&self.modalities(study), rule),
            _ => true,
        }
    }

    fn modalities(&self, study: usize) -> Vec<String> {
        let all = self.series_of(study).map(|series| self.series[series].1.series.modality.clone());
        let all: BTreeSet<String> = all.filter(|modality| !modality.is_empty()).collect();
        all.into_iter().collect()
    }

    fn series_holds(&self, series: usize, query: &Query) -> bool {
        let facts = &self.series[series].1.series;
        query.series.as_ref().is_none_or(|uid| *uid == facts.uid)
            && query.matches.iter().all(|Match { key, rule }| self.series_meets(series, *key, rule))
            && self.one_request_meets(series, query)
    }

    /// One item of Request Attributes Sequence meets all that is asked of one.
    fn one_request_meets(&self, series: usize, query: &Query) -> bool {
        let asked = query.matches.iter().filter(|Match { key, rule }| {
            is_of_request(*key)
                && !matches!(rule, Rule::Empty | Rule::Any(_) | Rule::Fuzzy(_) | Rule::Span(_))
                && *rule != Rule::Wildcard("*".to_owned())
        });
        let asked: Vec<_> = asked.collect();
        let meets = |request: &RequestFacts| {
            asked.iter().all(|Match { key, rule }| match key {
                Key::ScheduledStepId => holds(&request.scheduled_step_id, rule),
                _ => holds(&request.procedure_id, rule),
            })
        };
        asked.is_empty() || self.series[series].1.series.requests.iter().any(meets)
    }

    fn series_meets(&self, series: usize, key: Key, rule: &Rule) -> bool {
        let facts = &self.series[series].1.series;
        let values = |of: fn(&RequestFacts) -> &String| -> Vec<String> {
            facts.requests.iter().map(|request| of(request).clone()).collect()
        };
        if key.level() != Level::Series {
            return true;
        }
        match rule {
            Rule::Any(rules) => {
                return rules.iter().any(|rule| self.series_meets(series, key, rule));
            }
            Rule::Fuzzy(_) => return false,
            Rule::Span(span) => {
                return key == Key::PerformedDate
                    && spans(&facts.performed_date, &facts.performed_time, span);
            }
            _ => {}
        }
        match key {
            Key::SeriesInstanceUid => holds(facts.uid.as_str(), rule),
            Key::Modality => holds(&facts.modality, rule),
            Key::SeriesNumber => holds(&facts.number, rule),
            Key::SeriesDescription => holds(&facts.description, rule),
            Key::BodyPartExamined => holds(&facts.body_part, rule),
            Key::PerformedDate => holds(&facts.performed_date, rule),
            Key::PerformedTime => holds(&facts.performed_time, rule),
            Key::ScheduledStepId => any_holds(&values(|r| &r.scheduled_step_id), rule),
            Key::RequestedProcedureId => any_holds(&values(|r| &r.procedure_id), rule),
            _ => true,
        }
    }

    fn instance_holds(&self, instance: usize, query: &Query) -> bool {
        let meets = |Match { key, rule }: &Match| self.instance_meets(instance, *key, rule);
        query.matches.iter().all(meets)
    }

    fn instance_meets(&self, instance: usize, key: Key, rule: &Rule) -> bool {
        let facts = &self.instances[instance].1.instance;
        if key.level() != Level::Instance {
            return true;
        }
        match (rule, key) {
            (Rule::Any(rules), _) => {
                rules.iter().any(|rule| self.instance_meets(instance, key, rule))
            }
            (Rule::Fuzzy(_) | Rule::Span(_), _) => false,
            (rule, Key::SopInstanceUid) => holds(facts.uid.as_str(), rule),
            (rule, Key::SopClassUid) => holds(facts.sop_class.as_str(), rule),
            (rule, _) => holds(&facts.number, rule),
        }
    }

    /// Whether what was found is this row.
    fn is(&self, found: &Found, (study, series, instance): (usize, usize, usize)) -> bool {
        let said = self.studies[study].1;
        let all: Vec<usize> = self.series_of(study).collect();
        let instances = |series: usize| self.instances_of(series).count();
        found.study_uid == said.study.uid
            && found.patient_id == self.patient_of(study).patient.id
            && found.study == said.study.attributes
            && found.modalities == self.modalities(study)
            && found.study_series as usize == all.len()
            && found.study_instances as usize == all.iter().map(|s| instances(*s)).sum::<usize>()
            && found.series.as_ref().is_none_or(|found| {
                found.uid == self.series[series].1.series.uid
                    && found.instances as usize == instances(series)
            })
            && found.instance.as_ref().is_none_or(|found| {
                found.attributes == self.instances[instance].1.instance.attributes
            })
    }
}

fn folded(rule: &Rule) -> Rule {
    match rule {
        Rule::Equal(text) => Rule::Equal(fold(text)),
        Rule::Wildcard(text) => Rule::Wildcard(fold(text)),
        Rule::AnyOf(texts) => Rule::AnyOf(texts.iter().map(|text| fold(text)).collect()),
        rule => rule.clone(),
    }
}

fn any_holds(values: &[String], rule: &Rule) -> bool {
    match rule {
        Rule::Empty => values.iter().all(String::is_empty),
        Rule::Wildcard(pattern) if pattern == "*" => true,
        rule => values.iter().any(|value| holds(value, rule)),
    }
}

fn is_of_request(key: Key) -> bool {
    matches!(key, Key::ScheduledStepId | Key::RequestedProcedureId)
}

/// Whether a name is met by ear.
fn heard(name: &str, asked: &[Spellings]) -> bool {
    let words = words(name);
    asked.iter().all(|asked| {
        let anywhere = asked.anywhere && fold(name).contains(&fold(&asked.any[0]));
        let by_word = |spelling: &String| {
            let key = sound(spelling);
            let begins = |word: &String| word.starts_with(&fold(spelling));
            words.iter().any(|word| begins(word) || (!key.is_empty() && sound(word) == key))
        };
        anywhere || asked.any.iter().any(by_word)
    })
}

/// Whether a date and time lie in a span; no object here says its time zone.
fn spans(date: &str, time: &str, span: &Span) -> bool {
    let from = span.from.as_ref().is_none_or(|from| {
        let first_day = date.starts_with(&from.date);
        date >= from.date.as_str() && (!first_day || time >= from.time.as_str())
    });
    let to = span.to.as_ref().is_none_or(|to| {
        let last_day = date >= to.date.as_str();
        let ends = time <= to.time.as_str() || time.starts_with(&to.time);
        let in_time = to.time.is_empty() || (!time.is_empty() && ends);
        (date < to.date.as_str() || date.starts_with(&to.date)) && (!last_day || in_time)
    });
    !date.is_empty() && from && to
}

fn holds(value: &str, rule: &Rule) -> bool {
    match rule {
        Rule::Any(_) | Rule::Fuzzy(_) | Rule::Span(_) => panic!("taken apart before"),
        Rule::Equal(text) => value == text,
        Rule::Wildcard(pattern) => {
            let (value, pattern): (Vec<char>, Vec<char>) =
                (value.chars().collect(), pattern.chars().collect());
            matches(&value, &pattern)
        }
        Rule::AnyOf(texts) => texts.iter().any(|text| text == value),
        Rule::Range { from, to } => {
            !value.is_empty()
                && from.as_ref().is_none_or(|from| value >= from.as_str())
                && to
                    .as_ref()
                    .is_none_or(|to| value <= to.as_str() || value.starts_with(to.as_str()))
        }
        Rule::Empty => value.is_empty(),
    }
}

fn matches(value: &[char], pattern: &[char]) -> bool {
    match (pattern, value) {
        ([], value) => value.is_empty(),
        (['*', rest @ ..], value) => (0..=value.len()).any(|at| matches(&value[at..], rest)),
        (['?', rest @ ..], [_, tail @ ..]) => matches(tail, rest),
        ([c, rest @ ..], [v, tail @ ..]) => c == v && matches(tail, rest),
        (_, []) => false,
    }
}

async fn check(
    index: &dyn Index,
    objects: &[NewInstance],
    queries: &[Query],
) -> Result<(), TestCaseError> {
    // One at a time: rows made together have no order of arrival.
    for new in objects {
        store(index, std::slice::from_ref(new)).await;
    }
    let model = Model::of(objects);
    for query in queries {
        let all = model.answer(query);
        let expected: Vec<_> =
            all.iter().copied().skip(query.offset as usize).take(query.limit as usize).collect();
        let found = index.find(query).await.unwrap();
        prop_assert_eq!(found.len(), expected.len(), "{:?}", query);
        for (found, row) in found.iter().zip(expected) {
            prop_assert!(
                model.is(found, row),
                "{:?}\nexpected {:?}\nfound {:?}",
                query,
                row,
                found
            );
        }
        let counted = index.count(query, 5).await.unwrap() as usize;
        prop_assert_eq!(counted, all.len().min(5), "{:?}", query);
    }
    Ok(())
}

fn run<F: Future<Output = Kept>>(cases: u32, open: impl Fn() -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let strategy = (objects(), proptest::collection::vec(query(), 40));
    let result = TestRunner::new(config).run(&strategy, |(objects, queries)| {
        runtime.block_on(async {
            let kept = open().await;
            let checked = check(&*kept.index, &objects, &queries).await;
            kept.index.close().await;
            checked
        })
    });
    result.unwrap();
}

#[test]
fn sqlite_answers_like_a_plain_filter() {
    run(64, Kept::in_sqlite);
}

#[test]
fn postgres_answers_like_a_plain_filter() {
    run(8, Kept::in_postgres);
}

#[test]
fn one_batch_or_many_keep_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(objects(), 1..14_usize), |(mut objects, size)| {
        // Some come twice, some with other bytes.
        let again: Vec<_> = objects.iter().step_by(3).map(super::objects::again).collect();
        let altered: Vec<_> = objects.iter().step_by(4).map(super::objects::altered).collect();
        objects.extend(again.into_iter().chain(altered));
        runtime.block_on(async {
            let (one, other) = (Kept::in_sqlite().await, Kept::in_sqlite().await);
            let mut outcomes = [Vec::new(), Vec::new()];
            for object in &objects {
                outcomes[0].extend(store(&*one.index, std::slice::from_ref(object)).await);
            }
            for batch in objects.chunks(size) {
                outcomes[1].extend(store(&*other.index, batch).await);
            }
            prop_assert_eq!(&outcomes[0], &outcomes[1]);
            let (one, other) = (&*one.index, &*other.index);
            prop_assert_eq!(one.totals().await.unwrap(), other.totals().await.unwrap());
            prop_assert_eq!(one.events(0, 999).await.unwrap(), other.events(0, 999).await.unwrap());
            let served = |copies: Vec<lastra::index::port::CopyRow>| -> BTreeMap<String, bool> {
                copies.into_iter().map(|copy| (copy.blob_key, copy.served)).collect()
            };
            let copies = (one.copies(0, 999).await.unwrap(), other.copies(0, 999).await.unwrap());
            prop_assert_eq!(served(copies.0), served(copies.1));
            Ok(())
        })
    });
    result.unwrap();
}
