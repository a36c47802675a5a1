//! A resource with what makes its version: written once, whoever asks.

use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::fhir::kind::Kind;
use crate::fhir::values::instant;
use crate::fhir::values::pruned;
use crate::model::ids;

/// What says that a resource is not whole (FHIR R4 §3.1.1.5.9).
const SUBSETTED: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// A resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its type.
    pub kind: Kind,
    /// Whose it is, by any of their rows; `None`: nobody's.
    pub person: Option<i64>,
    /// Its id.
    pub id: String,
    /// When it last changed, µs since 1970; 0: never.
    pub changed_us: i64,
    /// Its elements, without id and meta.
    body: Value,
    /// What else makes it another version, of which `body` says nothing.
    stamp: String,
    whole: bool,
    version: String,
    /// The profile it says it meets; empty: none.
    profile: String,
}

impl Resource {
    /// A resource of these elements; what is empty is left out. Whose it is must be said: whoever is
    /// given it is recorded.
    pub fn new(kind: Kind, person: Option<i64>, id: String, changed_us: i64, body: Value) -> Self {
        let mut resource = Self {
            kind,
            person,
            id,
            changed_us,
            body: pruned(body),
            stamp: String::new(),
            whole: true,
            version: String::new(),
            profile: String::new(),
        };
        resource.set_version();
        resource
    }

    /// What else makes it another version.
    #[must_use]
    pub fn stamped(mut self, stamp: String) -> Self {
        self.stamp = stamp;
        self.set_version();
        self
    }

    /// Says which profile it meets.
    #[must_use]
    pub fn meeting(self, profile: String) -> Self {
        Self { profile, ..self }
    }

    /// Says that something of it was left out.
    #[must_use]
    pub fn in_part(self) -> Self {
        Self { whole: false, ..self }
    }

    /// Its version: another one whenever it says something else.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn set_version(&mut self) {
        let hash = Sha256::digest(format!("{}\n{}", self.body, self.stamp));
        self.version = ids::of_document(&hash.into());
        self.version.truncate(16);
    }

    /// Puts in what does not make another version, being known by the stamp.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.body);
        self
    }

    /// Its elements.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// `Type/id`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind.name(), self.id)
    }

    /// The whole resource.
    pub fn written(&self) -> Value {
        let changed = if self.changed_us > 0 { instant(self.changed_us) } else { String::new() };
        let tag = if self.whole {
            json!([])
        } else {
            json!([{ "system": SUBSETTED, "code": "SUBSETTED" }])
        };
        let mut written = json!({
            "resourceType": self.kind.name(),
            "id": self.id,
            "meta": pruned(json!({
                "versionId": self.version(), "lastUpdated": changed, "profile": [self.profile], "tag": tag,
            })),
        });
        if let (Some(all), Some(own)) = (written.as_object_mut(), self.body.as_object()) {
            all.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Resource;
    use crate::fhir::kind::Kind;

    #[test]
    fn a_version_changes_with_what_is_said_and_not_with_when() {
        let make = |changed_us, name| {
            let body = json!({ "n": name, "e": "" });
            Resource::new(Kind::Patient, Some(1), "a".to_owned(), changed_us, body)
        };
        assert_eq!(make(1, "x").version(), make(2, "x").version());
        assert_ne!(make(1, "x").version(), make(1, "y").version());
        let stamped = make(1, "x").stamped("2".to_owned());
        assert_ne!(stamped.version(), make(1, "x").version());
        assert_eq!(stamped.clone().with(|body| body["z"] = json!(1)).version(), stamped.version());
        let written = make(1, "x").in_part().written();
        assert_eq!(written["meta"]["tag"][0]["code"], "SUBSETTED");
        assert!(written.get("e").is_none());
    }
}
