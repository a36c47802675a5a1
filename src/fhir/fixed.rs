//! What stands in no row: where studies are fetched, and the organisations and issuers the settings name.

use serde_json::json;

use crate::fascicolo::issuers::Issuer;
use crate::fhir::door::Consultation;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::tokens::Token;
use crate::fhir::values::URI;
use crate::fhir::values::assigner_in;
use crate::fhir::values::coding;
use crate::fhir::values::system_of;
use crate::model::ids;
use crate::model::organisation::Organisation;

/// The id of the endpoint studies are fetched at.
pub const WADO_RS: &str = "wado-rs";
/// Kinds of endpoint (FHIR R4 endpoint-connection-type).
pub const CONNECTION: &str = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type";

/// Kinds of organization (FHIR R4 organization-type).
const ORGANIZATION_TYPE: &str = "http://terminology.hl7.org/CodeSystem/organization-type";

/// Endpoints: id, what it is called, what it takes and gives.
const ENDPOINTS: [(&str, &str, &str); 2] =
    [(WADO_RS, "DICOM WADO-RS", "dicom-wado-rs"), ("qido-rs", "DICOM QIDO-RS", "dicom-qido-rs")];

impl Consultation {
    /// Where studies are fetched and found: `{address}/studies/{UID}` and what follows it.
    pub fn endpoints(&self) -> Vec<Resource> {
        let endpoint = |(id, name, code): (&str, &str, &str)| {
            let body = json!({
                "status": "active",
                "connectionType": coding(CONNECTION, code, name),
                "name": name,
                "payloadType": [{ "text": name }],
                "payloadMimeType": ["application/dicom", "application/dicom+json"],
                "address": self.dicomweb,
            });
            Resource::new(Kind::Endpoint, None, id.to_owned(), 0, body)
        };
        ENDPOINTS.into_iter().map(endpoint).collect()
    }

    /// Organisations the settings name, and issuers of numbers that are none of them.
    pub fn organizations(&self) -> Vec<Resource> {
        let named = self.fascicolo.organisations();
        let issuers = self.fascicolo.issuers();
        let others = issuers.iter().filter(|issuer| named.iter().all(|known| !is(known, issuer)));
        named.iter().map(organization).chain(others.map(issuing)).collect()
    }
}

/// The id of an organisation the settings name.
pub fn id_of(organisation: &Organisation) -> String {
    id_under(&organisation.oid, &organisation.name)
}

/// The same by its OID, or by its name where it has none.
pub fn id_under(oid: &str, name: &str) -> String {
    ids::of_organization(if oid.is_empty() { name } else { oid })
}

/// Whether an organisation issues numbers under an issuer's name.
fn is(organisation: &Organisation, issuer: &Issuer) -> bool {
    let mut oids = std::iter::once(&organisation.oid).chain(&organisation.oids);
    oids.any(|oid| assigner_in(oid) == issuer.kept)
}

fn organization(organisation: &Organisation) -> Resource {
    let own = (!organisation.oid.is_empty()).then_some(&organisation.oid);
    let oids = own.into_iter().chain(&organisation.oids);
    let identifiers = oids.map(|oid| {
        let oid = oid.strip_prefix("urn:oid:").unwrap_or(oid);
        json!({ "system": URI, "value": format!("urn:oid:{oid}") })
    });
    let body = json!({
        "active": true,
        "identifier": identifiers.collect::<Vec<_>>(),
        "type": [{
            "coding": [coding(ORGANIZATION_TYPE, "prov", "Healthcare Provider")],
            "text": organisation.regime.as_str(),
        }],
        "name": organisation.name,
    });
    Resource::new(Kind::Organization, None, id_of(organisation), 0, body)
}

fn issuing(issuer: &Issuer) -> Resource {
    let system = system_of(&issuer.kept);
    let name = issuer.names.first().unwrap_or(&issuer.kept);
    let body = json!({
        "active": true,
        "identifier": [{ "system": URI, "value": system }],
        "name": name,
        "alias": issuer.names.get(1..).unwrap_or_default(),
    });
    Resource::new(Kind::Organization, None, ids::of_organization(&issuer.kept), 0, body)
}

/// Whether an endpoint is of this kind.
pub fn is_connection(endpoint: &Resource, token: &Token) -> bool {
    token.is_of(CONNECTION) && endpoint.body()["connectionType"]["code"] == token.code.as_str()
}

/// Whether an organization issues numbers under this.
pub fn issues(organization: &Resource, token: &Token) -> bool {
    let identifiers = organization.body()["identifier"].as_array().into_iter().flatten();
    let code = token.code.strip_prefix("urn:oid:").unwrap_or(&token.code);
    let mut values = identifiers.map(|identifier| &identifier["value"]);
    token.is_of(URI)
        && values.any(|value| *value == token.code.as_str() || *value == format!("urn:oid:{code}"))
}
