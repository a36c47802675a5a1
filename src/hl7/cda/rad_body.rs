//! Rules of the radiology report's body, b1 to b67: a table.

use crate::hl7::cda::rad::Rule;
use crate::hl7::cda::xml::Element;

/// Rules of the sections.
pub(super) const BODY: &[Rule] = &[
    ("ERRORE-b1", BODY_PATH, "section 55111-9 (examination done) is there", |b| {
        b.count("component/section/code[@code=55111-9][@codeSystem=2.16.840.1.113883.6.1]") == 1
    }),
    ("ERRORE-b2", BODY_PATH, "section 55111-9 has a text", |b| {
        b.count("component/section[code=55111-9]/text") == 1
    }),
    ("ERRORE-b3", BODY_PATH, "section 55111-9 has an entry", |b| {
        b.count("component/section[code=55111-9]/entry") >= 1
    }),
    ("ERRORE-b4", BODY_PATH, "section 18782-3 (report) is there", |b| {
        b.count("component/section/code[@code=18782-3][@codeSystem=2.16.840.1.113883.6.1]") == 1
    }),
    ("ERRORE-b5", BODY_PATH, "section 18782-3 has a text", |b| {
        b.count("component/section[code=18782-3]/text") == 1
    }),
    ("ERRORE-b6", SECTION, "a section's code is one of the template's", |s| {
        SECTIONS.iter().any(|code| {
            s.all("code").into_iter().filter(|c| c.attr("code") == Some(code)).count() == 1
        })
    }),
    ("ERRORE-b7", COMPONENT, "section 121181 (DICOM objects) has one entry/act", |c| {
        c.count("section[code=121181]") == 0 || c.count("section[code=121181]/entry/act") == 1
    }),
    ("ERRORE-b8", COMPONENT, "section 18785-6 (question) has a text", |c| text(c, "18785-6")),
    ("ERRORE-b9", COMPONENT, "section 18785-6's entry has one observation", |c| {
        question(c, "") || c.count("section[code=18785-6]/entry/observation") == 1
    }),
    ("ERRORE-b10", COMPONENT, "section 18785-6's observation has code 29308-4 of LOINC", |c| {
        question(c, "/observation/code[@code=29308-4][@codeSystem=2.16.840.1.113883.6.1]")
    }),
    (
        "ERRORE-b11",
        COMPONENT,
        "section 18785-6's value is of ICD-9-CM (2.16.840.1.113883.6.103)",
        |c| question(c, "/observation/value[@codeSystem=2.16.840.1.113883.6.103]"),
    ),
    ("ERRORE-b12", COMPONENT, "section 11329-0 (history) has a text", |c| text(c, "11329-0")),
    ("ERRORE-b13", COMPONENT, "section 55114-3 (earlier examinations) has a text", |c| {
        text(c, "55114-3")
    }),
    ("ERRORE-b14", COMPONENT, "section 55110-1 (conclusions) has a text", |c| text(c, "55110-1")),
    ("ERRORE-b15", COMPONENT, "section 55107-7 (addenda) has a text", |c| text(c, "55107-7")),
    ("ERRORE-b16", COMPONENT, "section 55109-3 (complications) has a text", |c| text(c, "55109-3")),
    ("ERRORE-b17", COMPONENT, "section 55109-3's entry has one observation", |c| {
        c.count("section[code=55109-3]/entry") == 0
            || c.count("section[code=55109-3]/entry/observation") == 1
    }),
    ("ERRORE-b18", COMPONENT, "section 18783-1 (recommendations) has a text", |c| {
        text(c, "18783-1")
    }),
    ("ERRORE-b19", HISTORY, "an entry of the history has one observation or organizer", |e| {
        e.count("observation") == 1 || e.count("organizer") == 1
    }),
    ("ERRORE-b20", HISTORY, "an observation of the history has code 75326-9 of LOINC", |e| {
        observed(e, "code[@code=75326-9][@codeSystem=2.16.840.1.113883.6.1]")
    }),
    ("ERRORE-b21", HISTORY, "an observation of the history is completed", |e| {
        observed(e, "statusCode[@code=completed]")
    }),
    ("ERRORE-b22", HISTORY, "an observation of the history has effectiveTime/low", |e| {
        observed(e, "effectiveTime/low")
    }),
    ("ERRORE-b23", HISTORY, "an observation of the history has a value of type CD", |e| {
        observed(e, "value[@xsi:type=CD]")
    }),
    (
        "ERRORE-b24",
        HISTORY,
        "a value of the history without code has originalText/reference",
        |e| e.count("observation") == 0 || coded_or_referred(&e.all("observation/value")),
    ),
    ("ERRORE-b25", HISTORY, "an organizer of the history is a CLUSTER", |e| {
        e.count("organizer") == 0 || e.count("organizer[@classCode=CLUSTER]") == 1
    }),
    ("ERRORE-b26", HISTORY, "an organizer of the history has subject/relatedSubject/code", |e| {
        e.count("organizer") == 0 || e.count("organizer/subject/relatedSubject/code") == 1
    }),
    ("ERRORE-b27", HISTORY, "an organizer of the history has a component/observation", |e| {
        e.count("organizer") == 0 || e.count("organizer/component/observation") >= 1
    }),
    (
        "ERRORE-b28",
        COURSE,
        "what follows an observation of the history is 89261-2 or 33999-4",
        |r| {
            r.count("observation/code[@code=89261-2][@codeSystem=2.16.840.1.113883.6.1]") == 1
                || r.count("observation/code[@code=33999-4][@codeSystem=2.16.840.1.113883.6.1]")
                    == 1
        },
    ),
    ("ERRORE-b29", COURSE, "the course's value is of its value set", |r| {
        of_systems(&r.all("observation[code=89261-2]/value"), "2.16.840.1.113883.2.9.77.22.11.10")
    }),
    ("ERRORE-b29a", COURSE, "the course's value is LA28752-6 or LA18821-1", |r| {
        of_codes(&r.all("observation[code=89261-2]/value"), ["LA28752-6", "LA18821-1"])
    }),
    ("ERRORE-b30", COURSE, "the state's value is of its value set", |r| {
        of_systems(&r.all("observation[code=33999-4]/value"), "2.16.840.1.113883.2.9.77.22.11.7")
    }),
    ("ERRORE-b30a", COURSE, "the state's value is LA16666-2 or LA18632-2", |r| {
        of_codes(&r.all("observation[code=33999-4]/value"), ["LA16666-2", "LA18632-2"])
    }),
    ("ERRORE-b31", FAMILY, "a relative's observation is completed", |c| {
        c.count("observation/statusCode[@code=completed]") == 1
    }),
    ("ERRORE-b32", FAMILY, "a relative's observation has an effectiveTime", |c| {
        c.count("observation/effectiveTime") == 1
    }),
    ("ERRORE-b33", FAMILY, "a relative's observation has a value", |c| {
        c.count("observation/value") == 1
    }),
    ("ERRORE-b34", FAMILY, "a relative's observation has at most two entryRelationship", |c| {
        c.count("observation/entryRelationship") <= 2
            && c.count("observation/entryRelationship/observation") <= 2
    }),
    ("ERRORE-b35", AGES, "an age of a relative is 35267-4 or 39016-1", |r| {
        ["35267-4", "39016-1"].iter().any(|code| {
            r.all("observation/code").iter().filter(|c| c.attr("code") == Some(code)).count() == 1
        })
    }),
    ("ERRORE-b36", AGES, "an age of a relative has a value", |r| r.count("observation/value") == 1),
    ("ERRORE-b37", ALLERGIES, "the subsection's code is 48765-2 of LOINC", |c| {
        c.count("section/code[@code=48765-2][@codeSystem=2.16.840.1.113883.6.1]") == 1
    }),
    ("ERRORE-b38", ALLERGIES, "the subsection of allergies has a text", |c| {
        c.count("section/text") == 1
    }),
    ("ERRORE-b39", ALLERGIES, "an allergy's criticality is told once", |c| {
        critical(c).is_empty() || criticality(c).len() == 1
    }),
    ("ERRORE-b40", ALLERGIES, "a criticality's code is of 2.16.840.1.113883.5.4", |c| {
        let of = "code[@codeSystem=2.16.840.1.113883.5.4]";
        critical(c).is_empty() || criticality(c).iter().map(|o| o.count(of)).sum::<usize>() == 1
    }),
    ("ERRORE-b41", ALLERGIES, "a criticality's value is of 2.16.840.1.113883.5.1063", |c| {
        let of = "value[@codeSystem=2.16.840.1.113883.5.1063]";
        let all = criticality(c);
        all.is_empty() || all.iter().map(|o| o.count(of)).sum::<usize>() == 1
    }),
    ("ERRORE-b42", ALLERGIES, "an allergy's state is told once", |c| {
        no_state(c) || c.count(STATE) == 1
    }),
    ("ERRORE-b43", ALLERGIES, "an allergy's state has code 33999-4 of LOINC", |c| {
        let of = "code[@code=33999-4][@codeSystem=2.16.840.1.113883.6.1]";
        no_state(c) || c.all(STATE).iter().map(|o| o.count(of)).sum::<usize>() == 1
    }),
    ("ERRORE-b44", ALLERGIES, "an allergy's state is of its value set", |c| {
        let values: Vec<_> = c.all(STATE).iter().flat_map(|o| o.all("value")).collect();
        no_state(c)
            || (!values.is_empty() && of_systems(&values, "2.16.840.1.113883.2.9.77.22.11.11"))
    }),
    ("ERRORE-b44a", ALLERGIES, "an allergy's state is LA16666-2 or LA18632-2", |c| {
        let values: Vec<_> = c.all(STATE).iter().flat_map(|o| o.all("value")).collect();
        of_codes(&values, ["LA16666-2", "LA18632-2"])
    }),
    ("ERRORE-b45", ALLERGIES, "an allergy's comment is told once", |c| comments(c).len() <= 1),
    ("ERRORE-b46", ALLERGIES, "an allergy's comment has code 48767-8 of LOINC", |c| {
        let of = "code[@code=48767-8][@codeSystem=2.16.840.1.113883.6.1]";
        let all = comments(c);
        all.is_empty() || all.iter().map(|act| act.count(of)).sum::<usize>() == 1
    }),
    ("ERRORE-b47", ALLERGY, "an entry of the allergies is an act", |e| e.count("act") == 1),
    (
        "ERRORE-b48",
        ALLERGY,
        "an allergy's status is active, completed, aborted or suspended",
        |e| {
            let status = e.value("act/statusCode", "code");
            matches!(status, Some("active" | "completed" | "aborted" | "suspended"))
        },
    ),
    ("ERRORE-b49", ALLERGY, "an allergy has effectiveTime/low", |e| {
        e.count("act/effectiveTime/low") == 1
    }),
    ("ERRORE-b50", ALLERGY, "an allergy has effectiveTime/high just when it is over", |e| {
        let ends = e.count("act/effectiveTime/high");
        match e.value("act/statusCode", "code") {
            Some("completed" | "aborted") => ends == 1,
            Some("suspended" | "active") => ends == 0,
            _ => false,
        }
    }),
    ("ERRORE-b51", ALLERGY, "an allergy has one observation 52473-6 of LOINC", |e| {
        allergy(e, "code[@code=52473-6][@codeSystem=2.16.840.1.113883.6.1]") == 1
    }),
    ("ERRORE-b52", ALLERGY, "an allergy's observation is completed", |e| {
        allergy(e, "statusCode[@code=completed]") == 1
    }),
    ("ERRORE-b53", ALLERGY, "an allergy's observation has effectiveTime/low", |e| {
        allergy(e, "effectiveTime/low") == 1
    }),
    ("ERRORE-b54", ALLERGY, "an allergy's value is of type CD", |e| {
        allergy(e, "value") == 0 || allergy(e, "value[@xsi:type=CD]") == 1
    }),
    ("ERRORE-b55", ALLERGY, "an allergy's coded value is of 2.16.840.1.113883.5.4", |e| {
        allergy(e, "value[@code]") == 0
            || allergy(e, "value[@codeSystem=2.16.840.1.113883.5.4]") == 1
    }),
    ("ERRORE-b56", ALLERGY, "an allergy's value without code has originalText/reference", |e| {
        allergy(e, "value") == 0
            || allergy(e, "value[@code]") == 1
            || allergy(e, "value/originalText/reference") == 1
    }),
    ("ERRORE-b57", ALLERGY, "an allergy names its agent (participant)", |e| {
        allergy(e, "participant") >= 1
    }),
    (
        "ERRORE-b58",
        AGENT,
        "an agent's code is of ATC, AIC or the national list, or says why not",
        agent,
    ),
    ("ERRORE-b59", REACTION, "a reaction has code 75321-0 of LOINC", |r| {
        r.count("observation/code[@code=75321-0][@codeSystem=2.16.840.1.113883.6.1]") == 1
    }),
    ("ERRORE-b60", REACTION, "a reaction has effectiveTime/low", |r| {
        r.count("observation/effectiveTime/low") == 1
    }),
    ("ERRORE-b61", REACTION, "a reaction's value is of type CD", |r| {
        r.count("observation/value") == 0 || r.count("observation/value[@xsi:type=CD]") == 1
    }),
    ("ERRORE-b62", REACTION, "a reaction's value without code has originalText/reference", |r| {
        let values = r.all("observation/value");
        values.is_empty() || coded_or_referred(&values)
    }),
    (
        "ERRORE-b63",
        REACTION,
        "a reaction's coded value is of the national lists or ICD-9-CM",
        |r| {
            let values = r.all("observation/value[@code]");
            values.is_empty()
                || REACTION_SYSTEMS.iter().any(|system| {
                    values.iter().filter(|v| v.attr("codeSystem") == Some(system)).count() == 1
                })
        },
    ),
    ("ERRORE-b64", EARLIER, "an entry of the earlier examinations is an observation", |e| {
        e.count("observation") == 1
    }),
    ("ERRORE-b65", DONE, "an entry of the examination done is an act", |e| e.count("act") == 1),
    ("ERRORE-b66", DONE, "the examination done has a statusCode", |e| {
        e.count("act/statusCode") == 1
    }),
    ("ERRORE-b67", DONE, "the examination done has an effectiveTime", |e| {
        e.count("act/effectiveTime") == 1
    }),
];

const BODY_PATH: &str = "component/structuredBody";
const COMPONENT: &str = "component/structuredBody/component";
const SECTION: &str = "component/structuredBody/component/section";
const HISTORY: &str = "component/structuredBody/component/section[code=11329-0]/entry";
const COURSE: &str =
    "component/structuredBody/component/section[code=11329-0]/entry/observation/entryRelationship";
const FAMILY: &str =
    "component/structuredBody/component/section[code=11329-0]/entry/organizer/component";
const AGES: &str = "component/structuredBody/component/section[code=11329-0]/entry/organizer/\
component/observation/entryRelationship";
const ALLERGIES: &str = "component/structuredBody/component/section[code=11329-0]/component";
const ALLERGY: &str = "component/structuredBody/component/section[code=11329-0]/component/\
section[code=48765-2]/entry";
const AGENT: &str = "component/structuredBody/component/section[code=11329-0]/component/\
section[code=48765-2]/entry/act/entryRelationship/observation/participant";
const REACTION: &str = "component/structuredBody/component/section[code=11329-0]/component/\
section[code=48765-2]/entry/act/entryRelationship/observation/entryRelationship[@typeCode=MFST]";
const EARLIER: &str = "component/structuredBody/component/section[code=55114-3]/entry";
const DONE: &str = "component/structuredBody/component/section[code=55111-9]/entry";

/// From the component of the allergies to what follows an allergy's observation.
const FOLLOWING: &str = "section[code=48765-2]/entry/act/entryRelationship/observation/entryRelationship[@typeCode=SUBJ]";
/// From there to its state.
const STATE: &str = "section[code=48765-2]/entry/act/entryRelationship/observation/\
entryRelationship[@typeCode=REFR]/observation";

const SECTIONS: [&str; 10] = [
    "121181", "18785-6", "11329-0", "55114-3", "55111-9", "18782-3", "55110-1", "55107-7",
    "55109-3", "18783-1",
];

const LOINC: &str = "2.16.840.1.113883.6.1";
const REACTION_SYSTEMS: [&str; 3] = [
    "2.16.840.1.113883.2.9.77.22.11.4",
    "2.16.840.1.113883.2.9.77.22.11.3",
    "2.16.840.1.113883.6.103",
];
const AGENT_SYSTEMS: [&str; 3] =
    ["2.16.840.1.113883.6.73", "2.16.840.1.113883.2.9.6.1.5", "2.16.840.1.113883.2.9.77.22.11.2"];

/// A section of that code, where there is one, has a text.
fn text(component: Element<'_>, code: &str) -> bool {
    let sections = component.all("section");
    let of: Vec<_> = sections
        .iter()
        .filter(|s| s.all("code").iter().any(|c| c.attr("code") == Some(code)))
        .collect();
    of.is_empty() || of.iter().map(|section| section.count("text")).sum::<usize>() == 1
}

/// No entry in the question's section, or one of that path below it.
fn question(component: Element<'_>, below: &str) -> bool {
    let entries = "section[code=18785-6]/entry";
    component.count(entries) == 0
        || (!below.is_empty() && component.count(&format!("{entries}{below}")) == 1)
}

/// No observation in the entry, or one that has `path`.
fn observed(entry: Element<'_>, path: &str) -> bool {
    entry.count("observation") == 0 || entry.count(&format!("observation/{path}")) == 1
}

fn coded_or_referred(values: &[Element<'_>]) -> bool {
    let coded = values.iter().filter(|value| value.attr("code").is_some()).count();
    let referred: usize = values.iter().map(|v| v.count("originalText/reference")).sum();
    coded == 1 || (coded == 0 && referred == 1)
}

/// No values, or just one of LOINC or of `other`.
fn of_systems(values: &[Element<'_>], other: &str) -> bool {
    let of =
        |system: &str| values.iter().filter(|v| v.attr("codeSystem") == Some(system)).count() == 1;
    values.is_empty() || of(LOINC) || of(other)
}

/// No values, or just one of the codes.
fn of_codes(values: &[Element<'_>], codes: [&str; 2]) -> bool {
    let of = |code: &str| values.iter().filter(|v| v.attr("code") == Some(code)).count() == 1;
    values.is_empty() || codes.into_iter().any(of)
}

fn critical(component: Element<'_>) -> Vec<Element<'_>> {
    component.all(&format!("{FOLLOWING}[observation]"))
}

fn criticality(component: Element<'_>) -> Vec<Element<'_>> {
    component.all(&format!("{FOLLOWING}/observation"))
}

fn comments(component: Element<'_>) -> Vec<Element<'_>> {
    component.all(&format!("{FOLLOWING}/act"))
}

fn no_state(component: Element<'_>) -> bool {
    let state = STATE.strip_suffix("/observation").unwrap_or(STATE);
    component.count(state) == 0
}

/// How many of `path` the observations of an allergy have.
fn allergy(entry: Element<'_>, path: &str) -> usize {
    entry.count(&format!("act/entryRelationship/observation/{path}"))
}

fn agent(participant: Element<'_>) -> bool {
    let codes = participant.all("participantRole/playingEntity/code");
    let bare = |code: &&Element<'_>| {
        code.attr("nullFlavor").is_some()
            && ["code", "codeSystem", "codeSystemName", "displayName"]
                .iter()
                .all(|name| code.attr(name).is_none())
    };
    let unknown =
        codes.iter().filter(bare).filter(|c| c.attr("nullFlavor") == Some("UNK")).count() == 1;
    let coded = |system: &&str| {
        let of = |c: &&Element<'_>| {
            c.attr("codeSystem") == Some(system)
                && c.attr("code").is_some()
                && c.attr("nullFlavor").is_none()
        };
        codes.iter().filter(of).count() == 1
    };
    let referred: usize = codes.iter().map(|c| c.count("originalText/reference")).sum();
    unknown
        || AGENT_SYSTEMS.iter().any(coded)
        || (codes.iter().filter(bare).count() == 1 && referred == 1)
}
