//! Accesses as AuditEvent resources, as IHE's Basic Audit Log Patterns (BALP 1.1.4) have them: one for each
//! person an access concerns.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::fascicolo::error::FascicoloError;
use crate::fhir::door::Consultation;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::values::{DCM, URI, coding, concept, instant, reference};
use crate::index::accesses::AccessRule;
use crate::index::pages::Page;
use crate::model::access::{Access, Action, CUT, Interaction, NewAccess};
use crate::model::ids;

/// What an exchange over REST is among events.
pub const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
/// What was asked.
pub const RESTFUL: &str = "http://hl7.org/fhir/restful-interaction";
/// What it did.
pub const ACTION: &str = "http://hl7.org/fhir/audit-event-action";
/// What became of it.
pub const OUTCOME: &str = "http://hl7.org/fhir/audit-event-outcome";

const PROFILE: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ENTITY_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const PART: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

/// Where this server's address stands in an event.
const ADDRESSES: [&str; 4] = [
    "/agent/1/who/identifier/value",
    "/agent/1/network/address",
    "/source/site",
    "/source/observer/identifier/value",
];

/// The patterns of what this door does, without the word for those that concern a patient.
pub const PATTERNS: [(Interaction, &str); 6] = [
    (Interaction::Read, "Read"),
    (Interaction::Vread, "Read"),
    (Interaction::SearchType, "Query"),
    (Interaction::Create, "Create"),
    (Interaction::Transaction, "Create"),
    (Interaction::Delete, "Delete"),
];

/// The profiles events meet, each once.
pub fn profiles() -> Vec<String> {
    let mut names: Vec<&str> = PATTERNS.iter().map(|(_, name)| *name).collect();
    names.dedup();
    let both = names
        .iter()
        .flat_map(|name| [format!("{PROFILE}{name}"), format!("{PROFILE}Patient{name}")]);
    both.collect()
}

/// The codes an interaction is known by: a transaction brings a report, and so makes something.
pub fn subtypes(interaction: Interaction) -> &'static [&'static str] {
    match interaction {
        Interaction::Read => &["read"],
        Interaction::Vread => &["vread"],
        Interaction::HistoryInstance => &["history-instance"],
        Interaction::SearchType => &["search-type"],
        Interaction::Create => &["create"],
        Interaction::Update => &["update"],
        Interaction::Patch => &["patch"],
        Interaction::Delete => &["delete"],
        Interaction::Operation => &["operation"],
        Interaction::Transaction => &["create", "transaction"],
    }
}

impl Consultation {
    /// The event of an id.
    pub async fn audit_event(&self, id: &str) -> Result<Option<Resource>, FascicoloError> {
        let Some(row) = ids::link(id) else { return Ok(None) };
        let page = Page { limit: 1, ..Page::default() };
        let rules = [AccessRule::Row(vec![row])];
        let found = self.fascicolo.accesses_page(&self.permit, &rules, &page).await?.pop();
        Ok(found.map(|found| self.event(&found)).filter(|found| found.id == id))
    }

    /// An access as a resource. Under whichever address the archive is reached, it is the same version.
    pub fn event(&self, access: &Access) -> Resource {
        let told = &access.told;
        let person = told.people.first().copied();
        let subtypes = subtypes(told.interaction).iter().map(|code| coding(RESTFUL, code, code));
        let body = json!({
            "type": coding(EVENT_TYPE, "rest", "RESTful Operation"),
            "subtype": subtypes.collect::<Vec<_>>(),
            "action": told.interaction.action().as_str(),
            "recorded": instant(access.at_us),
            "outcome": outcome(told.status),
            "outcomeDesc": if is_success(told) { String::new() } else { status_text(told.status) },
            "agent": agents(told),
            "source": {
                "site": ADDRESS,
                "observer": server(),
                "type": [coding(SOURCE_TYPE, "4", "Application Server")],
            },
            "entity": entities(told, person),
        });
        let id = ids::of_link(access.row, access.at_us);
        let resource = Resource::new(Kind::AuditEvent, person, id, access.at_us, body);
        let resource = match profile(told) {
            Some(profile) => resource.meeting(profile),
            None => resource,
        };
        resource.with(|body| {
            for pointer in ADDRESSES {
                if let Some(address) = body.pointer_mut(pointer) {
                    *address = self.base.as_str().into();
                }
            }
        })
    }
}

/// Stands for this server's address.
const ADDRESS: &str = "/";

/// The profile an event meets: of what failed there is none.
fn profile(told: &NewAccess) -> Option<String> {
    let (_, name) = PATTERNS.iter().find(|(of, _)| *of == told.interaction)?;
    let patient = if told.people.is_empty() { "" } else { "Patient" };
    is_success(told).then(|| format!("{PROFILE}{patient}{name}"))
}

fn is_success(told: &NewAccess) -> bool {
    told.status < 400
}

/// FHIR's outcome of an answer: minor when the client may do better, serious when we failed.
fn outcome(status: u16) -> &'static str {
    match status {
        0..400 => "0",
        400..500 => "4",
        _ => "8",
    }
}

fn status_text(status: u16) -> String {
    StatusCode::from_u16(status).map(|status| status.to_string()).unwrap_or_default()
}

/// Client and server. What is read goes to the client, what is asked or sent to the server
/// (BALP §3:5.7.3).
fn agents(told: &NewAccess) -> [Value; 2] {
    let source = concept(DCM, "110153", "Source Role ID");
    let destination = concept(DCM, "110152", "Destination Role ID");
    let (client, server_part) = match told.interaction.action() {
        Action::Read => (destination, source),
        Action::Delete => {
            (concept(DCM, "110150", "Application"), concept(PART, "custodian", "Custodian"))
        }
        Action::Create | Action::Update | Action::Execute => (source, destination),
    };
    let known = [&told.who.name, &told.who.address].into_iter().find(|text| !text.is_empty());
    let network = if told.who.address.is_empty() {
        json!({ "address": "unknown" })
    } else {
        json!({ "address": told.who.address, "type": "2" })
    };
    [
        json!({
            "type": client,
            "who": { "display": known.map_or(told.who.kind.as_str(), String::as_str) },
            "name": told.user_agent,
            "requestor": false,
            "network": network,
        }),
        json!({
            "type": server_part,
            "who": server(),
            "requestor": false,
            "network": { "address": ADDRESS, "type": "5" },
        }),
    ]
}

fn server() -> Value {
    json!({
        "type": "Device",
        "identifier": { "system": URI, "value": ADDRESS },
        "display": "Lastra",
    })
}

/// What was asked for or by, whom it concerns, and what names the request.
fn entities(told: &NewAccess, person: Option<i64>) -> Vec<Value> {
    let object = coding(ENTITY_TYPE, "2", "System Object");
    let query = STANDARD.encode(&told.query);
    let cut = if told.query.ends_with(CUT) { "only the beginning was kept" } else { "" };
    let mut entities = vec![if told.interaction == Interaction::SearchType {
        json!({
            "type": object,
            "role": coding(ENTITY_ROLE, "24", "Query"),
            "description": cut,
            "query": query,
        })
    } else {
        json!({ "what": what(told), "type": object, "role": role(told), "query": query })
    }];
    entities.extend(person.map(|person| {
        json!({
            "what": reference("Patient", &ids::of_person(person)),
            "type": coding(ENTITY_TYPE, "1", "Person"),
            "role": coding(ENTITY_ROLE, "1", "Patient"),
        })
    }));
    if !told.request.is_empty() {
        entities.push(json!({
            "what": { "identifier": { "value": told.request } },
            "type": coding(BALP_ENTITY, "XrequestId", ""),
        }));
    }
    entities
}

/// What was asked for: referred to where it may be here, else said.
fn what(told: &NewAccess) -> Value {
    let is_known = Kind::parse(&told.kind).is_some() && ids::is_id(&told.item);
    if is_known && ids::is_id(&told.version) {
        let version = format!("{}/_history/{}", told.item, told.version);
        return reference(&told.kind, &version);
    }
    if is_known {
        return reference(&told.kind, &told.item);
    }
    let parts =
        [told.kind.as_str(), told.item.as_str()].into_iter().filter(|part| !part.is_empty());
    let said = parts.collect::<Vec<_>>().join("/");
    json!({ "display": if said.is_empty() { told.interaction.as_str().to_owned() } else { said } })
}

fn role(told: &NewAccess) -> Value {
    match Kind::parse(&told.kind) {
        Some(Kind::DiagnosticReport | Kind::DocumentReference | Kind::Binary) => {
            coding(ENTITY_ROLE, "3", "Report")
        }
        _ => coding(ENTITY_ROLE, "4", "Domain Resource"),
    }
}

#[cfg(test)]
mod tests {
    use super::{outcome, profiles, subtypes};
    use crate::model::access::Interaction;

    #[test]
    fn outcomes_follow_the_status_and_codes_are_fhirs() {
        let outcomes = [200, 304, 404, 422, 500, 503].map(outcome);
        assert_eq!(outcomes, ["0", "0", "4", "4", "8", "8"]);
        for interaction in Interaction::ALL {
            assert!(subtypes(interaction).contains(&interaction.as_str()), "{interaction:?}");
        }
        assert_eq!(profiles().len(), 8);
    }
}
