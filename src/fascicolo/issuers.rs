//! Who assigned a number: one issuer under one name, whatever its senders call it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::people::identifier::Identifier;
use crate::people::identifier::assigner_of;

/// How the fascicolo behaves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Issuer of Patient IDs and accession numbers that name none, as most modalities send them:
    /// only where all senders share one. Empty: such a Patient ID identifies nobody.
    pub default_issuer: String,
    /// Other names of issuers, each with the one it is kept under:
    /// `issuers = { "OSPEDALE_PROVA" = "2.25.6636" }`.
    pub issuers: BTreeMap<String, String>,
    /// OID of this archive, by which manifests say where images lie (Retrieve Location UID); empty: one
    /// made of its address.
    pub location_uid: String,
}

/// Issuers as they are kept.
#[derive(Debug, Clone, Default)]
pub(in crate::fascicolo) struct Issuers {
    default: String,
    names: BTreeMap<String, String>,
}

/// An issuer the settings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The name it is kept under: an OID, or a name in upper case.
    pub kept: String,
    /// Its other names.
    pub names: Vec<String>,
}

impl Issuers {
    /// Issuers by the settings.
    pub(in crate::fascicolo) fn new(settings: &Settings) -> Self {
        let names = settings.issuers.iter();
        Self {
            default: assigner_of(&settings.default_issuer),
            names: names.map(|(name, kept)| (assigner_of(name), assigner_of(kept))).collect(),
        }
    }

    /// The name an issuer is kept under.
    fn kept<'a>(&'a self, assigner: &'a str) -> &'a str {
        let assigner = if assigner.is_empty() { &self.default } else { assigner };
        self.names.get(assigner).map_or(assigner, String::as_str)
    }

    /// The name an issuer is kept under; one that is not named stays so.
    pub(in crate::fascicolo) fn named(&self, assigner: &str) -> String {
        let assigner = assigner_of(assigner);
        self.names.get(&assigner).cloned().unwrap_or(assigner)
    }

    /// Issuers the settings name, each once.
    pub(in crate::fascicolo) fn all(&self) -> Vec<Issuer> {
        let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        if !self.default.is_empty() {
            all.entry(self.kept("")).or_default();
        }
        for (name, kept) in &self.names {
            all.entry(kept).or_default().push(name.clone());
        }
        let issuer = |(kept, names): (&str, Vec<String>)| Issuer { kept: kept.to_owned(), names };
        all.into_iter().map(issuer).collect()
    }

    /// Identifiers with their issuers as they are kept.
    pub(in crate::fascicolo) fn identifiers(&self, ids: &[Identifier]) -> Vec<Identifier> {
        let one = |id: &Identifier| {
            let kept = self.kept(&id.assigner);
            if kept == id.assigner {
                return id.clone();
            }
            Identifier::read(&id.value, kept).unwrap_or_else(|| id.clone())
        };
        ids.iter().map(one).collect()
    }

    /// References with their issuers as they are kept.
    pub(in crate::fascicolo) fn references(&self, references: &[Reference]) -> Vec<Reference> {
        let one = |reference: &Reference| {
            let mut reference = reference.clone();
            // UIDs need no issuer, and an order number may be any placer's.
            let named = !reference.assigner.is_empty();
            if reference.kind == ReferenceKind::Accession || named {
                reference.assigner = self.kept(&reference.assigner).to_owned();
            }
            reference
        };
        references.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Issuers, Settings};
    use crate::model::document::{Reference, ReferenceKind};
    use crate::people::identifier::{Identifier, IdentifierKind};

    #[test]
    fn issuers_known_by_several_names_are_one_and_nameless_numbers_get_the_default() {
        let settings = Settings {
            default_issuer: "Ospedale Uno".to_owned(),
            issuers: [("Ospedale  uno".to_owned(), "2.25.1".to_owned())].into(),
            ..Settings::default()
        };
        let issuers = Issuers::new(&settings);
        let read = |value: &str, of: &str| Identifier::read(value, of).unwrap();
        let ids = [
            read("123", ""),
            read("123", "OSPEDALE UNO"),
            read("1", "ALTRO"),
            read("RSSMRA79B11C566R", ""),
        ];
        let kept = issuers.identifiers(&ids);
        let seen: Vec<(&str, bool)> =
            kept.iter().map(|id| (id.assigner.as_str(), id.identifies())).collect();
        assert_eq!(seen[..3], [("2.25.1", true), ("2.25.1", true), ("ALTRO", true)]);
        assert_eq!(kept[3].kind, IdentifierKind::CodiceFiscale);
        assert_eq!(Issuers::default().identifiers(&ids), ids);
        let number = |kind, assigner: &str| Reference {
            kind,
            assigner: assigner.to_owned(),
            value: "1".to_owned(),
        };
        let references = [
            number(ReferenceKind::Study, ""),
            number(ReferenceKind::Accession, ""),
            number(ReferenceKind::Order, ""),
            number(ReferenceKind::Order, "OSPEDALE UNO"),
        ];
        let kept = issuers.references(&references);
        let seen: Vec<&str> = kept.iter().map(|reference| reference.assigner.as_str()).collect();
        assert_eq!(seen, ["", "2.25.1", "", "2.25.1"]);
    }
}
