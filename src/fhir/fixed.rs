//! What stands in no row: where studies are fetched, and the issuers the settings name.

use serde_json::json;

use crate::fascicolo::issuers::Issuer;
use crate::fhir::door::Consultation;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::tokens::Token;
use crate::fhir::values::URI;
use crate::fhir::values::coding;
use crate::fhir::values::system_of;
use crate::model::ids;

/// The id of the endpoint studies are fetched at.
pub const WADO_RS: &str = "wado-rs";
/// Kinds of endpoint (FHIR R4 endpoint-connection-type).
pub const CONNECTION: &str = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type";

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

    /// Issuers the settings name.
    pub fn organizations(&self) -> Vec<Resource> {
        self.fascicolo.issuers().iter().map(organization).collect()
    }
}

fn organization(issuer: &Issuer) -> Resource {
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
    let value = &organization.body()["identifier"][0]["value"];
    let code = token.code.strip_prefix("urn:oid:").unwrap_or(&token.code);
    token.is_of(URI) && (*value == token.code.as_str() || *value == format!("urn:oid:{code}"))
}
