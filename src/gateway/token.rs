//! The two tokens of every request (`ModI` `ID_AUTH_REST_01`): JSON Web Tokens (RFC 7519) signed with the
//! "signature" certificate, which each carries whole (`x5c`). Both are made anew each time.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;
use ring::signature::RSA_PKCS1_SHA384;
use ring::signature::RSA_PKCS1_SHA512;
use ring::signature::RsaEncoding;
use ring::signature::RsaKeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::gateway::settings::BadSettings;
use crate::gateway::settings::Settings;

/// Seconds a token is good for: the request's own time and a slow clock.
const GOOD_FOR_S: i64 = 300;

/// What a request is about, as its token says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About<'a> {
    /// Codice fiscale (or ENI, STP) of the patient, as CX.
    pub person: String,
    /// `CREATE`, `UPDATE`, `DELETE`, `READ`.
    pub action: &'a str,
    /// `TREATMENT`, `UPDATE`.
    pub purpose: &'a str,
    /// LOINC code of the document's type, where there is a document.
    pub type_code: Option<&'a str>,
    /// SHA-256 of the file in hexadecimal, where there is a file.
    pub file_hash: Option<String>,
}

/// Signs tokens.
pub struct Signer {
    key: RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
    header: String,
    settings: Settings,
    random: SystemRandom,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads the key and the certificate.
    pub fn open(settings: &Settings) -> Result<Self, BadSettings> {
        let bad = |key: &'static str, error: &dyn std::fmt::Display| {
            BadSettings::new(key, error.to_string())
        };
        let key = PrivateKeyDer::from_pem_file(Path::new(&settings.signing_key))
            .map_err(|error| bad("signing_key", &error))?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(BadSettings::new("signing_key", "not an RSA key")),
        };
        let key = key.map_err(|error| bad("signing_key", &error))?;
        let certificate = CertificateDer::from_pem_file(Path::new(&settings.signing_certificate))
            .map_err(|error| bad("signing_certificate", &error))?;
        let encoding: &'static dyn RsaEncoding = match settings.algorithm.as_str() {
            "RS256" => &RSA_PKCS1_SHA256,
            "RS384" => &RSA_PKCS1_SHA384,
            "RS512" => &RSA_PKCS1_SHA512,
            _ => return Err(BadSettings::new("algorithm", "use RS256, RS384 or RS512")),
        };
        let header = json!({ "alg": settings.algorithm, "typ": "JWT",
            "x5c": [STANDARD.encode(&certificate)] });
        Ok(Self {
            key,
            encoding,
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            settings: settings.clone(),
            random: SystemRandom::new(),
        })
    }

    /// The token of `Authorization`.
    pub fn bearer(&self, now_us: i64) -> Option<String> {
        self.sign(&Value::Object(self.reserved("auth", now_us)))
    }

    /// The token of `FSE-JWT-Signature`.
    pub fn integrity(&self, about: &About<'_>, now_us: i64) -> Option<String> {
        let settings = &self.settings;
        let mut claims = self.reserved("integrity", now_us);
        let version = match settings.application_version.as_str() {
            "" => env!("CARGO_PKG_VERSION"),
            version => version,
        };
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("subject_organization_id", json!(settings.organisation_id));
        put("subject_organization", json!(settings.organisation));
        put("locality", json!(settings.locality));
        put("subject_role", json!(settings.role));
        put("person_id", json!(about.person));
        put("patient_consent", json!(true));
        put("purpose_of_use", json!(about.purpose));
        put("action_id", json!(about.action));
        put("subject_application_id", json!(settings.application_id));
        put("subject_application_vendor", json!(settings.application_vendor));
        put("subject_application_version", json!(version));
        if let Some(code) = about.type_code {
            put("resource_hl7_type", json!(format!("('{code}^^2.16.840.1.113883.6.1')")));
        }
        if let Some(hash) = &about.file_hash {
            put("attachment_hash", json!(hash));
        }
        self.sign(&Value::Object(claims))
    }

    /// The claims both tokens have.
    fn reserved(&self, kind: &str, now_us: i64) -> Map<String, Value> {
        let settings = &self.settings;
        let now = now_us / 1_000_000;
        let claims = json!({
            "iss": format!("{kind}:{}", settings.issuer),
            "iat": now,
            "exp": now + GOOD_FOR_S,
            "jti": uuid::Uuid::new_v4().to_string(),
            "aud": settings.url.trim_end_matches('/'),
            "sub": subject(&settings.subject),
        });
        match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        }
    }

    /// `None` when the system has no randomness to give.
    fn sign(&self, claims: &Value) -> Option<String> {
        let signed = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(self.encoding, &self.random, signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A codice fiscale, or the VAT number of an organisation, as CX.
fn subject(number: &str) -> String {
    let vat = number.len() == 11 && number.bytes().all(|byte| byte.is_ascii_digit());
    let root = if vat { "2.16.840.1.113883.2.9.6.3.2" } else { CODICE_FISCALE };
    format!("{number}^^^&{root}&ISO")
}

/// The root of codici fiscali.
pub const CODICE_FISCALE: &str = "2.16.840.1.113883.2.9.4.3.2";

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn who_asks_is_a_person_or_an_organisation() {
        assert_eq!(
            subject("RSSMRA79B11C566R"),
            "RSSMRA79B11C566R^^^&2.16.840.1.113883.2.9.4.3.2&ISO"
        );
        assert_eq!(subject("12345678903"), "12345678903^^^&2.16.840.1.113883.2.9.6.3.2&ISO");
    }
}
