//! Parameters of a search as the fascicolo's conditions.

use std::fmt::Display;

use crate::documents::manifest::body_parts;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::search::NO_WORDS;
use crate::fascicolo::search::asked;
use crate::fhir::asked::Asked;
use crate::fhir::dates::days;
use crate::fhir::dates::micros;
use crate::fhir::document::HASH;
use crate::fhir::door::Consultation;
use crate::fhir::fixed::WADO_RS;
use crate::fhir::kind::Kind;
use crate::fhir::manifest::MANIFEST;
use crate::fhir::outcome::Refusal;
use crate::fhir::tokens::Token;
use crate::fhir::tokens::id_in;
use crate::fhir::tokens::typed;
use crate::fhir::tokens::uid;
use crate::fhir::tokens::values;
use crate::fhir::values::DCM;
use crate::fhir::values::LOINC;
use crate::fhir::values::REPORT_EU;
use crate::fhir::values::SERVICE;
use crate::fhir::values::SNOMED;
use crate::fhir::values::assigner_in;
use crate::fhir::values::joined;
use crate::index::pages::DocumentRule;
use crate::index::pages::LinkRule;
use crate::index::pages::NameAsked;
use crate::index::pages::NamePart;
use crate::index::pages::Number;
use crate::index::pages::Page;
use crate::index::pages::PersonRule;
use crate::index::pages::StudyRule;
use crate::model::document::REPORT_TYPES;
use crate::model::document::ReferenceKind;
use crate::model::ids;
use crate::people::identifier::Identifier;

/// Studies, or documents, of one id or number that are looked at.
const MOST: u32 = 1000;

/// One parameter with its values.
pub(in crate::fhir) struct Given {
    pub(in crate::fhir) name: &'static str,
    pub(in crate::fhir) values: Vec<String>,
}

impl Given {
    pub(in crate::fhir) fn tokens(&self) -> Vec<Token> {
        self.values.iter().map(|value| Token::parse(value)).collect()
    }

    /// The codes of the tokens that are of a system, or of any.
    pub(in crate::fhir) fn codes(&self, system: &str) -> Vec<String> {
        let own = self.tokens().into_iter().filter(|token| token.is_of(system));
        own.map(|token| token.code).filter(|code| !code.is_empty()).collect()
    }

    pub(in crate::fhir) fn each<T, E: Display>(
        &self,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, Refusal> {
        let one = |value: &String| {
            read(value).map_err(|says| Refusal::parameter(self.name, says.to_string()))
        };
        self.values.iter().map(one).collect()
    }

    /// Rows of people, by references.
    fn people(&self) -> Vec<i64> {
        let ids = self.values.iter().filter_map(|value| id_in(value, Kind::Patient));
        ids.filter_map(ids::person).collect()
    }

    pub(in crate::fhir) fn uids(&self) -> Vec<String> {
        self.values.iter().filter_map(|value| uid(value)).collect()
    }

    pub(in crate::fhir) fn numbers(&self, kinds: &[ReferenceKind]) -> Vec<Number> {
        let one = |token: Token| Number {
            kinds: kinds.to_vec(),
            assigner: token.system.map(|system| assigner_in(&system)),
            value: token.code,
        };
        self.tokens().into_iter().map(one).collect()
    }

    pub(in crate::fhir) fn has(&self, code: &str) -> bool {
        self.tokens().iter().any(|token| token.code == code)
    }

    /// Body Parts Examined, as they are written or by their SNOMED CT code.
    pub(in crate::fhir) fn body_parts(&self) -> Vec<String> {
        let coded = self.codes(SNOMED).into_iter();
        let coded = coded.flat_map(|code| body_parts(&code).collect::<Vec<_>>());
        let coded: Vec<String> = coded.map(str::to_owned).collect();
        upper(self.codes("")).into_iter().chain(coded).collect()
    }

    /// Ids of studies, by references.
    pub(in crate::fhir) fn study_ids(&self) -> Vec<&str> {
        self.values.iter().filter_map(|value| id_in(value, Kind::ImagingStudy)).collect()
    }
}

/// What only an accession number is.
pub(in crate::fhir) const ACCESSION: [ReferenceKind; 1] = [ReferenceKind::Accession];
const ORDERS: [ReferenceKind; 2] = [ReferenceKind::Accession, ReferenceKind::Order];
const STUDY: [ReferenceKind; 1] = [ReferenceKind::Study];

impl Consultation {
    /// Rows of the people identifiers are of.
    async fn identified(&self, given: &Given) -> Result<Vec<i64>, Refusal> {
        let mut rows = Vec::new();
        for token in given.tokens() {
            let system = token.system.as_deref().unwrap_or_default();
            let assigner = self.fascicolo.issuer_of(&assigner_in(system));
            let Some(identifier) = Identifier::read(&token.code, &assigner) else { continue };
            rows.extend(self.fascicolo.person_of(&self.permit, &identifier).await?);
        }
        Ok(rows)
    }

    /// The people a parameter names, when it names people.
    pub(in crate::fhir) async fn people_of(
        &self,
        given: &Given,
    ) -> Result<Option<Vec<i64>>, Refusal> {
        Ok(match given.name {
            "patient" | "subject" => Some(given.people()),
            "patient.identifier" | "subject.identifier" => Some(self.identified(given).await?),
            _ => None,
        })
    }

    /// Numbers with their issuers as they are kept.
    pub(in crate::fhir) fn kept(&self, numbers: Vec<Number>) -> Vec<Number> {
        let kept = |number: Number| Number {
            assigner: number.assigner.map(|assigner| self.fascicolo.issuer_of(&assigner)),
            ..number
        };
        numbers.into_iter().map(kept).collect()
    }

    /// Rows of studies by their ids.
    pub async fn study_rows(&self, ids: &[&str]) -> Result<Vec<i64>, FascicoloError> {
        let uids: Vec<String> = ids.iter().filter_map(|id| ids::study(id)).collect();
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let page = Page { limit: MOST, ..Page::default() };
        let rules = [StudyRule::Uid(uids)];
        let found = self.fascicolo.studies_page(&self.permit, &rules, &page).await?;
        let named = found
            .iter()
            .filter(|study| ids.contains(&ids::of_study(&study.uid, &study.patient).as_str()));
        Ok(named.map(|study| study.row).collect())
    }

    /// Rows of documents by their ids; of reports by theirs, all versions of each.
    async fn document_rows(&self, kind: Kind, ids: &[&str]) -> Result<Vec<i64>, FascicoloError> {
        let hashes: Vec<[u8; 32]> = ids.iter().filter_map(|id| ids::document(id)).collect();
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        let page = Page { limit: MOST, ..Page::default() };
        let one = [DocumentRule::Hash(hashes.clone())];
        let mut found = self.fascicolo.documents_page(&self.permit, &one, &page).await?;
        if kind == Kind::DiagnosticReport {
            found.retain(|found| {
                hashes.contains(&found.first) && found.first == found.document.sha256
            });
            let mut sets: Vec<String> =
                found.iter().map(|found| found.document.set_id.clone()).collect();
            sets.retain(|set| !set.is_empty());
            if !sets.is_empty() {
                let of_sets = [DocumentRule::Set(sets)];
                let all = self.fascicolo.documents_page(&self.permit, &of_sets, &page).await?;
                found.extend(all);
            }
        }
        Ok(found.iter().map(|found| found.document.id).collect())
    }

    /// Conditions on people.
    pub async fn person_rules(&self, asked: &Asked) -> Result<Vec<PersonRule>, Refusal> {
        let mut rules = Vec::new();
        for given in given(asked)? {
            rules.push(match given.name {
                "_id" => PersonRule::Row(given.people()),
                "identifier" => PersonRule::Row(self.identified(&given).await?),
                "birthdate" => PersonRule::Born(given.each(days)?),
                name if is_name(name) => PersonRule::Named(names(&given)),
                "gender" => PersonRule::Sex(sexes(&given)),
                _ => PersonRule::Changed(given.each(micros)?),
            });
        }
        Ok(rules)
    }

    /// Conditions on studies.
    pub async fn study_rules(&self, asked: &Asked) -> Result<Vec<StudyRule>, Refusal> {
        let mut rules = Vec::new();
        for given in given(asked)? {
            if let Some(people) = self.people_of(&given).await? {
                rules.push(StudyRule::Person(people));
                continue;
            }
            let none = StudyRule::Row(Vec::new());
            rules.push(match given.name {
                "_id" => {
                    let ids: Vec<&str> = given.values.iter().map(String::as_str).collect();
                    StudyRule::Row(self.study_rows(&ids).await?)
                }
                "identifier" => self.study_identifiers(&given),
                "started" => StudyRule::Started(given.each(days)?),
                "modality" => StudyRule::Modality(upper(given.codes(DCM))),
                "bodysite" => StudyRule::BodyPart(given.body_parts()),
                "accession-number" => StudyRule::Number(self.kept(given.numbers(&ACCESSION))),
                "basedon:identifier" => StudyRule::Number(self.kept(given.numbers(&ORDERS))),
                "series" => StudyRule::Series(given.uids()),
                "instance" => StudyRule::Instance(given.uids()),
                "status" if given.has("available") => continue,
                "endpoint"
                    if given.values.iter().any(|id| id_in(id, Kind::Endpoint) == Some(WADO_RS)) =>
                {
                    continue;
                }
                "_lastUpdated" => StudyRule::Changed(given.each(micros)?),
                _ => none,
            });
        }
        Ok(rules)
    }

    /// A study by its UID, or by an accession number with its issuer.
    fn study_identifiers(&self, given: &Given) -> StudyRule {
        let uids = given.uids().into_iter().map(|value| Number {
            kinds: if value.contains('.') { STUDY.to_vec() } else { ACCESSION.to_vec() },
            assigner: None,
            value,
        });
        let others: Vec<String> =
            given.values.iter().filter(|value| uid(value).is_none()).cloned().collect();
        let others = Given { name: given.name, values: others };
        StudyRule::Number(uids.chain(self.kept(others.numbers(&ACCESSION))).collect())
    }

    /// Conditions on documents, of reports those that are in force.
    pub async fn document_rules(&self, asked: &Asked) -> Result<Vec<DocumentRule>, Refusal> {
        let mut rules = Vec::new();
        for given in given(asked)? {
            if let Some(people) = self.people_of(&given).await? {
                rules.push(DocumentRule::Person(people));
                continue;
            }
            if let Some(rule) = self.document_rule(asked.kind, &given).await? {
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    /// `None`: all meet it.
    async fn document_rule(
        &self,
        kind: Kind,
        given: &Given,
    ) -> Result<Option<DocumentRule>, Refusal> {
        let is_report = kind == Kind::DiagnosticReport;
        let report = || DocumentRule::Report(REPORT_TYPES.map(str::to_owned).to_vec());
        let none = DocumentRule::Row(Vec::new());
        Ok(Some(match given.name {
            "_id" => {
                let ids: Vec<&str> = given.values.iter().map(String::as_str).collect();
                DocumentRule::Row(self.document_rows(kind, &ids).await?)
            }
            "identifier" => own(given)?,
            "code" | "type" => {
                let mut codes = given.codes(LOINC);
                // Of this type are manifests, which are no documents that came.
                codes.retain(|code| is_report || code != MANIFEST);
                if codes.is_empty() {
                    return Ok(Some(none));
                }
                if codes.iter().any(|code| code == REPORT_EU) {
                    report()
                } else {
                    DocumentRule::Type(codes)
                }
            }
            "category" if given.codes(SERVICE).iter().any(|code| code == "RAD") => report(),
            "date" if is_report => DocumentRule::Date(given.each(days)?),
            "date" => DocumentRule::Received(given.each(micros)?),
            "period" => DocumentRule::Date(given.each(days)?),
            "contenttype" => {
                let tokens = given.tokens().into_iter();
                DocumentRule::Media(tokens.map(|token| token.code).collect())
            }
            "imaging-study" | "related" => {
                DocumentRule::Study(self.study_rows(&given.study_ids()).await?)
            }
            "study-instance-uid" => {
                let uids = given.uids().into_iter();
                let number = |value| Number { kinds: STUDY.to_vec(), assigner: None, value };
                DocumentRule::Number(uids.map(number).collect())
            }
            "accession-number" => DocumentRule::Number(self.kept(given.numbers(&ACCESSION))),
            "based-on:identifier" => DocumentRule::Number(self.kept(given.numbers(&ORDERS))),
            "modality" => DocumentRule::Modality(upper(given.codes(DCM))),
            "bodysite" | "anatomical-region" => DocumentRule::BodyPart(given.body_parts()),
            "_content" => DocumentRule::Words(given.each(|text| {
                let words = asked(text);
                if words.is_empty() { Err(NO_WORDS) } else { Ok(words) }
            })?),
            "status" => return Ok(status(is_report, given)),
            "_lastUpdated" => DocumentRule::Changed(given.each(micros)?),
            _ => none,
        }))
    }

    /// Conditions on links.
    pub async fn link_rules(&self, asked: &Asked) -> Result<Vec<LinkRule>, Refusal> {
        let mut rules = Vec::new();
        for given in given(asked)? {
            if let Some(people) = self.people_of(&given).await? {
                rules.push(LinkRule::Person(people));
                continue;
            }
            rules.push(match given.name {
                "_id" => {
                    LinkRule::Row(given.values.iter().filter_map(|id| ids::link(id)).collect())
                }
                "target" => self.link_target(&given).await?,
                _ => LinkRule::Made(given.each(micros)?),
            });
        }
        Ok(rules)
    }

    async fn link_target(&self, given: &Given) -> Result<LinkRule, Refusal> {
        let says = "one reference, with its type before the id, such as ImagingStudy/id";
        let [value] = given.values.as_slice() else {
            return Err(Refusal::parameter("target", says));
        };
        let (kind, id) = typed(value).ok_or_else(|| Refusal::parameter("target", says))?;
        Ok(match kind {
            Kind::ImagingStudy => LinkRule::Study(self.study_rows(&[id]).await?),
            Kind::DiagnosticReport | Kind::DocumentReference => {
                LinkRule::Document(self.document_rows(kind, &[id]).await?)
            }
            _ => LinkRule::Row(Vec::new()),
        })
    }
}

/// Whether a parameter asks for a name or a part of one.
fn is_name(name: &str) -> bool {
    matches!(name.strip_suffix(":exact").unwrap_or(name), "name" | "family" | "given")
}

/// Strings are how something begins, without regard to case and accents (FHIR R4 §3.1.1.4.8).
fn names(given: &Given) -> Vec<NameAsked> {
    let exact = given.name.ends_with(":exact");
    let part = match given.name.strip_suffix(":exact").unwrap_or(given.name) {
        "family" => Some(NamePart::Family),
        "given" => Some(NamePart::Given),
        _ => None,
    };
    let one = |text: &String| NameAsked { part, text: text.trim().to_owned(), exact };
    given.values.iter().map(one).filter(|asked| !asked.text.is_empty()).collect()
}

/// The parameters of a search, their values divided.
pub(in crate::fhir) fn given(asked: &Asked) -> Result<Vec<Given>, Refusal> {
    let one = |(param, value): &(crate::fhir::kind::Param, String)| {
        let values = values(value).map_err(|says| Refusal::parameter(param.name, says))?;
        Ok(Given { name: param.name, values })
    };
    asked.wanted.iter().map(one).collect()
}

/// Documents by their own identifiers: whoever gave them must be said.
fn own(given: &Given) -> Result<DocumentRule, Refusal> {
    let mut ids = Vec::new();
    let mut hashes = Vec::new();
    for token in given.tokens() {
        match token.system.as_deref() {
            Some(HASH) => hashes.extend(ids::document(&token.code)),
            Some(system) if !system.is_empty() => ids.push(joined(system, &token.code)),
            _ => return Err(Refusal::parameter("identifier", "write it as system|value")),
        }
    }
    Ok(if ids.is_empty() { DocumentRule::Hash(hashes) } else { DocumentRule::Own(ids) })
}

fn status(is_report: bool, given: &Given) -> Option<DocumentRule> {
    let (one, other) = if is_report { ("final", "amended") } else { ("current", "superseded") };
    match (given.has(one), given.has(other)) {
        (true, true) => None,
        (false, false) => Some(DocumentRule::Row(Vec::new())),
        (first, _) if is_report => Some(DocumentRule::Amended(!first)),
        (first, _) => Some(DocumentRule::Current(first)),
    }
}

/// Sexes as DICOM and HL7 write them.
fn sexes(given: &Given) -> Vec<String> {
    let of = |code: String| -> &[&str] {
        match code.as_str() {
            "male" => &["M"],
            "female" => &["F"],
            "other" => &["O", "A"],
            "unknown" => &["", "U", "UN", "N"],
            _ => &[],
        }
    };
    let codes = given.codes("http://hl7.org/fhir/administrative-gender");
    codes.into_iter().flat_map(of).map(|sex| (*sex).to_owned()).collect()
}

/// Codes as DICOM writes them.
pub(in crate::fhir) fn upper(codes: Vec<String>) -> Vec<String> {
    codes.into_iter().map(|code| code.to_uppercase()).collect()
}
