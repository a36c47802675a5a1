//! What is served: a table. Searches are read by it, and the CapabilityStatement is drawn from it.

/// A type of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A person.
    Patient,
    /// A study.
    ImagingStudy,
    /// A report, of all its versions the one in force.
    DiagnosticReport,
    /// A document, each version its own; or a study's manifest, in either form.
    DocumentReference,
    /// The bytes of a document or manifest.
    Binary,
    /// A manifest as a FHIR document.
    Bundle,
    /// Where studies are fetched.
    Endpoint,
    /// An organisation that feeds the archive, or an issuer of numbers.
    Organization,
    /// A link with its evidence.
    Provenance,
    /// Who is told of what.
    Subscription,
    /// Who asked for what.
    AuditEvent,
}

/// A parameter of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// As it is written, with its modifier or chain.
    pub name: &'static str,
    /// Its type (FHIR R4 `SearchParamType`).
    pub kind: &'static str,
    /// What it asks.
    pub says: &'static str,
}

const fn param(name: &'static str, kind: &'static str, says: &'static str) -> Param {
    Param { name, kind, says }
}

/// Ids, of every type.
pub const ID: Param = param("_id", "token", "Ids, with commas between");
const CHANGED: Param =
    param("_lastUpdated", "date", "When it last changed; prefixes eq gt ge lt le");
const CONTENT: Param = param(
    "_content",
    "string",
    "Holds all these words, in any order, without regard to case and accents; opac* is any that begins so",
);
const PATIENT: Param = param("patient", "reference", "The person, by id");
const SUBJECT: Param = param("subject", "reference", "The person, by id");
const OF: Param = param("patient.identifier", "token", "The person, by system|value");
const OF_SUBJECT: Param = param("subject.identifier", "token", "The person, by system|value");
const STATUS: Param = param("status", "token", "Status");

impl Kind {
    /// All types.
    pub const ALL: [Self; 11] = [
        Self::Patient,
        Self::ImagingStudy,
        Self::DiagnosticReport,
        Self::DocumentReference,
        Self::Binary,
        Self::Bundle,
        Self::Endpoint,
        Self::Organization,
        Self::Provenance,
        Self::Subscription,
        Self::AuditEvent,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::ImagingStudy => "ImagingStudy",
            Self::DiagnosticReport => "DiagnosticReport",
            Self::DocumentReference => "DocumentReference",
            Self::Binary => "Binary",
            Self::Bundle => "Bundle",
            Self::Endpoint => "Endpoint",
            Self::Organization => "Organization",
            Self::Provenance => "Provenance",
            Self::Subscription => "Subscription",
            Self::AuditEvent => "AuditEvent",
        }
    }

    /// The type of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it can be searched by, beside what every search takes.
    pub fn params(self) -> &'static [Param] {
        match self {
            Self::Patient => PATIENTS,
            Self::ImagingStudy => STUDIES,
            Self::DiagnosticReport => REPORTS,
            Self::DocumentReference => DOCUMENTS,
            Self::Provenance => PROVENANCES,
            Self::Subscription => SUBSCRIPTIONS,
            Self::AuditEvent => AUDIT_EVENTS,
            Self::Endpoint => ENDPOINTS,
            Self::Organization => ORGANIZATIONS,
            Self::Binary | Self::Bundle => &[],
        }
    }

    /// What its searches may be sorted by, as `_sort` names it.
    pub fn sorts(self) -> &'static [&'static str] {
        match self {
            Self::Patient => &["_id", "_lastUpdated"],
            Self::ImagingStudy => &["_id", "_lastUpdated", "started"],
            Self::DiagnosticReport => &["_id", "_lastUpdated", "date"],
            Self::DocumentReference => &["_id", "_lastUpdated", "period"],
            Self::Provenance | Self::Endpoint | Self::Organization | Self::Subscription => &["_id"],
            Self::AuditEvent => &["_id", "date"],
            Self::Binary | Self::Bundle => &[],
        }
    }

    /// What its searches may include.
    pub fn includes(self) -> &'static [&'static str] {
        match self {
            Self::ImagingStudy => {
                &["ImagingStudy:endpoint", "ImagingStudy:patient", "ImagingStudy:subject"]
            }
            Self::DiagnosticReport => &[
                "DiagnosticReport:imaging-study",
                "DiagnosticReport:patient",
                "DiagnosticReport:subject",
            ],
            Self::DocumentReference => &[
                "DocumentReference:patient",
                "DocumentReference:related",
                "DocumentReference:subject",
            ],
            Self::Provenance => &["Provenance:target"],
            Self::Patient
            | Self::Binary
            | Self::Bundle
            | Self::Endpoint
            | Self::Organization
            | Self::Subscription
            | Self::AuditEvent => &[],
        }
    }

    /// What points at its answers and may be included.
    pub fn rev_includes(self) -> &'static [&'static str] {
        match self {
            Self::ImagingStudy => &[
                "DiagnosticReport:imaging-study",
                "DocumentReference:related",
                "Provenance:target",
            ],
            Self::DiagnosticReport | Self::DocumentReference => &["Provenance:target"],
            _ => &[],
        }
    }

    /// Whether it can be searched.
    pub fn is_searched(self) -> bool {
        !matches!(self, Self::Binary | Self::Bundle)
    }

    /// Whether its answers are counted when nobody asks: what only grows is not.
    pub fn is_counted(self) -> bool {
        self != Self::AuditEvent
    }

    /// Whether it is made and deleted by itself.
    pub fn is_made(self) -> bool {
        self == Self::Subscription
    }

    /// Whether subscribers are told of it.
    pub fn is_followed(self) -> bool {
        matches!(
            self,
            Self::Patient | Self::ImagingStudy | Self::DiagnosticReport | Self::DocumentReference
        )
    }

    /// Whether its versions are kept.
    pub fn has_history(self) -> bool {
        self == Self::DiagnosticReport
    }
}

/// What every search takes.
pub const COMMON: &[&str] = &[
    "_count",
    "_cursor",
    "_format",
    "_include",
    "_pretty",
    "_revinclude",
    "_sort",
    "_summary",
    "_total",
];

const PATIENTS: &[Param] = &[
    ID,
    CHANGED,
    param(
        "identifier",
        "token",
        "system|value; systems are urn:oid: and the older http://hl7.it/sid/",
    ),
    param("name", "string", "A part of the name begins so; :exact"),
    param("name:exact", "string", "A part of the name is just so"),
    param("family", "string", "The family name begins so; :exact"),
    param("family:exact", "string", "The family name is just so"),
    param("given", "string", "A given name begins so; :exact"),
    param("given:exact", "string", "A given name is just so"),
    param("birthdate", "date", "Date of birth; prefixes eq gt ge lt le"),
    param("gender", "token", "male, female, other, unknown"),
];

const STUDIES: &[Param] = &[
    ID,
    CHANGED,
    param(
        "identifier",
        "token",
        "Study Instance UID, as urn:dicom:uid|urn:oid:UID, urn:oid:UID or UID; or the accession \
         number, as system|number",
    ),
    PATIENT,
    SUBJECT,
    OF,
    OF_SUBJECT,
    param("started", "date", "When the study began; prefixes eq gt ge lt le"),
    param("modality", "token", "A series has this modality"),
    param(
        "bodysite",
        "token",
        "A series has this Body Part Examined (0018,0015), or SNOMED CT code of one",
    ),
    param("accession-number", "token", "Accession number, system|number or number"),
    param("basedon:identifier", "token", "Accession or order number, system|number or number"),
    param("series", "uri", "Has the series of this UID"),
    param("instance", "uri", "Has the instance of this UID"),
    param("endpoint", "reference", "Where it is fetched"),
    STATUS,
];

const REPORTS: &[Param] = &[
    ID,
    CHANGED,
    param("identifier", "token", "The report's or its set's identifier, system|value"),
    PATIENT,
    SUBJECT,
    OF,
    OF_SUBJECT,
    CONTENT,
    param("code", "token", "68604-8 or 85430-7 of http://loinc.org"),
    param("category", "token", "RAD of http://terminology.hl7.org/CodeSystem/v2-0074"),
    param("date", "date", "Date of the examination; prefixes eq gt ge lt le"),
    param("imaging-study", "reference", "Of this ImagingStudy, by id"),
    param("based-on:identifier", "token", "Accession or order number, system|number or number"),
    param("study-instance-uid", "token", "Study Instance UID"),
    STATUS,
];

const DOCUMENTS: &[Param] = &[
    ID,
    CHANGED,
    param(
        "identifier",
        "token",
        "The document's, its set's or the manifest's identifier, system|value",
    ),
    PATIENT,
    SUBJECT,
    OF,
    OF_SUBJECT,
    CONTENT,
    param(
        "type",
        "token",
        "Type of document, LOINC; 18748-4: manifests of studies, and only these",
    ),
    param(
        "category",
        "token",
        "Reports: RAD of http://terminology.hl7.org/CodeSystem/v2-0074. Manifests: Medical-Imaging of \
         http://hl7.eu/fhir/eu-health-data-api/CodeSystem/eehrxf-document-priority-category-cs",
    ),
    param("period", "date", "Date of the service; prefixes eq gt ge lt le"),
    param("date", "date", "When it came, or the study last changed; prefixes eq gt ge lt le"),
    param("contenttype", "token", "Media type"),
    param("related", "reference", "Of this ImagingStudy, by id"),
    param("study-instance-uid", "token", "Study Instance UID (IHE MADO)"),
    param("accession-number", "token", "Accession number, system|number or number (IHE MADO)"),
    param("modality", "token", "Of a study with this modality (IHE MADO)"),
    param(
        "bodysite",
        "token",
        "Of a study with this Body Part Examined, or SNOMED CT code of one (IHE MADO)",
    ),
    param("anatomical-region", "token", "The same as bodysite (IHE MADO)"),
    STATUS,
];

const PROVENANCES: &[Param] = &[
    ID,
    PATIENT,
    OF,
    param("target", "reference", "An ImagingStudy, DiagnosticReport or DocumentReference, by id"),
    param("recorded", "date", "When the link was made; prefixes eq gt ge lt le"),
];

const SUBSCRIPTIONS: &[Param] = &[
    ID,
    STATUS,
    param("criteria", "string", "What is looked for begins so"),
    param("type", "token", "rest-hook"),
    param("url", "uri", "Where the subscriber is told"),
];

const AUDIT_EVENTS: &[Param] = &[
    ID,
    param("_lastUpdated", "date", "The same as date"),
    param("patient", "reference", "Whose data was given or asked for, by id"),
    param("patient.identifier", "token", "Whose data was given or asked for, by system|value"),
    param("date", "date", "When it was recorded; prefixes eq gt ge lt le"),
    param("entity", "reference", "What was asked for, with its type, such as ImagingStudy/id"),
    param("action", "token", "C, R, U, D, E"),
    param("type", "token", "rest"),
    param("subtype", "token", "The interaction, as read or search-type; search is any search"),
    param("outcome", "token", "0 success, 4 the request was refused, 8 it could not be answered"),
    param("address", "string", "The client's address begins so"),
];

const ENDPOINTS: &[Param] = &[ID, STATUS, param("connection-type", "token", "Kind of endpoint")];

const ORGANIZATIONS: &[Param] = &[
    ID,
    param("identifier", "token", "An OID of its own or that it issues numbers under, system|value"),
];

#[cfg(test)]
mod tests {
    use super::{COMMON, Kind};

    #[test]
    fn every_name_leads_back_and_no_parameter_stands_twice() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
            let mut names: Vec<&str> = kind.params().iter().map(|param| param.name).collect();
            names.extend(COMMON);
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{kind:?}");
        }
        assert_eq!(Kind::parse("Observation"), None);
    }
}
