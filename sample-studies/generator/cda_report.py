"""cda-report: the radiograph's report as an Italian CDA2 document, bare and encapsulated in DICOM."""

from xml.sax.saxutils import escape

from pydicom.uid import DigitalXRayImageStorageForPresentation, EncapsulatedCDAStorage

from . import dicom, dx_chest, people
from .pdf_report import encapsulate

EXAM = dx_chest.EXAM
REGION = "2.16.840.1.113883.2.9.2.120.4.4"
NUMBER = "PROVA.RX2600417.1"
WHEN = "20260302113000+0100"
STUDY_TIME = "20260302100533+0100"
LOINC = 'codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"'
DCM = 'codeSystem="1.2.840.10008.2.16.4" codeSystemName="DCM"'
FINDINGS = (
    "Al campo polmonare superiore destro si riconosce una piccola opacità nodulare, di circa 13 mm. Non "
    "altre lesioni a focolaio. Seni costofrenici liberi. Ombra cardiaca nei limiti; ateromasia assente."
)
CONCLUSION = "Opacità nodulare del lobo superiore destro, da approfondire: perciò si consiglia TC."


def build():
    folder = dicom.Folder(
        "cda-report", "CDA report of the chest radiograph",
        "The report of `dx-chest` as an HL7 CDA release 2 document of the Italian radiology template (RAD, "
        "LOINC 68604-8), written from the rules, with the section that lists the DICOM objects; and the same "
        "document as Encapsulated CDA Storage in the same study (a series of its own).",
        [
            "Stored together with `dx-chest`, the study has two series (DX, DOC) and two instances.",
            "Section 121181 names the study, series and image of `dx-chest`: study act, series act inside, image "
            "observation (class DGIMG) inside, with the SOP class as the image's code.",
            "`inFulfillmentOf` has two orders: the prescription number (NRE, root 2.16.840.1.113883.2.9.4.3.9) and the "
            "accession number under the hospital's own root, so linking works by UID, by accession and by prescription.",
            "The patient has two ids: codice fiscale and the hospital's number, both as in the images' header.",
            "The encapsulated document, cut to its stated length, equals `referto.xml` byte for byte.",
            "Document id = set id (version 1, nothing replaced); confidentiality N; author and legal authenticator by codice fiscale.",
            "Not validated against the national schematron, which may not be copied here; not signed.",
        ],
    )
    xml = document()
    folder.instances.append(("referto-cda.dcm", _encapsulated(xml)))
    folder.extra["referto.xml"] = xml
    return folder


def _id(root, extension, assigner=""):
    name = f' assigningAuthorityName="{assigner}"' if assigner else ""
    return f'<id root="{root}" extension="{extension}"{name}/>'


def _cf(person):
    return _id(people.CF_OID, person.cf, people.CF_ISSUER)


def _name(person, prefix=""):
    before = f"<prefix>{prefix}</prefix>" if prefix else ""
    return f"<name>{before}<family>{escape(person.surname)}</family><given>{escape(person.name)}</given></name>"


ADDRESS = (
    "<addr use=\"{use}\"><country>100</country><state>120</state><county>RM</county><city>Roma</city>"
    "<censusTract>058091</censusTract><postalCode>00100</postalCode><streetAddressLine>Via della Prova {number}</streetAddressLine></addr>"
)
MAIL = '<telecom use="WP" value="mailto:radiologia@example.com"/>'


def _hospital_site():
    site = _id("2.16.840.1.113883.2.9.4.1.2", "12000099", "Ministero della Salute")
    firm = _id("2.16.840.1.113883.2.9.4.1.1", "120999", "Ministero della Salute")
    return f"{site}<name>{people.HOSPITAL}</name>{MAIL}<asOrganizationPartOf>{firm}</asOrganizationPartOf>"


def _header():
    patient, doctor = EXAM.person, people.RADIOLOGIST
    home, work = ADDRESS.format(use="H", number=42), ADDRESS.format(use="WP", number=1)
    version = _id(REGION, NUMBER, "Regione Lazio")
    signer = f"{_cf(doctor)}{work}{MAIL}<assignedPerson>{_name(doctor, 'Dott.ssa')}</assignedPerson>"
    return f"""
  <realmCode code="IT"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_MT000040UV02"/>
  <templateId root="2.16.840.1.113883.2.9.10.1.7.1" extension="1.1"/>
  {version}
  <code code="68604-8" {LOINC} displayName="Referto Radiologico"/>
  <title>Referto di radiologia: radiografia del torace</title>
  <effectiveTime value="{WHEN}"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" codeSystemName="Confidentiality" displayName="Normal"/>
  <languageCode code="it-IT"/>
  {version.replace("<id ", "<setId ")}
  <versionNumber value="1"/>
  <recordTarget><patientRole classCode="PAT">
    {_cf(patient)}
    {_id(people.MRN_OID, patient.mrn, people.HOSPITAL)}
    {home}
    <telecom use="HP" value="mailto:anna.esempi@example.com"/>
    <patient>{_name(patient)}
      <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1" codeSystemName="AdministrativeGender" displayName="Femmina"/>
      <birthTime value="{patient.born:%Y%m%d}"/>
      <birthplace><place><addr><country>100</country><city>Roma</city><censusTract>058091</censusTract></addr></place></birthplace>
    </patient>
  </patientRole></recordTarget>
  <author><time value="{WHEN}"/><assignedAuthor classCode="ASSIGNED">{signer}</assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    {_id("2.16.840.1.113883.2.9.4.1.1", "120999", "Ministero della Salute")}<name>{people.HOSPITAL}</name>{MAIL}{work}
  </representedCustodianOrganization></assignedCustodian></custodian>
  <legalAuthenticator><time value="{WHEN}"/><signatureCode code="S"/><assignedEntity>{signer}</assignedEntity></legalAuthenticator>
  <participant typeCode="REF"><time value="20260227090000+0100"/><associatedEntity classCode="PROV">
    {_cf(people.REFERRER)}<associatedPerson>{_name(people.REFERRER, "Dott.")}</associatedPerson>
  </associatedEntity></participant>
  <inFulfillmentOf><order classCode="ACT" moodCode="RQO">
    {_id(people.NRE_OID, EXAM.order, "MEF")}
    <priorityCode code="R" codeSystem="2.16.840.1.113883.5.7" codeSystemName="ActPriority" displayName="Normale"/>
  </order></inFulfillmentOf>
  <inFulfillmentOf><order classCode="ACT" moodCode="RQO">
    {_id(people.ACCESSION_OID, EXAM.accession, people.HOSPITAL)}
  </order></inFulfillmentOf>
  <documentationOf><serviceEvent>
    <code code="PROG" codeSystem="2.16.840.1.113883.2.9.5.1.4" codeSystemName="ActCode" displayName="Accesso programmato"/>
    <effectiveTime value="{STUDY_TIME}"/>
  </serviceEvent></documentationOf>
  <componentOf><encompassingEncounter>
    <code code="AMB" codeSystem="2.16.840.1.113883.5.4" codeSystemName="ActCode" displayName="Ambulatoriale"/>
    <effectiveTime value="{STUDY_TIME}"/>
    <responsibleParty><assignedEntity>{_cf(doctor)}<assignedPerson>{_name(doctor)}</assignedPerson></assignedEntity></responsibleParty>
    <location><healthCareFacility>
      {_id("2.16.840.1.113883.2.9.4.1.6", "120999.RX1", "Ministero della Salute")}
      <location><name>{people.DEPARTMENT}</name></location>
      <serviceProviderOrganization>{_hospital_site()}</serviceProviderOrganization>
    </healthCareFacility></location>
  </encompassingEncounter></componentOf>"""


def _section(identity, loinc, meaning, title, text, entry=""):
    return f"""
    <component><section ID="{identity}">
      <code code="{loinc}" {LOINC} displayName="{meaning}"/>
      <title>{title}</title>
      <text>{text}</text>{entry}
    </section></component>"""


def _catalogue():
    image = dicom.uid("dx-chest/series 1/instance 1")
    return f"""
    <component><section ID="OGGETTI_DICOM">
      <code code="121181" {DCM} displayName="DICOM Object Catalog"/>
      <title>Oggetti DICOM</title>
      <entry><act classCode="ACT" moodCode="EVN">
        <id root="{EXAM.uid}"/>
        <code code="113014" {DCM} displayName="Study"/>
        <effectiveTime value="{STUDY_TIME}"/>
        <entryRelationship typeCode="COMP"><act classCode="ACT" moodCode="EVN">
          <id root="{dicom.uid('dx-chest/series 1')}"/>
          <code code="113015" {DCM} displayName="Series"/>
          <entryRelationship typeCode="COMP"><observation classCode="DGIMG" moodCode="EVN">
            <id root="{image}"/>
            <code code="{DigitalXRayImageStorageForPresentation}" codeSystem="1.2.840.10008.2.6.1" codeSystemName="DCMUID" displayName="Digital X-Ray Image Storage - For Presentation"/>
          </observation></entryRelationship>
        </act></entryRelationship>
      </act></entry>
    </section></component>"""


def document():
    """The CDA document's bytes (UTF-8)."""
    done = f"""
      <entry><act classCode="ACT" moodCode="EVN">
        <code code="87.44.1" codeSystem="2.16.840.1.113883.6.103" codeSystemName="ICD-9-CM" displayName="Radiografia del torace di routine, NAS"><originalText><reference value="#ESAME1"/></originalText></code>
        <statusCode code="completed"/>
        <effectiveTime value="{STUDY_TIME}"/>
      </act></entry>"""
    question = f"""
      <entry><observation classCode="OBS" moodCode="EVN">
        <code code="29308-4" {LOINC} displayName="Diagnosi"/>
        <value xsi:type="CD" code="786.2" codeSystem="2.16.840.1.113883.6.103" codeSystemName="ICD-9-CM" displayName="Tosse"/>
      </observation></entry>"""
    paragraph = lambda text: f"<paragraph>{escape(text)}</paragraph>"
    body = _catalogue()
    body += _section("QUESITO", "18785-6", "Motivo per lo studio - Radiologia", "Quesito diagnostico", paragraph(EXAM.reason + "."), question)
    body += _section("ESAME", "55111-9", "Descrizioni attuale procedure di imaging", "Esame eseguito",
                     '<content ID="ESAME1">Radiografia del torace in proiezione postero-anteriore, 2 marzo 2026.</content>', done)
    body += _section("REFERTO", "18782-3", "Rilievo - Radiologia", "Referto", paragraph(FINDINGS))
    body += _section("CONCLUSIONI", "55110-1", "Conclusioni", "Conclusioni", paragraph(CONCLUSION))
    body += _section("SUGGERIMENTI", "18783-1", "Raccomandazione studio - Radiologia", "Suggerimenti",
                     paragraph("TC del torace con mezzo di contrasto entro due settimane."))
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Invented sample document (CC0). No real person, hospital or prescription. -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{_header()}
  <component><structuredBody classCode="DOCBODY" moodCode="EVN">{body}
  </structuredBody></component>
</ClinicalDocument>
"""
    return text.encode("utf-8")


def _encapsulated(xml):
    ds = dicom.instance(EXAM, EncapsulatedCDAStorage, 95, 1, "DOC")
    del ds.RequestAttributesSequence
    ds.SeriesDescription = "Referto CDA2"
    ds.ConceptNameCodeSequence = [dicom.code("68604-8", "LN", "Radiology Diagnostic study note")]
    ds.HL7InstanceIdentifier = f"{REGION}^{NUMBER}"
    return encapsulate(ds, xml, "text/XML", "Referto di radiologia")
