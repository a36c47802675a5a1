//! Organisations that feed the archive, and by what their studies and reports are known.

use serde::{Deserialize, Serialize};

/// An organisation, as `[[organisations]]` of the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Its own OID, for manifests.
    pub oid: String,
    /// Public, accredited private, or private.
    pub regime: Regime,
    /// AE titles its modalities call themselves.
    pub ae_titles: Vec<String>,
    /// OIDs its documents and numbers bear besides its own: custodians, issuers of Patient IDs and
    /// accession numbers. A custodian's OID with its code behind a dot counts too.
    pub oids: Vec<String>,
    /// Sending facilities of its HL7 messages.
    pub facilities: Vec<String>,
}

/// By what right an organisation takes part in the national health service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// Of the health service itself.
    #[default]
    Public,
    /// Private, accredited by it.
    AccreditedPrivate,
    /// Private.
    Private,
}

impl Regime {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::AccreditedPrivate => "accredited-private",
            Self::Private => "private",
        }
    }
}

impl Organisation {
    /// The marks by which what is its own is known, as [`ae`], [`oid`] and [`facility`] write them.
    pub fn marks(&self) -> Vec<String> {
        let own = (!self.oid.is_empty()).then_some(&self.oid);
        let oids = self.oids.iter().chain(own).map(|text| oid(text));
        let titles = self.ae_titles.iter().map(|text| ae(text));
        titles.chain(oids).chain(self.facilities.iter().map(|text| facility(text))).collect()
    }
}

/// The mark of an AE title.
pub fn ae(title: &str) -> String {
    format!("ae:{}", title.trim())
}

/// The mark of an OID.
pub fn oid(oid: &str) -> String {
    let oid = oid.trim();
    format!("oid:{}", oid.strip_prefix("urn:oid:").unwrap_or(oid))
}

/// The mark of a sending facility.
pub fn facility(name: &str) -> String {
    format!("facility:{}", name.trim().to_uppercase())
}

/// The mark of what brought something, where that tells of an organisation: `cstore:CT1@10.0.0.1`,
/// `hl7:RIS@OSPEDALE`.
pub fn source(source: &str) -> Option<String> {
    let (way, rest) = source.split_once(':')?;
    let (one, other) = rest.split_once('@')?;
    match way {
        "cstore" => Some(ae(one)),
        "hl7" if !other.is_empty() => Some(facility(other)),
        _ => None,
    }
}

/// How complete what an organisation feeds is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Its studies, and how many of them have a report.
    pub studies: u64,
    /// Studies with a report.
    pub studies_with_report: u64,
    /// Its reports in force, by what is known of each.
    pub reports: Vec<ReportGroup>,
}

/// Reports of which the same is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportGroup {
    /// Date of the service, `YYYYMMDD`; empty when not told.
    pub service_date: String,
    /// Day the report came, days since 1970.
    pub received_day: i64,
    /// Day it was in the national index, days since 1970.
    pub published_day: Option<i64>,
    /// Whether a study is linked to it.
    pub with_images: bool,
    /// How many.
    pub count: u64,
}

/// Whose studies and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marked {
    /// Those with one of these marks.
    With(Vec<String>),
    /// Those with none of them.
    Without(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::{Organisation, source};

    #[test]
    fn what_brings_something_tells_whose_it_is() {
        for (text, mark) in [
            ("cstore:CT1@10.0.0.1", Some("ae:CT1")),
            ("hl7:RIS@ospedale", Some("facility:OSPEDALE")),
            ("hl7:RIS@", None),
            ("import", None),
            ("stow:10.0.0.1", None),
        ] {
            assert_eq!(source(text).as_deref(), mark);
        }
        let organisation = Organisation {
            oid: "urn:oid:2.25.1".to_owned(),
            ae_titles: vec!["CT1".to_owned()],
            ..Organisation::default()
        };
        assert_eq!(organisation.marks(), ["ae:CT1", "oid:2.25.1"]);
    }
}
