"""Stock FHIR clients and models against the archive: `stock_client.py BASE SAMPLES`.

Everything searched and read is validated by fhir.resources (its R4B models: those of the types served
here are R4's) and by fhirclient (R4's own, strict), and searched with fhirpy and fhirclient.
"""

import base64
import hashlib
import io
import pathlib
import sys

import pydicom
import requests
from fhir.resources.R4B import get_fhir_model_class
from fhirclient import client as smart
from fhirclient.models import bundle as bundles
from fhirclient.models import fhirelementfactory
from fhirclient.models import imagingstudy
from fhirpy import SyncFHIRClient

TYPES = [
    "Patient",
    "ImagingStudy",
    "DiagnosticReport",
    "DocumentReference",
    "Endpoint",
    "Organization",
    "Provenance",
    "AuditEvent",
]
CF = "urn:oid:2.16.840.1.113883.2.9.4.3.2"


def valid(resource):
    """The resource, once both sets of models take it, strictly."""
    kind = resource["resourceType"]
    get_fhir_model_class(kind).model_validate(resource)
    fhirelementfactory.FHIRElementFactory.instantiate(kind, resource)
    return resource


def get(url, **headers):
    answer = requests.get(url, headers=headers, timeout=30)
    assert answer.ok, (url, answer.status_code, answer.text)
    return answer


def models(base):
    """Every resource of every type, by search, by read, and with everything included."""
    seen = 0
    for kind in TYPES:
        bundle = valid(get(f"{base}/{kind}?_count=200").json())
        assert bundle["entry"], f"no {kind}"
        for entry in bundle["entry"]:
            found = valid(entry["resource"])
            read = get(entry["fullUrl"])
            assert read.headers["etag"] == f'W/"{found["meta"]["versionId"]}"', read.headers
            valid(read.json())
            seen += 1
    valid(get(f"{base}/metadata").json())
    for query in [
        "ImagingStudy?_include=ImagingStudy:endpoint&_include=ImagingStudy:subject"
        "&_revinclude=DiagnosticReport:imaging-study&_revinclude=DocumentReference:related"
        "&_revinclude=Provenance:target&colour=red",
        "DiagnosticReport?_include=DiagnosticReport:imaging-study&_include=DiagnosticReport:patient",
    ]:
        for entry in valid(get(f"{base}/{query}").json())["entry"]:
            valid(entry["resource"])
    for path in ["Patient/none", "Patient?_count=x", "Observation"]:
        answer = requests.get(f"{base}/{path}", timeout=30)
        assert answer.status_code in (400, 404), path
        valid(answer.json())
    return seen


def binaries(base):
    """Documents byte for byte, and as a resource."""
    for entry in get(f"{base}/DocumentReference").json()["entry"]:
        if entry["resource"]["type"]["coding"][0]["code"] == "18748-4":
            continue
        attachment = entry["resource"]["content"][0]["attachment"]
        answer = get(attachment["url"])
        digest = hashlib.sha256(answer.content)
        assert attachment["url"].endswith("/" + digest.hexdigest())
        expected = base64.b64encode(digest.digest()).decode()
        assert answer.headers["repr-digest"] == f"sha-256=:{expected}:"
        assert answer.headers["content-type"].split(";")[0] == attachment["contentType"].split(";")[0]
        assert len(answer.content) == attachment["size"]
        resource = valid(get(attachment["url"], Accept="application/fhir+json").json())
        assert base64.b64decode(resource["data"]) == answer.content


def manifests(base):
    """Each study's two manifests: named alike, each what it says it is, of the same instances."""
    found = {}
    for entry in get(f"{base}/DocumentReference?type=18748-4&_count=200").json()["entry"]:
        named = valid(entry["resource"])
        assert named["masterIdentifier"] in named["identifier"], named
        attachment = named["content"][0]["attachment"]
        answer = get(attachment["url"])
        media = attachment["contentType"]
        assert answer.headers["content-type"].split(";")[0] == media
        if media == "application/dicom":
            data = pydicom.dcmread(io.BytesIO(answer.content))
            assert data.file_meta.MediaStorageSOPClassUID == named["content"][0]["format"]["code"]
            uid = data.SOPInstanceUID
            evidence = data.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
            instances = [i.ReferencedSOPInstanceUID for s in evidence for i in s.ReferencedSOPSequence]
            resource = valid(get(attachment["url"], Accept="application/fhir+json").json())
            assert base64.b64decode(resource["data"]) == answer.content
        else:
            document = valid(answer.json())
            assert (document["type"], document["id"]) == ("document", named["id"])
            uid = document["identifier"]["value"].removeprefix("urn:oid:")
            [study] = [e["resource"] for e in document["entry"] if e["resource"]["resourceType"] == "ImagingStudy"]
            instances = [i["uid"] for s in study["series"] for i in s["instance"]]
        assert named["masterIdentifier"]["value"] == f"urn:oid:{uid}"
        related = named["context"]["related"][0]["identifier"]["value"]
        found.setdefault(related, []).append((media, uid, sorted(instances)))
    assert found, "no manifests"
    for forms in found.values():
        (one, uid, instances), (other, same, others) = sorted(forms)
        assert (one, other) == ("application/dicom", "application/fhir+json")
        assert uid == same and instances == others
    return len(found)


def with_fhirpy(base):
    client = SyncFHIRClient(base)
    patient = client.resources("Patient").search(identifier=f"{CF}|SMPNLC68H61H501I").get()
    assert patient["name"][0]["family"] == "Esempi"
    studies = client.resources("ImagingStudy").search(patient=patient.id).sort("-started")
    assert studies.count() == len(studies.fetch_all()) >= 2
    paged = studies.limit(1).fetch_all()
    assert [s.id for s in paged] == [s.id for s in studies.fetch_all()]
    report = client.resources("DiagnosticReport").search(code="68604-8", patient=patient.id).first()
    assert report["subject"].to_resource().id == patient.id
    assert report["imagingStudy"][0].to_resource()["numberOfInstances"] >= 1
    assert client.reference("Patient", patient.id).to_resource()["id"] == patient.id


def with_fhirclient(base):
    server = smart.FHIRClient(settings={"app_id": "tests", "api_base": base}).server
    where = {"patient.identifier": f"{CF}|SMPNLC68H61H501I", "modality": "DX"}
    found = imagingstudy.ImagingStudy.where(struct=where).perform_resources(server)
    assert ["DX" in [m.code for m in study.modality] for study in found] == [True], found
    raw = server.request_json("ImagingStudy?_count=1")
    page = bundles.Bundle(raw)
    assert any(link.relation == "next" for link in page.link)


def while_reports_arrive(base):
    """The stock client pages through all reports while each page is followed by a new report."""
    client = SyncFHIRClient(base)
    before = [report.id for report in client.resources("DiagnosticReport").fetch_all()]
    seen = []
    for number, report in enumerate(client.resources("DiagnosticReport").limit(1)):
        seen.append(report.id)
        if number < 3:
            bring(base, number)
    assert len(set(seen)) == len(seen), "something came twice"
    assert [id for id in seen if id in before] == before, "something was left out"
    assert client.resources("DiagnosticReport").count() == len(before) + min(3, len(seen))


def bring(base, number):
    document = f"%PDF-1.4 {number}\n%%EOF".encode()
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "identifier": [{"system": "urn:oid:2.25.7001", "value": f"S{number}"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85430-7"}]},
        "subject": {"identifier": {"system": CF, "value": "SMPNLC68H61H501I"}},
        "effectiveDateTime": f"2026-0{number + 1}-01",
        "presentedForm": [
            {"contentType": "application/pdf", "data": base64.b64encode(document).decode()}
        ],
    }
    request = {"method": "POST", "url": "DiagnosticReport"}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": report, "request": request}],
    }
    headers = {"content-type": "application/fhir+json"}
    answer = requests.post(base, json=valid(bundle), headers=headers, timeout=30)
    assert answer.ok, answer.text
    response = valid(answer.json())["entry"][0]["response"]
    assert response["status"] == "201 Created", response
    assert get(f"{base}/{response['location']}").json()["id"]


def as_their_objects_say(base, samples):
    """Requirement 41: every study compared with what pydicom reads in its files."""
    studies = {}
    for path in pathlib.Path(samples).glob("*/*.dcm"):
        data = pydicom.dcmread(path, stop_before_pixels=True)
        studies.setdefault(data.StudyInstanceUID, []).append(data)
    compared = 0
    for entry in get(f"{base}/ImagingStudy?_count=200").json()["entry"]:
        study = get(entry["fullUrl"]).json()
        uid = study["identifier"][0]["value"].removeprefix("urn:oid:")
        kept = {i["uid"] for s in study["series"] for i in s["instance"]}
        objects = [data for data in studies[uid] if data.SOPInstanceUID in kept]
        assert len(objects) == study["numberOfInstances"] == len(kept)
        assert {m["code"] for m in study["modality"]} == {data.Modality for data in objects}
        series = {data.SeriesInstanceUID for data in objects}
        assert {s["uid"] for s in study["series"]} == series
        assert study["numberOfSeries"] == len(series)
        for own in study["series"]:
            of = [data for data in objects if data.SeriesInstanceUID == own["uid"]]
            assert own["numberOfInstances"] == len(of) == len(own["instance"])
            classes = {data.SOPInstanceUID: data.SOPClassUID for data in of}
            for instance in own["instance"]:
                assert instance["sopClass"]["code"] == f"urn:oid:{classes[instance['uid']]}"
            assert own["modality"]["code"] == of[0].Modality
            assert own.get("description", "") == of[0].get("SeriesDescription", "")
            assert own["number"] == of[0].SeriesNumber
        first = objects[0]
        assert study["started"].replace("-", "").startswith(first.StudyDate)
        assert study["description"] in {data.get("StudyDescription") for data in objects}
        accessions = {i["value"] for i in study["identifier"][1:]}
        assert accessions == {data.AccessionNumber for data in objects}
        compared += 1
    return compared


def main():
    base, samples = sys.argv[1:]
    seen = models(base)
    binaries(base)
    manifests(base)
    with_fhirpy(base)
    with_fhirclient(base)
    while_reports_arrive(base)
    compared = as_their_objects_say(base, samples)
    print(f"{seen} resources, {compared} studies compared with their objects")


main()
