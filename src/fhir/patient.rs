//! People as Patient resources.

use serde_json::Value;
use serde_json::json;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::door::Consultation;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::values::IDENTIFIER_TYPE;
use crate::fhir::values::concept;
use crate::fhir::values::date;
use crate::fhir::values::gender;
use crate::fhir::values::human_name;
use crate::fhir::values::reference;
use crate::fhir::values::system_of;
use crate::index::pages::Page;
use crate::index::pages::PersonFound;
use crate::index::pages::PersonRule;
use crate::model::ids;
use crate::model::person::Person;
use crate::people::identifier::Identifier;
use crate::people::identifier::IdentifierKind;

impl Consultation {
    /// People by any of their rows, as resources.
    pub async fn people(&self, rows: Vec<i64>) -> Result<Vec<Resource>, FascicoloError> {
        let page = Page { limit: u32::try_from(rows.len()).unwrap_or(u32::MAX), ..Page::default() };
        let rules = [PersonRule::Row(rows)];
        let found = self.fascicolo.people_page(&self.permit, &rules, &page).await?;
        Ok(found.iter().map(|found| self.patient(found)).collect())
    }

    /// One person; one who was found to be another is a resource that says who.
    pub async fn person(&self, row: i64) -> Result<Option<Resource>, FascicoloError> {
        let Some(found) = self.people(vec![row]).await?.pop() else { return Ok(None) };
        let other = ids::of_person(row);
        if found.id == other {
            return Ok(Some(found));
        }
        let body = json!({
            "active": false,
            "link": [{ "other": reference("Patient", &found.id), "type": "replaced-by" }],
        });
        Ok(Some(Resource::new(Kind::Patient, Some(row), other, found.changed_us, body)))
    }

    /// A person as a resource.
    pub fn patient(&self, found: &PersonFound) -> Resource {
        let person = &found.person;
        let issuers = self.fascicolo.issuers();
        let identifiers = person.identifiers.iter().map(|known| {
            let mut identifier = identifier(&known.identifier);
            let named = issuers.iter().any(|issuer| issuer.kept == known.identifier.assigner);
            if named {
                let issuer = ids::of_organization(&known.identifier.assigner);
                identifier["assigner"] = reference("Organization", &issuer);
            }
            identifier
        });
        let absorbed = person.rows.iter().filter(|row| **row != person.id).map(|row| {
            json!({ "other": reference("Patient", &ids::of_person(*row)), "type": "replaces" })
        });
        let body = json!({
            "active": true,
            "identifier": identifiers.collect::<Vec<_>>(),
            "name": names(person),
            "gender": gender(&person.sex),
            "birthDate": date(&person.birth_date),
            "link": absorbed.collect::<Vec<_>>(),
        });
        let id = ids::of_person(person.id);
        Resource::new(Kind::Patient, Some(person.id), id, found.changed_us, body)
    }
}

fn names(person: &Person) -> Vec<Value> {
    if person.name.is_empty() { Vec::new() } else { vec![human_name(&person.name)] }
}

/// An identifier: systems are the OIDs of the issuers (HL7 Italia, `urn:oid:`).
fn identifier(identifier: &Identifier) -> Value {
    let kind = match identifier.kind {
        IdentifierKind::Local => concept(IDENTIFIER_TYPE, "MR", "Medical record number"),
        IdentifierKind::TeamCard => concept(IDENTIFIER_TYPE, "HC", "Health Card Number"),
        _ => Value::Null,
    };
    json!({
        "use": if identifier.kind == IdentifierKind::CodiceFiscale { "official" } else { "" },
        "type": kind, "system": system_of(&identifier.assigner), "value": identifier.value,
    })
}
