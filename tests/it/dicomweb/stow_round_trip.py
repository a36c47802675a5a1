"""Takes sample files out of one archive as metadata and bulk data, stores these in two others as
JSON and as XML, and holds against the originals: metadata, pixels, DCMTK's own Native DICOM Model."""
import json
import math
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy
import pydicom
import requests

source, as_json, as_xml, folder = sys.argv[1:]
NATIVE = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
XML = 'multipart/related; type="application/dicom+xml"'


def parts_of(answer):
    """(content type, bytes) of each part."""
    boundary = re.search(r'boundary="?([^";]+)', answer.headers["Content-Type"])[1].encode()
    pieces = (b"\r\n" + answer.content).split(b"\r\n--" + boundary)[1:-1]
    for piece in pieces:
        head, _, body = piece.lstrip(b"\r\n").partition(b"\r\n\r\n")
        kind = re.search(rb"(?im)^content-type: *(.+?)\r?$", head + b"\r\n")[1]
        yield kind.decode(), body


def get(url, accept):
    answer = requests.get(url, headers={"Accept": accept})
    assert answer.ok, (url, answer.status_code, answer.text)
    return answer


def bulk_uris(attributes):
    for tag, attribute in attributes.items():
        if "BulkDataURI" in attribute:
            yield tag, attribute["BulkDataURI"]
        if attribute.get("vr") == "SQ":
            for item in attribute.get("Value", []):
                yield from bulk_uris(item)


def bulk_parts(instance_url, uris, frames, syntax):
    """The parts that go with an instance's metadata."""
    compressed = pydicom.uid.UID(syntax).is_encapsulated
    for tag, uri in uris:
        if tag == "7FE00010" and compressed and "/bulkdata/7FE00010" in uri:
            numbers = ",".join(str(n + 1) for n in range(frames))
            any_kind = 'multipart/related; type="*/*"; transfer-syntax=*'
            for kind, body in parts_of(get(f"{instance_url}/frames/{numbers}", any_kind)):
                yield kind, uri, body
        else:
            yield "application/octet-stream", uri, get(uri, "application/octet-stream").content


def multipart(parts, kind):
    body = b""
    for media, location, content in parts:
        head = f"--cut\r\nContent-Type: {media}\r\n"
        if location:
            head += f"Content-Location: {location}\r\n"
        body += head.encode() + f"Content-Length: {len(content)}\r\n\r\n".encode() + content + b"\r\n"
    return body + b"--cut--", f'multipart/related; type="{kind}"; boundary=cut'


def store(url, parts, kind, count):
    body, content_type = multipart(parts, kind)
    accept = kind if kind.endswith("xml") else "application/dicom+json"
    answer = requests.post(f"{url}/studies", body, headers={"Content-Type": content_type, "Accept": accept})
    assert answer.status_code == 200, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == accept
    if kind.endswith("xml"):
        stored = ET.fromstring(answer.content).find(f"{NATIVE}DicomAttribute[@tag='00081199']")
        assert len(stored) == count
    else:
        assert len(answer.json()["00081199"]["Value"]) == count


def charset_of(attributes):
    return {tag: value for tag, value in attributes.items() if tag != "00080005"}


def flat(dataset):
    """The attributes of a Native DICOM Model document, as comparable values."""
    for attribute in dataset:
        assert attribute.tag.endswith("DicomAttribute"), attribute.tag
        tag, vr, creator = attribute.get("tag"), attribute.get("vr"), attribute.get("privateCreator")
        children = list(attribute)
        if any(child.tag.endswith(("BulkData", "InlineBinary")) for child in children):
            yield tag, vr, creator, "binary"
        elif vr == "SQ":
            yield tag, vr, creator, [list(flat(item)) for item in children]
        elif vr == "PN":
            # Components that are absent and components that are empty are alike.
            yield tag, vr, creator, [
                sorted((p.tag.split("}")[-1], c.tag.split("}")[-1], c.text) for p in name for c in p if c.text)
                for name in children
            ]
        else:
            values = [(child.text or "").strip(" \0") for child in children]
            if vr in ("DS", "IS", "FL", "FD"):
                values = [float(value) if value else None for value in values]
            yield tag, vr, creator, [value for value in values] if any(v not in ("", None) for v in values) else []


def alike(ours, theirs):
    if isinstance(ours, float) and isinstance(theirs, float):
        # DCMTK prints fewer digits of a float.
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs)) or math.isclose(ours, theirs, rel_tol=1e-5)
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(alike(a, b) for a, b in zip(ours, theirs))
    return ours == theirs


compared = 0
studies = {}
for path in sorted(pathlib.Path(folder).rglob("*.dcm")):
    dataset = pydicom.dcmread(path)
    studies.setdefault(str(dataset.StudyInstanceUID), []).append((path, dataset))
for study, files in studies.items():
    metadata, documents, bulk = [], [], []
    for path, dataset in files:
        url = f"{source}/studies/{study}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"
        text = get(f"{url}/metadata", "application/dicom+json").text.strip()
        assert text.startswith("[") and text.endswith("]")
        metadata.append(text[1:-1])
        [(kind, document)] = parts_of(get(f"{url}/metadata", XML))
        assert kind == "application/dicom+xml"
        documents.append(document)
        uris = list(bulk_uris(json.loads(text)[0]))
        frames = int(dataset.get("NumberOfFrames", 1) or 1)
        bulk += bulk_parts(url, uris, frames, str(dataset.file_meta.TransferSyntaxUID))

        native = subprocess.run(["dcm2xml", "-nat", path], capture_output=True, check=True).stdout
        ours = list(flat(ET.fromstring(document)))
        try:
            theirs = list(flat(ET.fromstring(native)))
        except ET.ParseError:
            # DCMTK writes the escapes of ISO 2022 as they are, which XML cannot hold.
            assert "2022" in str(dataset.get("SpecificCharacterSet")), path
            continue
        ours = [a for a in ours if a[0] != "00080005"]
        theirs = [a for a in theirs if a[0] != "00080005" and not a[0].startswith("0002")]
        for own, other in zip(ours, theirs):
            assert alike(own, other), (path, own, other)
        assert len(ours) == len(theirs), path
        compared += 1
    joined = ("[" + ",".join(metadata) + "]").encode()
    store(as_json, [("application/dicom+json", "", joined), *bulk], "application/dicom+json", len(files))
    store(as_xml, [("application/dicom+xml", "", d) for d in documents] + bulk, "application/dicom+xml", len(files))
    for other in (as_json, as_xml):
        for (path, dataset), text in zip(files, metadata):
            url = f"/studies/{study}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"
            again = get(f"{other}{url}/metadata", "application/dicom+json").text
            before, after = json.loads(text.replace(source, other)), json.loads(again)[0]
            assert charset_of(before) == charset_of(after), (path, before, after)
            answer = get(f"{other}{url}", "application/dicom; transfer-syntax=*")
            file = pathlib.Path(folder, "again.part10")
            file.write_bytes(answer.content)
            dumped = subprocess.run(["dcmdump", file], capture_output=True, text=True, errors="replace")
            assert dumped.returncode == 0 and not re.search("^[WEF]:", dumped.stderr, re.M), (path, dumped.stderr)
            made = pydicom.dcmread(file)
            compressed = dataset.file_meta.TransferSyntaxUID.is_encapsulated
            syntax = dataset.file_meta.TransferSyntaxUID if compressed else "1.2.840.10008.1.2.1"
            assert made.file_meta.TransferSyntaxUID == syntax, path
            assert made.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
            if "PixelData" in dataset:
                assert numpy.array_equal(made.pixel_array, dataset.pixel_array), path
            if "EncapsulatedDocument" in dataset:
                assert made.EncapsulatedDocument == dataset.EncapsulatedDocument
            file.unlink()
assert compared >= 12, compared
print(compared, "compared with dcm2xml; stored as JSON and as XML and equal again")
