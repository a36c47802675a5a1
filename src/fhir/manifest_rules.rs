//! Parameters of a search of DocumentReference as conditions on the studies whose manifests are listed.

use crate::fascicolo::manifest_name::study_named_by;
use crate::fhir::asked::Asked;
use crate::fhir::dates::days;
use crate::fhir::dates::micros;
use crate::fhir::door::Consultation;
use crate::fhir::manifest::CATEGORIES;
use crate::fhir::manifest::Form;
use crate::fhir::manifest::IMAGING;
use crate::fhir::manifest::MANIFEST;
use crate::fhir::outcome::Refusal;
use crate::fhir::rules::ACCESSION;
use crate::fhir::rules::Given;
use crate::fhir::rules::given;
use crate::fhir::rules::upper;
use crate::fhir::tokens::uid;
use crate::fhir::values::DCM;
use crate::fhir::values::LOINC;
use crate::index::pages::Page;
use crate::index::pages::StudyRule;

/// Which manifests of which studies: the conditions of each form that is listed at all.
pub type Manifests = Vec<(Form, Vec<StudyRule>)>;

/// Manifests of all studies that meet these.
pub fn of_all(rules: &[StudyRule]) -> Manifests {
    Form::ALL.into_iter().map(|form| (form, rules.to_vec())).collect()
}

impl Consultation {
    /// Which manifests a search of documents asks for.
    pub async fn manifest_rules(&self, asked: &Asked) -> Result<Manifests, Refusal> {
        let mut manifests = of_all(&[]);
        for given in given(asked)? {
            let rule = if let Some(people) = self.people_of(&given).await? {
                Some(StudyRule::Person(people))
            } else if given.name == "_id" {
                for (form, rules) in &mut manifests {
                    rules.push(StudyRule::Row(self.studies_named(&given, *form).await?));
                }
                None
            } else if given.name == "contenttype" {
                manifests.retain(|(form, _)| given.has(form.media()));
                None
            } else if all_meet(&given) {
                None
            } else {
                Some(self.manifest_rule(&given).await?)
            };
            let Some(rule) = rule else { continue };
            for (_, rules) in &mut manifests {
                rules.push(rule.clone());
            }
        }
        // Nothing is read for what cannot be.
        manifests.retain(|(_, rules)| !rules.contains(&none()));
        Ok(manifests)
    }

    async fn manifest_rule(&self, given: &Given) -> Result<StudyRule, Refusal> {
        Ok(match given.name {
            "identifier" => StudyRule::Row(self.identified_by(given).await?),
            "period" => StudyRule::Started(given.each(days)?),
            "date" | "_lastUpdated" => StudyRule::Changed(given.each(micros)?),
            "related" => StudyRule::Row(self.study_rows(&given.study_ids()).await?),
            "study-instance-uid" => StudyRule::Uid(given.uids()),
            "accession-number" => StudyRule::Number(self.kept(given.numbers(&ACCESSION))),
            "modality" => StudyRule::Modality(upper(given.codes(DCM))),
            "bodysite" | "anatomical-region" => StudyRule::BodyPart(given.body_parts()),
            // They hold no words, and are of no other type, category or status.
            _ => none(),
        })
    }

    /// Rows of the studies whose manifests of a form are named by their ids.
    async fn studies_named(&self, given: &Given, form: Form) -> Result<Vec<i64>, Refusal> {
        let named = given.values.iter().filter_map(|id| Form::parse(id));
        let studies: Vec<&str> =
            named.filter(|(own, _)| *own == form).map(|(_, study)| study).collect();
        Ok(self.study_rows(&studies).await?)
    }

    /// Rows of the studies whose manifests go by these names now.
    async fn identified_by(&self, given: &Given) -> Result<Vec<i64>, Refusal> {
        let names: Vec<String> = given.values.iter().filter_map(|value| uid(value)).collect();
        let rows: Vec<i64> = names.iter().filter_map(|name| study_named_by(name)).collect();
        if rows.is_empty() {
            return Ok(rows);
        }
        let page = Page { limit: u32::try_from(rows.len()).unwrap_or(u32::MAX), ..Page::default() };
        let rules = [StudyRule::Row(rows)];
        let found = self.fascicolo.studies_page(&self.permit, &rules, &page).await?;
        let outlines = self.manifests(&found).await?;
        let named = outlines.iter().filter(|outline| names.contains(&outline.manifest.uid));
        Ok(named.map(|outline| outline.study).collect())
    }
}

/// Whether all manifests meet a condition.
fn all_meet(given: &Given) -> bool {
    let codes = |system| given.codes(system);
    match given.name {
        "type" => codes(LOINC).iter().any(|code| code == MANIFEST),
        "category" => codes(CATEGORIES).iter().any(|code| code == IMAGING),
        "status" => given.has("current"),
        _ => false,
    }
}

fn none() -> StudyRule {
    StudyRule::Row(Vec::new())
}
