//! The facts of a CDA document: what it is, of whom, by whom, about which images.

use std::fmt;

use crate::hl7::cda::catalogue;
use crate::hl7::cda::catalogue::CatalogueStudy;
use crate::hl7::cda::narrative;
use crate::hl7::cda::xml::Document;
use crate::hl7::cda::xml::Element;
use crate::hl7::cda::xml::XmlError;
use crate::people::identifier::Identifier;

/// An HL7 instance identifier.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct InstanceId {
    /// OID or UUID of who assigns.
    pub root: String,
    /// The identifier under it; empty where the root alone identifies.
    pub extension: String,
    /// Name of who assigns, for people.
    pub assigner: String,
}

/// What a CDA document says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClinicalDocument {
    /// `id`: this version.
    pub id: InstanceId,
    /// `setId`: common to all versions.
    pub set_id: Option<InstanceId>,
    /// `versionNumber`.
    pub version: Option<u32>,
    /// Documents this one replaces (`relatedDocument` of type RPLC).
    pub replaces: Vec<InstanceId>,
    /// Roots of `templateId`.
    pub templates: Vec<String>,
    /// `code`, and its display name.
    pub code: Code,
    /// `title`.
    pub title: String,
    /// `effectiveTime` as written.
    pub effective_time: String,
    /// `confidentialityCode`.
    pub confidentiality: String,
    /// `languageCode`.
    pub language: String,
    /// Whom it is about.
    pub patient: DocumentPatient,
    /// Authors' names.
    pub authors: Vec<String>,
    /// Who keeps the document.
    pub custodian: Organization,
    /// Orders it fulfils.
    pub orders: Vec<InstanceId>,
    /// When the service began, as written.
    pub service_time: String,
    /// Studies named in the catalogue of DICOM objects.
    pub studies: Vec<CatalogueStudy>,
    /// Sections in order, subsections after theirs.
    pub sections: Vec<Section>,
}

/// A code of a code system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Code {
    /// The code.
    pub code: String,
    /// OID of its system.
    pub system: String,
    /// For people.
    pub display: String,
}

/// The patient as the document has them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DocumentPatient {
    /// Identifiers as written.
    pub ids: Vec<InstanceId>,
    /// Family names.
    pub family: String,
    /// Given names.
    pub given: String,
    /// `M`, `F`, `UN`.
    pub sex: String,
    /// `YYYYMMDD`, cut where the document cut it.
    pub birth_date: String,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Organization {
    /// Its identifier.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
}

/// A section with its narrative as plain text.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// Its code.
    pub code: String,
    /// Its title.
    pub title: String,
    /// Its narrative.
    pub text: String,
}

/// Why a text is no CDA document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CdaError {
    /// The XML was not read.
    #[error("{0}")]
    Xml(#[from] XmlError),
    /// Its outermost element is not HL7's `ClinicalDocument`.
    #[error("not a CDA document: the outermost element is no ClinicalDocument of urn:hl7-org:v3")]
    OtherRoot,
}

impl ClinicalDocument {
    /// Reads the facts of a document.
    pub fn parse(bytes: &[u8]) -> Result<Self, CdaError> {
        let document = Document::parse(bytes)?;
        Self::of(&document)
    }

    /// The facts of a document that was read.
    pub fn of(document: &Document) -> Result<Self, CdaError> {
        let root = document.root();
        if root.name() != "ClinicalDocument" || !root.is_hl7() {
            return Err(CdaError::OtherRoot);
        }
        let code = root.first("code");
        let attr = |path: &str, name: &str| root.value(path, name).unwrap_or_default().to_owned();
        Ok(Self {
            id: root.first("id").map(instance_id).unwrap_or_default(),
            set_id: root.first("setId").map(instance_id).filter(InstanceId::is_known),
            version: root.value("versionNumber", "value").and_then(|v| v.trim().parse().ok()),
            replaces: ids(&root.all("relatedDocument[@typeCode=RPLC]/parentDocument/id")),
            templates: roots(&root.all("templateId[@root]")),
            code: code.map(code_of).unwrap_or_default(),
            title: text_of(root, "title"),
            effective_time: attr("effectiveTime", "value"),
            confidentiality: attr("confidentialityCode", "code"),
            language: attr("languageCode", "code"),
            patient: patient(root),
            authors: root
                .all("author/assignedAuthor/assignedPerson/name")
                .into_iter()
                .map(person_name)
                .filter(|name| !name.is_empty())
                .take(MOST)
                .collect(),
            custodian: custodian(root),
            orders: ids(&root.all("inFulfillmentOf/order/id")),
            service_time: service_time(root),
            studies: catalogue::studies(root),
            sections: sections(root),
        })
    }

    /// Whether it is a radiology report of the Italian template.
    pub fn is_radiology_report(&self) -> bool {
        self.code.code == RADIOLOGY_REPORT || self.templates.iter().any(|t| t == RAD_TEMPLATE)
    }

    /// The text of all sections, for searching.
    pub fn plain_text(&self) -> String {
        let parts = self.sections.iter().flat_map(|section| [&section.title, &section.text]);
        let parts: Vec<&str> = parts.map(String::as_str).filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }
}

impl InstanceId {
    /// Whether it names anything.
    pub fn is_known(&self) -> bool {
        !self.root.is_empty() || !self.extension.is_empty()
    }

    /// Whether it is the number of an electronic prescription (NRE); national rules and the
    /// national index use different roots for it.
    pub fn is_nre(&self) -> bool {
        NRE_ROOTS.contains(&self.root.as_str())
    }

    /// One text for both parts: `root^extension`.
    pub fn joined(&self) -> String {
        format!("{}^{}", self.root, self.extension)
    }
}

impl DocumentPatient {
    /// The identifiers, read; what has no extension says nothing.
    pub fn identifiers(&self) -> Vec<Identifier> {
        self.ids.iter().filter_map(|id| Identifier::read(&id.extension, &id.root)).collect()
    }

    /// The name as DICOM writes names: family and given with `^` between.
    pub fn name(&self) -> String {
        let clean = |part: &str| part.replace(['^', '='], " ");
        format!("{}^{}", clean(&self.family), clean(&self.given)).trim_end_matches('^').to_owned()
    }
}

/// Identifiers do not belong into logs.
impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstanceId({}, …)", self.root)
    }
}

/// Nor do people.
impl fmt::Debug for DocumentPatient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentPatient({} ids, …)", self.ids.len())
    }
}

/// Nor what reports say.
impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Section({}, {} bytes)", self.code, self.text.len())
    }
}

fn instance_id(element: Element<'_>) -> InstanceId {
    let attr = |name| element.attr(name).map(|value| cut(value.trim())).unwrap_or_default();
    InstanceId {
        root: attr("root"),
        extension: attr("extension"),
        assigner: attr("assigningAuthorityName"),
    }
}

fn ids(elements: &[Element<'_>]) -> Vec<InstanceId> {
    let ids = elements.iter().copied().map(instance_id).filter(InstanceId::is_known);
    ids.take(MOST).collect()
}

fn roots(elements: &[Element<'_>]) -> Vec<String> {
    elements.iter().filter_map(|element| element.attr("root")).map(cut).take(MOST).collect()
}

fn code_of(element: Element<'_>) -> Code {
    let attr = |name| element.attr(name).map(cut).unwrap_or_default();
    Code { code: attr("code"), system: attr("codeSystem"), display: attr("displayName") }
}

fn text_of(root: Element<'_>, path: &str) -> String {
    root.first(path).map(|element| cut(&element.text())).unwrap_or_default()
}

fn patient(root: Element<'_>) -> DocumentPatient {
    let Some(role) = root.first("recordTarget/patientRole") else {
        return DocumentPatient::default();
    };
    let attr = |path: &str, name: &str| role.value(path, name).map(cut).unwrap_or_default();
    let name = role.first("patient/name");
    let part = |part| name.map(|name| joined(name, part)).unwrap_or_default();
    let born = attr("patient/birthTime", "value");
    DocumentPatient {
        ids: ids(&role.all("id")),
        family: part("family"),
        given: part("given"),
        sex: attr("patient/administrativeGenderCode", "code"),
        birth_date: born.chars().take_while(char::is_ascii_digit).take(8).collect(),
    }
}

fn joined(name: Element<'_>, part: &str) -> String {
    let parts: Vec<String> = name.all(part).into_iter().map(Element::text).collect();
    cut(&parts.join(" "))
}

/// A person's name: its parts in their order, or what is written without parts.
fn person_name(name: Element<'_>) -> String {
    let parts: Vec<String> =
        ["prefix", "given", "family", "suffix"].iter().map(|part| joined(name, part)).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
    if parts.is_empty() { cut(&name.text()) } else { parts.join(" ") }
}

fn custodian(root: Element<'_>) -> Organization {
    let path = "custodian/assignedCustodian/representedCustodianOrganization";
    let Some(organization) = root.first(path) else { return Organization::default() };
    Organization {
        id: organization.first("id").map(instance_id).unwrap_or_default(),
        name: text_of(organization, "name"),
    }
}

fn service_time(root: Element<'_>) -> String {
    let time = root.first("documentationOf/serviceEvent/effectiveTime");
    let value = time.and_then(|time| time.attr("value").or_else(|| time.value("low", "value")));
    value.map(cut).unwrap_or_default()
}

fn sections(root: Element<'_>) -> Vec<Section> {
    let body = root.first("component/structuredBody");
    let all = body.into_iter().flat_map(Element::descendants);
    all.filter(|element| element.name() == "section")
        .take(MOST)
        .map(|section| Section {
            code: section.value("code", "code").map(cut).unwrap_or_default(),
            title: text_of(section, "title"),
            text: section.first("text").map(narrative::plain).unwrap_or_default(),
        })
        .collect()
}

/// A fact of bounded length.
fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// LOINC code of the radiology report.
pub const RADIOLOGY_REPORT: &str = "68604-8";
/// Template of the Italian radiology report.
pub const RAD_TEMPLATE: &str = "2.16.840.1.113883.2.9.10.1.7.1";

/// Roots of electronic prescription numbers: in CDA, and in the national index.
const NRE_ROOTS: [&str; 2] = ["2.16.840.1.113883.2.9.4.3.9", "2.16.840.1.113883.2.9.4.3.8"];

/// Items of a list kept.
const MOST: usize = 1000;
/// Characters of a fact kept.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests;
