//! What the operator must say before anything is published.

use serde::{Deserialize, Serialize};

/// How reports are published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Base URL of the gateway with its version, which is also the tokens' audience; empty: nothing is
    /// published.
    pub url: String,
    /// Whether radiology reports are published as they come; otherwise by `lastra fascicolo publish`.
    pub automatic: bool,
    /// File with the "autenticazione" certificate and its chain, PEM: for TLS only.
    pub tls_certificate: String,
    /// File with its private key, PEM.
    pub tls_key: String,
    /// File with the "signature" certificate, PEM: for tokens only.
    pub signing_certificate: String,
    /// File with its RSA private key, PEM.
    pub signing_key: String,
    /// File with the authorities the gateway's own certificate is believed by, PEM; empty: the system's.
    pub authorities: String,
    /// How tokens are signed: RS256, RS384 or RS512.
    pub algorithm: String,
    /// Common name of the certificates, as the issuer of tokens.
    pub issuer: String,
    /// Codice fiscale of the user or VAT number of the organisation that asks.
    pub subject: String,
    /// Code of the organisation (table "Organizzazione"): 190.
    pub organisation_id: String,
    /// Its description there: Regione Sicilia.
    pub organisation: String,
    /// The structure, as XON: `NAME^^^^^&OID&ISO^^^^CODE`.
    pub locality: String,
    /// The user's role (table "Ruolo").
    pub role: String,
    /// Id of the application as it was accredited.
    pub application_id: String,
    /// Its vendor.
    pub application_vendor: String,
    /// Its version; empty: this build's.
    pub application_version: String,
    /// `tipologiaStruttura`.
    pub facility: String,
    /// `assettoOrganizzativo`.
    pub practice_setting: String,
    /// `tipoAttivitaClinica`.
    pub activity: String,
    /// `identificativoRep`: OID of the repository.
    pub repository: String,
    /// Root of `identificativoSottomissione`.
    pub submission_root: String,
    /// `administrativeRequest`: SSN, INPATIENT, NOSSN, SSR, DONOR; empty: left out.
    pub administrative_request: String,
    /// A command that signs a PDF (`PAdES`): it gets the PDF on its standard input and gives the signed
    /// one on its standard output. Empty: the PDF is published as it is.
    pub sign_command: Vec<String>,
    /// Seconds a request, or the command, may take.
    pub timeout_s: u32,
    /// Seconds after which a request whose answer was lost is certainly over: then the gateway is asked
    /// whether it took it. Longer than `timeout_s`.
    pub settle_s: u32,
    /// Seconds between two looks at what became of a report.
    pub poll_s: u32,
    /// Days for which a request that cannot be made is tried.
    pub try_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            url: String::new(),
            automatic: true,
            tls_certificate: String::new(),
            tls_key: String::new(),
            signing_certificate: String::new(),
            signing_key: String::new(),
            authorities: String::new(),
            algorithm: text("RS256"),
            issuer: String::new(),
            subject: String::new(),
            organisation_id: String::new(),
            organisation: String::new(),
            locality: String::new(),
            role: text("AAS"),
            application_id: text("LASTRA"),
            application_vendor: text("LASTRA"),
            application_version: String::new(),
            facility: text("Ospedale"),
            practice_setting: text("AD_PSC069"),
            activity: text("CON"),
            repository: String::new(),
            submission_root: String::new(),
            administrative_request: String::new(),
            sign_command: Vec::new(),
            timeout_s: 60,
            settle_s: 120,
            poll_s: 10,
            try_days: 4,
        }
    }
}

/// Settings nothing can be published by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway.{key}: {reason}")]
pub struct BadSettings {
    /// Which key.
    pub key: &'static str,
    /// What is wrong, and what helps.
    pub reason: String,
}

impl BadSettings {
    /// A key and what is wrong with it.
    pub fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

impl Settings {
    /// Whether new radiology reports are published by themselves.
    pub fn publishes(&self) -> bool {
        !self.url.is_empty() && self.automatic
    }

    /// What can be said of the settings without reading a file.
    pub fn check(&self) -> Result<(), BadSettings> {
        if !self.url.starts_with("https://") {
            return Err(BadSettings::new(
                "url",
                "use https://: the gateway asks for a certificate",
            ));
        }
        for (key, value) in [
            ("tls_certificate", &self.tls_certificate),
            ("tls_key", &self.tls_key),
            ("signing_certificate", &self.signing_certificate),
            ("signing_key", &self.signing_key),
            ("issuer", &self.issuer),
            ("subject", &self.subject),
            ("organisation_id", &self.organisation_id),
            ("organisation", &self.organisation),
            ("locality", &self.locality),
            ("repository", &self.repository),
            ("submission_root", &self.submission_root),
        ] {
            if value.trim().is_empty() {
                return Err(BadSettings::new(
                    key,
                    "missing: the gateway refuses requests without it",
                ));
            }
        }
        let xon: Vec<&str> = self.locality.split('^').collect();
        let named = |at: usize| xon.get(at).is_some_and(|part| !part.is_empty());
        let assigned = xon.get(5).is_some_and(|part| part.ends_with("&ISO"));
        if !named(0) || !assigned || !named(9) {
            return Err(BadSettings::new("locality", "write it as NAME^^^^^&OID&ISO^^^^CODE"));
        }
        if self.settle_s <= self.timeout_s {
            return Err(BadSettings::new("settle_s", "must be longer than gateway.timeout_s"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn full() -> Settings {
        let text = || "x".to_owned();
        Settings {
            url: "https://gateway.example/v1".to_owned(),
            tls_certificate: text(),
            tls_key: text(),
            signing_certificate: text(),
            signing_key: text(),
            issuer: text(),
            subject: text(),
            organisation_id: text(),
            organisation: text(),
            locality: "LAB^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^1".to_owned(),
            repository: text(),
            submission_root: text(),
            ..Settings::default()
        }
    }

    #[test]
    fn what_the_gateway_would_refuse_is_said_at_the_start_with_its_key() {
        assert_eq!(full().check(), Ok(()));
        for (settings, key) in [
            (Settings { url: "http://gateway.example/v1".to_owned(), ..full() }, "url"),
            (Settings { issuer: " ".to_owned(), ..full() }, "issuer"),
            (Settings { locality: "LAB".to_owned(), ..full() }, "locality"),
            (Settings { settle_s: 60, ..full() }, "settle_s"),
        ] {
            assert_eq!(settings.check().unwrap_err().key, key);
        }
        assert!(!Settings::default().publishes());
    }
}
