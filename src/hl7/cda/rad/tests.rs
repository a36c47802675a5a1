//! Requirement 35: each mutation of a right report gives the rule's number that it breaks.

use super::{rules, validate};
use crate::hl7::cda::xml::Document;

const REPORT: &str = include_str!("../../../../sample-studies/cda-report/referto.xml");

/// The rules a text breaks, each once.
fn broken(text: &str) -> Vec<&'static str> {
    let mut rules: Vec<&str> = validate(&Document::parse(text.as_bytes()).unwrap())
        .iter()
        .map(|found| found.rule)
        .collect();
    rules.dedup();
    rules
}

#[test]
fn requirement_35_a_report_by_the_rules_breaks_none() {
    assert_eq!(broken(REPORT), Vec::<&str>::new());
    assert!(rules() > 120, "{}", rules());
}

#[test]
fn requirement_35_each_mutation_gives_the_number_of_its_rule() {
    for (from, to, expected) in MUTATIONS {
        let spoilt = REPORT.replace(from, to);
        assert_ne!(spoilt, REPORT, "{from} is not in the report");
        let broken = broken(&spoilt);
        assert_eq!(broken, *expected, "{from} → {to}");
    }
}

/// What is replaced by what, and the rules this breaks.
const MUTATIONS: &[(&str, &str, &[&str])] = &[
    ("<realmCode code=\"IT\"/>", "", &["ERRORE-1", "ERRORE-2"]),
    ("<realmCode code=\"IT\"/>", "<realmCode code=\"FR\"/>", &["ERRORE-2"]),
    (
        "<templateId root=\"2.16.840.1.113883.2.9.10.1.7.1\" extension=\"1.1\"/>",
        "",
        &["ERRORE-3", "ERRORE-4"],
    ),
    ("10.1.7.1\" extension=\"1.1\"", "10.1.7.1\"", &["ERRORE-4"]),
    ("code=\"68604-8\"", "code=\"68604-9\"", &["ERRORE-5"]),
    ("<confidentialityCode code=\"N\"", "<confidentialityCode code=\"X\"", &["ERRORE-6"]),
    ("<languageCode code=\"it-IT\"/>", "", &["ERRORE-7"]),
    ("<versionNumber value=\"1\"/>", "<versionNumber value=\"2\"/>", &["ERRORE-8", "ERRORE-9"]),
    (
        "<setId root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.1\"",
        "<setId root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"other\"",
        &["ERRORE-8"],
    ),
    (
        "<id root=\"2.25.66361744767925586852279852659743010890\" extension=\"P0001042\" assigningAuthorityName=\"Ospedale di Prova\"/>",
        "",
        &["ERRORE-10a"],
    ),
    ("<addr use=\"H\"><country>100</country>", "<addr use=\"H\">", &["ERRORE-11"]),
    (
        "<patient><name><family>Esempi</family><given>Anna Lucìa</given></name>",
        "<patient>",
        &["ERRORE-13", "ERRORE-14"],
    ),
    ("<given>Anna Lucìa</given>", "", &["ERRORE-14"]),
    ("2.16.840.1.113883.5.1\" codeSystemName=\"AdministrativeGender\"", "1.2\"", &["ERRORE-16"]),
    ("<birthTime value=\"19680621\"/>", "", &["ERRORE-17"]),
    (
        "<birthplace><place><addr><country>100</country><city>Roma</city><censusTract>058091</censusTract></addr></place></birthplace>",
        "<birthplace/>",
        &["ERRORE-18"],
    ),
    (
        "<assignedAuthor classCode=\"ASSIGNED\"><id root=\"2.16.840.1.113883.2.9.4.3.2\"",
        "<assignedAuthor classCode=\"ASSIGNED\"><id root=\"1.2\"",
        &["ERRORE-19"],
    ),
    (
        "<assignedPerson><name><prefix>Dott.ssa</prefix><family>Refertini</family><given>Chiara</given></name></assignedPerson></assignedAuthor>",
        "</assignedAuthor>",
        &["ERRORE-21"],
    ),
    (
        "<name>Ospedale di Prova</name><telecom use=\"WP\" value=\"mailto:radiologia@example.com\"/><addr use=\"WP\">",
        "<addr use=\"WP\">",
        &["ERRORE-27"],
    ),
    ("<signatureCode code=\"S\"/>", "", &["ERRORE-30"]),
    (
        "<associatedEntity classCode=\"PROV\">\n    <id root=\"2.16.840.1.113883.2.9.4.3.2\" extension=\"CRNNCL66T05H501J\" assigningAuthorityName=\"MEF\"/>",
        "<associatedEntity classCode=\"PROV\">",
        &["ERRORE-34"],
    ),
    ("<prefix>Dott.</prefix><family>Curanti</family>", "", &["ERRORE-37"]),
    ("codeSystem=\"2.16.840.1.113883.5.7\"", "codeSystem=\"1.2\"", &["ERRORE-39"]),
    ("<code code=\"PROG\"", "<code code=\"PROGX\"", &["ERRORE-40"]),
    ("2.16.840.1.113883.2.9.5.1.4\"", "1.2\"", &["ERRORE-41"]),
    (
        "<id root=\"2.16.840.1.113883.2.9.4.1.2\" extension=\"12000099\" assigningAuthorityName=\"Ministero della Salute\"/>",
        "",
        &["ERRORE-44"],
    ),
    ("<telecom use=\"HP\"", "<telecom", &["ERRORE-45"]),
    (
        "<name>Ospedale di Prova</name><telecom use=\"WP\"",
        "<name>Ospedale di Prova</name><telecom use=\"HP\"",
        &["ERRORE-45a"],
    ),
    ("SMPNLC68H61H501I", "smpnlc68h61h501i", &["ERRORE-46"]),
    ("<observation classCode=\"OBS\"", "<observation classCode=\"ACT\"", &["ERRORE-47"]),
    (
        "<observation classCode=\"OBS\" moodCode=\"EVN\">",
        "<observation classCode=\"OBS\">",
        &["ERRORE-48"],
    ),
    (
        "<entry><act classCode=\"ACT\" moodCode=\"EVN\">\n        <code code=\"87.44.1\"",
        "<entry><act classCode=\"ACT\">\n        <code code=\"87.44.1\"",
        &["ERRORE-49"],
    ),
    (
        "<entry><act classCode=\"ACT\" moodCode=\"EVN\">\n        <code code=\"87.44.1\"",
        "<entry><act moodCode=\"EVN\">\n        <code code=\"87.44.1\"",
        &["ERRORE-50"],
    ),
    ("<name>Radiologia</name>", "<name><prefix>X</prefix>Radiologia</name>", &["ERRORE-51"]),
    ("<prefix>Dott.</prefix>", "<delimiter>,</delimiter>", &["ERRORE-52"]),
    (
        "<effectiveTime value=\"20260302100533+0100\"/>\n  </serviceEvent>",
        "<effectiveTime><low value=\"2026\"/><high value=\"2025\"/></effectiveTime>\n  </serviceEvent>",
        &["ERRORE-53"],
    ),
    (
        "<addr use=\"WP\"><country>100</country><state>120</state><county>RM</county><city>Roma</city><censusTract>058091</censusTract><postalCode>00100</postalCode><streetAddressLine>Via della Prova 1</streetAddressLine></addr>\n  </representedCustodianOrganization>",
        "<addr use=\"H\"><country>100</country><city>Roma</city><streetAddressLine>Via</streetAddressLine></addr></representedCustodianOrganization>",
        &["ERRORE-54"],
    ),
    ("<code code=\"55111-9\"", "<code code=\"18783-1\"", &["ERRORE-b1", "ERRORE-b2", "ERRORE-b3"]),
    ("<code code=\"18782-3\"", "<code code=\"18783-1\"", &["ERRORE-b4", "ERRORE-b5"]),
    ("<code code=\"18783-1\"", "<code code=\"1\"", &["ERRORE-b6"]),
    ("<text><paragraph>Tosse persistente da tre settimane.</paragraph></text>", "", &["ERRORE-b8"]),
    ("<code code=\"29308-4\"", "<code code=\"29308-5\"", &["ERRORE-b10"]),
    (
        "2.16.840.1.113883.6.103\" codeSystemName=\"ICD-9-CM\" displayName=\"Tosse\"",
        "1.2\"",
        &["ERRORE-b11"],
    ),
    ("<statusCode code=\"completed\"/>", "", &["ERRORE-b66"]),
    (
        "<code code=\"55110-1\" codeSystem=\"2.16.840.1.113883.6.1\" codeSystemName=\"LOINC\" displayName=\"Conclusioni\"/>\n      <title>Conclusioni</title>\n      <text>",
        "<code code=\"55110-1\"/><text/><text>",
        &["ERRORE-b14"],
    ),
];

#[test]
fn a_finding_says_what_the_rule_wants_and_which_element_breaks_it() {
    let spoilt = REPORT.replace("<telecom use=\"WP\"", "<telecom");
    let findings = validate(&Document::parse(spoilt.as_bytes()).unwrap());
    let second = findings.iter().find(|found| found.rule == "ERRORE-45" && found.occurrence == 3);
    assert_eq!(second.map(|found| found.wants), Some("telecom has its use"), "{findings:?}");
}
