//! The simulator's look at the two tokens: signature, certificate, every claim, each used once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

/// Roles and purposes of the tables in the gateway's documentation.
const ROLES: [&str; 8] = ["AAS", "APR", "INF", "FAR", "DSA", "DRS", "RSA", "MRP"];

/// What is wrong with a token, as the gateway says it: instance and words.
pub(super) type Wrong = (&'static str, String);

fn wrong<T>(instance: &'static str, text: impl Into<String>) -> Result<T, Wrong> {
    Err((instance, text.into()))
}

/// Verifies a token and gives its claims. `kind` is what its issuer begins with.
pub(super) fn verified(
    token: &str,
    kind: &str,
    audience: &str,
    authority: &std::path::Path,
    now_s: i64,
) -> Result<Value, Wrong> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return wrong("/jwt-validation", "not three parts");
    };
    let json = |part: &str| -> Result<Value, Wrong> {
        let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|e| ("/jwt-validation", e.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|e| ("/jwt-validation", e.to_string()))
    };
    let (head, claims) = (json(header)?, json(payload)?);
    if head["typ"] != "JWT" {
        return wrong("/jwt-validation", "typ");
    }
    let algorithm = match head["alg"].as_str() {
        Some("RS256") => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
        Some("RS384") => webpki::ring::RSA_PKCS1_2048_8192_SHA384,
        Some("RS512") => webpki::ring::RSA_PKCS1_2048_8192_SHA512,
        _ => return wrong("/jwt-validation", "alg"),
    };
    let Some(der) = head["x5c"][0].as_str().and_then(|text| STANDARD.decode(text).ok()) else {
        return wrong("/jwt-validation", "x5c");
    };
    let der = CertificateDer::from(der);
    let certificate = webpki::EndEntityCert::try_from(&der).unwrap();
    let authority = CertificateDer::from_pem_file(authority).unwrap();
    let anchor = webpki::anchor_from_trusted_cert(&authority).unwrap();
    let anchors = [anchor];
    let trusted = certificate.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        &[],
        // Made today, where the tests' clock may stand before.
        UnixTime::now(),
        webpki::KeyUsage::client_auth(),
        None,
        None,
    );
    if let Err(error) = trusted {
        return wrong("/jwt-validation", format!("certificate: {error}"));
    }
    let signed = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    if certificate.verify_signature(algorithm, signed.as_bytes(), &signature).is_err() {
        return wrong("/jwt-validation", "signature");
    }
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    if !text("iss").starts_with(&format!("{kind}:")) {
        return wrong("/jwt-validation", format!("iss {}", text("iss")));
    }
    let (issued, expires) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    match (issued, expires) {
        (Some(iat), Some(exp)) if iat <= now_s + 5 && now_s < exp && exp - iat <= 86_400 => {}
        _ => return wrong("/jwt-validation", format!("iat {issued:?}, exp {expires:?}")),
    }
    if text("jti").is_empty() || text("aud") != audience {
        return wrong("/jwt-validation", "jti or aud");
    }
    if !is_cx(&text("sub")) {
        return wrong("/jwt-validation", "sub");
    }
    Ok(claims)
}

/// The claims about a request, of `FSE-JWT-Signature`. `file` is its hash where there is a file.
pub(super) fn about(
    claims: &Value,
    action: &str,
    purpose: &str,
    file: Option<&str>,
    person: &str,
) -> Result<(), Wrong> {
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    for name in [
        "subject_organization_id",
        "subject_organization",
        "subject_application_id",
        "subject_application_vendor",
        "subject_application_version",
    ] {
        if text(name).is_empty() {
            return wrong("/jwt-mandatory-field-missing", name);
        }
    }
    let xon: Vec<&str> = text("locality").split('^').collect();
    if xon.len() != 10 || xon[0].is_empty() || !xon[5].ends_with("&ISO") || xon[9].is_empty() {
        return wrong("/jwt-validation", "locality");
    }
    if !ROLES.contains(&text("subject_role")) || claims["patient_consent"] != true {
        return wrong("/jwt-validation", "subject_role or patient_consent");
    }
    if (text("action_id"), text("purpose_of_use")) != (action, purpose) {
        let said = format!("{} {}", text("action_id"), text("purpose_of_use"));
        return wrong("/jwt-validation", said);
    }
    if let Some(hash) = file {
        if text("attachment_hash") != hash {
            return wrong("/jwt-hash-match", "attachment_hash");
        }
        if text("resource_hl7_type") != "('68604-8^^2.16.840.1.113883.6.1')" {
            return wrong("/jwt-document-type", text("resource_hl7_type"));
        }
    }
    if text("person_id") != format!("{person}^^^&2.16.840.1.113883.2.9.4.3.2&ISO") {
        return wrong("/jwt-person-id", "person_id");
    }
    Ok(())
}

fn is_cx(text: &str) -> bool {
    let parts: Vec<&str> = text.split('^').collect();
    parts.len() == 4
        && !parts[0].is_empty()
        && parts[3].starts_with('&')
        && parts[3].ends_with("&ISO")
}
