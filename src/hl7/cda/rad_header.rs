//! Rules of the radiology report's header and of every element alike: a table.

use crate::hl7::cda::rad::Rule;
use crate::hl7::cda::xml::Element;
use crate::people::identifier::IdentifierKind;

/// Rules 1 to 54.
pub(super) const HEADER: &[Rule] = &[
    ("ERRORE-1", "", "realmCode is there", |d| d.count("realmCode") >= 1),
    ("ERRORE-2", "", "one realmCode with code IT", |d| d.count("realmCode[@code=IT]") == 1),
    ("ERRORE-3", "", "templateId is there", |d| d.count("templateId") >= 1),
    ("ERRORE-4", "", "one templateId 2.16.840.1.113883.2.9.10.1.7.1 with its extension", |d| {
        d.count("templateId[@root=2.16.840.1.113883.2.9.10.1.7.1]") == 1
            && d.count("templateId[@root=2.16.840.1.113883.2.9.10.1.7.1][@extension]") == 1
    }),
    ("ERRORE-5", "", "code 68604-8 of LOINC (2.16.840.1.113883.6.1)", |d| {
        d.count("code[@code=68604-8][@codeSystem=2.16.840.1.113883.6.1]") == 1
    }),
    ("ERRORE-6", "", "confidentialityCode N, R or V of 2.16.840.1.113883.5.25", |d| {
        ["N", "V", "R"].iter().any(|code| {
            let of = d.all("confidentialityCode[@codeSystem=2.16.840.1.113883.5.25]");
            of.into_iter().filter(|c| c.attr("code") == Some(code)).count() == 1
        })
    }),
    ("ERRORE-7", "", "exactly one languageCode", |d| d.count("languageCode") == 1),
    ("ERRORE-8", "", "id differs from setId in all versions but the first", versions),
    ("ERRORE-9", "", "a version over 1 has exactly one relatedDocument", |d| {
        version(d).is_none_or(|version| version <= 1.0 || d.count("relatedDocument") == 1)
    }),
    ("ERRORE-10", "", "exactly one recordTarget", |d| d.count("recordTarget") == 1),
    (
        "ERRORE-10a",
        "",
        "a national or regional patient id, and the PACS' own beside it",
        patient_ids,
    ),
    ("ERRORE-10b", "", "both numbers of a TEAM card or neither", |d| {
        patient_id_count(d, IdentifierKind::TeamCard)
            == patient_id_count(d, IdentifierKind::TeamPersonal)
            || (patient_id_count(d, IdentifierKind::TeamCard) > 1
                && patient_id_count(d, IdentifierKind::TeamPersonal) == 1)
    }),
    ("ERRORE-10c", "", "no regional patient id beside a national one", |d| {
        let national = [
            IdentifierKind::CodiceFiscale,
            IdentifierKind::TeamCard,
            IdentifierKind::TeamPersonal,
            IdentifierKind::Eni,
            IdentifierKind::Ana,
        ];
        national.iter().all(|kind| patient_id_count(d, *kind) == 0)
            || patient_id_count(d, IdentifierKind::Regional) == 0
    }),
    ("ERRORE-11", "", "country, city and streetAddressLine in the patient's addr", |d| {
        addresses(d, "recordTarget/patientRole/addr")
    }),
    ("ERRORE-12", "", "patientRole has a patient", |d| d.count(PATIENT) == 1),
    ("ERRORE-13", "", "the patient has a name", |d| no_patient(d) || patient(d, "name") == 1),
    ("ERRORE-14", "", "the patient's name has given and family", |d| {
        no_patient(d) || (patient(d, "name/given") == 1 && patient(d, "name/family") == 1)
    }),
    ("ERRORE-15", "", "the patient has an administrativeGenderCode", |d| {
        no_patient(d) || patient(d, "administrativeGenderCode") == 1
    }),
    ("ERRORE-16", "", "the gender's codeSystem is 2.16.840.1.113883.5.1", |d| {
        no_patient(d)
            || patient(d, "administrativeGenderCode[@codeSystem=2.16.840.1.113883.5.1]") >= 1
    }),
    ("ERRORE-17", "", "the patient has a birthTime, with nullFlavor UNK where unknown", |d| {
        no_patient(d) || patient(d, "birthTime") == 1
    }),
    ("ERRORE-18", "", "birthplace has place/addr", |d| {
        patient(d, "birthplace") == 0 || patient(d, "birthplace/place/addr") == 1
    }),
    (
        "ERRORE-19",
        "author",
        "the author's id is a codice fiscale (2.16.840.1.113883.2.9.4.3.2)",
        |a| a.count("assignedAuthor/id[@root=2.16.840.1.113883.2.9.4.3.2]") == 1,
    ),
    ("ERRORE-20", "author", "the author has a telecom", |a| a.count("assignedAuthor/telecom") >= 1),
    ("ERRORE-21", "author", "the author's assignedPerson has a name", |a| {
        a.count("assignedAuthor/assignedPerson/name") == 1
    }),
    ("ERRORE-22", "author", "the author's name has given and family", |a| {
        named(a, "assignedAuthor/assignedPerson/name")
    }),
    ("ERRORE-23", "dataEnterer", "dataEnterer has a time", |e| e.count("time") >= 1),
    ("ERRORE-24", "dataEnterer", "dataEnterer's id is a codice fiscale", |e| {
        e.count("assignedEntity/id[@root=2.16.840.1.113883.2.9.4.3.2]") == 1
    }),
    ("ERRORE-25", "dataEnterer", "dataEnterer has assignedPerson/name", |e| {
        e.count("assignedEntity/assignedPerson") == 1
            && e.count("assignedEntity/assignedPerson/name") == 1
    }),
    ("ERRORE-26", "dataEnterer", "dataEnterer's name has given and family", |e| {
        e.count("assignedEntity/assignedPerson/name/family") == 1
            && e.count("assignedEntity/assignedPerson/name/given") == 1
    }),
    ("ERRORE-27", "", "the custodian organisation has a name", |d| {
        d.count("custodian/assignedCustodian/representedCustodianOrganization/name") == 1
    }),
    ("ERRORE-28", "", "country, city and streetAddressLine in the custodian's addr", |d| {
        addresses(d, "custodian/assignedCustodian/representedCustodianOrganization/addr")
    }),
    ("ERRORE-29", "", "exactly one legalAuthenticator", |d| d.count("legalAuthenticator") == 1),
    ("ERRORE-30", "", "legalAuthenticator's signatureCode is S", |d| {
        no_signer(d) || d.count("legalAuthenticator/signatureCode[@code=S]") == 1
    }),
    ("ERRORE-31", "", "legalAuthenticator's id is a codice fiscale", |d| {
        no_signer(d)
            || d.count("legalAuthenticator/assignedEntity/id[@root=2.16.840.1.113883.2.9.4.3.2]")
                == 1
    }),
    ("ERRORE-32", "", "legalAuthenticator's assignedPerson has a name", |d| {
        no_signer(d) || d.count("legalAuthenticator/assignedEntity/assignedPerson/name") == 1
    }),
    ("ERRORE-33", "", "legalAuthenticator's name has given and family", |d| {
        no_signer(d)
            || (d.count("legalAuthenticator/assignedEntity/assignedPerson/name/family") == 1
                && d.count("legalAuthenticator/assignedEntity/assignedPerson/name/given") == 1)
    }),
    ("ERRORE-34", "participant", "a participant's associatedEntity has an id", |p| {
        p.count("associatedEntity/id") >= 1
    }),
    (
        "ERRORE-35",
        "participant",
        "country, city and streetAddressLine in a participant's addr",
        |p| addresses(p, "associatedEntity/addr"),
    ),
    ("ERRORE-36", "participant", "a participant's associatedPerson has a name", |p| {
        p.count("associatedEntity/associatedPerson") == 0
            || p.count("associatedEntity/associatedPerson/name") == 1
    }),
    ("ERRORE-37", "participant", "a participant's name has given and family", |p| {
        p.count("associatedEntity/associatedPerson") == 0
            || (p.count("associatedEntity/associatedPerson/name/family") == 1
                && p.count("associatedEntity/associatedPerson/name/given") == 1)
    }),
    ("ERRORE-38", "", "inFulfillmentOf is there", |d| d.count("inFulfillmentOf") >= 1),
    ("ERRORE-39", "inFulfillmentOf", "priorityCode is of 2.16.840.1.113883.5.7", |o| {
        o.count("order/priorityCode") == 0
            || o.count("order/priorityCode[@codeSystem=2.16.840.1.113883.5.7]") == 1
    }),
    ("ERRORE-39a", "documentationOf", "a performer is of type PRF or SPRF", |d| {
        let performers = d.all("serviceEvent/performer");
        let others = performers.iter().filter(|p| p.attr("typeCode").is_some_and(|t| t != "PPRF"));
        performers.is_empty() || others.count() == 1
    }),
    (
        "ERRORE-40",
        "documentationOf",
        "serviceEvent's code is PROG, DIR, RAD_PROG or RAD_DIR",
        |d| {
            let codes = d.all("serviceEvent/code");
            let of =
                |code: &str| codes.iter().filter(|c| c.attr("code") == Some(code)).count() == 1;
            d.count("serviceEvent") == 0
                || ["PROG", "DIR", "RAD_PROG", "RAD_DIR"].into_iter().any(of)
        },
    ),
    (
        "ERRORE-41",
        "documentationOf",
        "serviceEvent's code is of 2.16.840.1.113883.2.9.5.1.4",
        |d| {
            d.count("serviceEvent") == 0
                || d.count("serviceEvent/code[@codeSystem=2.16.840.1.113883.2.9.5.1.4]") == 1
        },
    ),
    ("ERRORE-42", "", "the encounter's responsible person has a name", |d| {
        d.count(RESPONSIBLE) == 0 || d.count(RESPONSIBLE_NAME) == 1
    }),
    ("ERRORE-43", "", "the encounter's responsible person's name has given and family", |d| {
        let part = |part| d.all(RESPONSIBLE_NAME).iter().map(|n| n.count(part)).sum::<usize>() == 1;
        d.count(RESPONSIBLE) == 0 || (part("given") && part("family"))
    }),
    ("ERRORE-44", "", "the encounter's serviceProviderOrganization has an id", |d| {
        let provider = "componentOf/encompassingEncounter/location/healthCareFacility/serviceProviderOrganization";
        let providers = d.all(provider);
        providers.is_empty() || providers.iter().map(|p| p.count("id")).sum::<usize>() == 1
    }),
    ("ERRORE-45", "//telecom", "telecom has its use", |t| t.attr("use").is_some()),
    ("ERRORE-45a", "//*Organization", "an organisation's telecom is nobody's home", |o| {
        !o.all("telecom").iter().any(|telecom| is_home(*telecom))
    }),
    ("ERRORE-46", "//id", "a codice fiscale is 16 capital letters and digits", |id| {
        let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        id.attr("root") != Some("2.16.840.1.113883.2.9.4.3.2")
            || id
                .attr("extension")
                .is_some_and(|code| code.len() == 16 && code.bytes().all(capital))
    }),
    ("ERRORE-47", "//observation", "an observation's classCode is OBS or DGIMG", |o| {
        o.attr("classCode").is_none_or(|class| class == "OBS" || class == "DGIMG")
    }),
    ("ERRORE-48", "//observation", "an observation's moodCode is EVN", |o| {
        o.attr("moodCode") == Some("EVN")
    }),
    ("ERRORE-49", "//act", "an act's moodCode is EVN", |a| a.attr("moodCode") == Some("EVN")),
    ("ERRORE-50", "//act", "an act's classCode is ACT", |a| a.attr("classCode") == Some("ACT")),
    ("ERRORE-51", "//name", "an organisation's name has no delimiter, prefix or suffix", |name| {
        !of_organization(name)
            || ["delimiter", "prefix", "suffix"].iter().all(|part| name.count(part) == 0)
    }),
    ("ERRORE-52", "//name", "a person's name has no delimiter", |name| {
        of_organization(name) || name.count("delimiter") == 0
    }),
    ("ERRORE-53", "//effectiveTime", "a time's high is not before its low", |time| {
        match (time.value("low", "value"), time.value("high", "value")) {
            (Some(low), Some(high)) => high >= low,
            _ => true,
        }
    }),
    ("ERRORE-54", "//*Organization", "an organisation's addr is nobody's home", |o| {
        !o.all("addr").iter().any(|addr| is_home(*addr))
    }),
];

const PATIENT: &str = "recordTarget/patientRole/patient";
const RESPONSIBLE: &str =
    "componentOf/encompassingEncounter/responsibleParty/assignedEntity/assignedPerson";
const RESPONSIBLE_NAME: &str =
    "componentOf/encompassingEncounter/responsibleParty/assignedEntity/assignedPerson/name";

fn version(d: Element<'_>) -> Option<f64> {
    d.value("versionNumber", "value")?.trim().parse().ok()
}

fn versions(d: Element<'_>) -> bool {
    let Some(version) = version(d) else { return true };
    let (Some(id), Some(set)) = (d.first("id"), d.first("setId")) else {
        return (version - 1.0).abs() < f64::EPSILON && d.count("setId") == 0;
    };
    if id.attr("root") != set.attr("root") {
        return id.attr("root").is_some() && set.attr("root").is_some();
    }
    let same = id.attr("extension") == set.attr("extension");
    if (version - 1.0).abs() < f64::EPSILON { same } else { !same }
}

/// Patient ids of a kind.
fn patient_id_count(d: Element<'_>, kind: IdentifierKind) -> usize {
    let ids = d.all("recordTarget/patientRole/id[@root]");
    let kinds = ids.iter().filter_map(|id| id.attr("root")).map(IdentifierKind::of_assigner);
    kinds.filter(|of| *of == kind).count()
}

fn patient_ids(d: Element<'_>) -> bool {
    let ids = d.all("recordTarget/patientRole/id");
    let usable = ids
        .iter()
        .filter(|id| id.attr("root").is_some() || id.attr("nullFlavor").is_some())
        .count();
    let with = |kind, least| patient_id_count(d, kind) == 1 && usable >= least;
    let regional = {
        // One id of one regional root is enough, whatever other regions gave.
        let mut roots: Vec<&str> = ids
            .iter()
            .filter_map(|id| id.attr("root"))
            .filter(|root| IdentifierKind::of_assigner(root) == IdentifierKind::Regional)
            .collect();
        roots.sort_unstable();
        roots.chunk_by(|a, b| a == b).any(|same| same.len() == 1)
    };
    with(IdentifierKind::CodiceFiscale, 2)
        || with(IdentifierKind::TeamCard, 3)
        || with(IdentifierKind::TeamPersonal, 1)
        || with(IdentifierKind::Eni, 2)
        || with(IdentifierKind::Stp, 2)
        || with(IdentifierKind::Ana, 2)
        || regional
}

fn patient(d: Element<'_>, path: &str) -> usize {
    d.all(PATIENT).iter().map(|patient| patient.count(path)).sum()
}

fn no_patient(d: Element<'_>) -> bool {
    d.count(PATIENT) == 0
}

fn no_signer(d: Element<'_>) -> bool {
    d.count("legalAuthenticator") == 0
}

fn named(of: Element<'_>, path: &str) -> bool {
    let names = of.all(path);
    let one = |part| names.iter().map(|name| name.count(part)).sum::<usize>() == 1;
    names.is_empty() || (one("given") && one("family"))
}

fn addresses(of: Element<'_>, path: &str) -> bool {
    let all = of.all(path);
    let parts = |part| all.iter().map(|addr| addr.count(part)).sum::<usize>() == all.len();
    parts("country") && parts("city") && parts("streetAddressLine")
}

fn is_home(element: Element<'_>) -> bool {
    matches!(element.attr("use"), Some("H" | "HP" | "HV"))
}

fn of_organization(name: Element<'_>) -> bool {
    let around = name.parent().map(Element::name).unwrap_or_default();
    around.contains("Organization") || around == "location"
}
