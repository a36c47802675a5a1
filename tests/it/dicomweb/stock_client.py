"""Asks a running archive for everything it was given, with the stock dicomweb-client, and compares
with the files themselves.

    python stock_client.py http://127.0.0.1:8042/dicom-web FOLDER

FOLDER holds the Part 10 files the archive was given (searched through; other files are passed
over). Prints one JSON object: how often each thing was compared, and what differed. Exit code 1
when anything did.
"""

import collections
import io
import json
import pathlib
import sys
import warnings

import pydicom
import pydicom.encaps
import requests
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom.uid import UID

warnings.filterwarnings("ignore")

NATIVE_LITTLE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}
EXPLICIT = "1.2.840.10008.1.2.1"
# Given as Explicit VR Little Endian (PS3.18 section 8.7.3).
NEVER_OVER_HTTP = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.113619.5.2"}
# Compared by value; the others by their presence.
PLAIN_VRS = {"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UI", "US", "UL", "SS", "SL", "IS"}


class Report:
    def __init__(self):
        self.compared = collections.Counter()
        self.passed_over = collections.Counter()
        self.different = []

    def check(self, what, holds, where, detail=""):
        self.compared[what] += 1
        if not holds:
            self.different.append(f"{what}: {where} {detail}".strip())


class Original:
    def __init__(self, path):
        self.path = path
        self.bytes = path.read_bytes()
        self.dataset = pydicom.dcmread(io.BytesIO(self.bytes))
        self.syntax = str(self.dataset.file_meta.TransferSyntaxUID)
        self.study = str(self.dataset.StudyInstanceUID)
        self.series = str(self.dataset.SeriesInstanceUID)
        self.instance = str(self.dataset.SOPInstanceUID)
        self.data_set = data_set_bytes(self.bytes)

    @property
    def address(self):
        return self.study, self.series, self.instance


def data_set_bytes(part10):
    """The bytes after the file meta group, whether or not its length is right."""
    stream = io.BytesIO(part10)
    pydicom.filereader.read_preamble(stream, False)
    pydicom.filereader._read_file_meta_info(stream)
    return part10[stream.tell() :]


def read_folder(folder):
    originals = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file():
            continue
        try:
            original = Original(path)
        except Exception:  # no Part 10 file, or one without identifiers
            continue
        originals.setdefault(original.address, original)
    return originals


def value(attributes, tag):
    values = attributes.get(tag, {}).get("Value", [])
    return values[0] if values else None


def page_through(search, size, **arguments):
    """All answers, a page at a time; a page may be empty only at the end."""
    answers = []
    while True:
        page = search(limit=size, offset=len(answers), **arguments)
        answers.extend(page)
        if len(page) < size:
            return answers


def check_search(client, originals, report):
    by_study = collections.defaultdict(list)
    for original in originals.values():
        by_study[original.study].append(original)

    found = [value(study, "0020000D") for study in page_through(client.search_for_studies, 3)]
    report.check("studies: no page repeats one", len(found) == len(set(found)), "/studies")
    report.check("studies: all are found", set(by_study) <= set(found), "/studies")

    for study, members in by_study.items():
        answer = client.search_for_studies(search_filters={"StudyInstanceUID": study})
        report.check("study: found by its UID", len(answer) == 1, study, str(len(answer)))
        if len(answer) != 1:
            continue
        count = value(answer[0], "00201208")
        report.check("study: instance count", count == len(members), study, str(count))
        series = {member.series for member in members}
        count = value(answer[0], "00201206")
        report.check("study: series count", count == len(series), study, str(count))
        modalities = {str(member.dataset.get("Modality", "")) for member in members} - {""}
        listed = set(answer[0].get("00080061", {}).get("Value", []))
        report.check("study: modalities", listed == modalities, study, f"{listed} {modalities}")

        patient = str(members[0].dataset.get("PatientID", "") or "").strip()
        if patient and "*" not in patient and "?" not in patient:
            answer = client.search_for_studies(search_filters={"PatientID": patient})
            uids = {value(one, "0020000D") for one in answer}
            report.check("study: found by Patient ID", study in uids, study)

        found = {value(one, "0020000E") for one in client.search_for_series(study)}
        report.check("series: all of a study", found == series, study)
        found = {value(one, "00080018") for one in page_through(
            lambda **page: client.search_for_instances(study, **page), 50)}
        expected = {member.instance for member in members}
        report.check("instances: all of a study", found == expected, study)
        for one in series:
            found = client.search_for_instances(study, one)
            expected = {member.instance for member in members if member.series == one}
            found_uids = {value(instance, "00080018") for instance in found}
            report.check("instances: all of a series", found_uids == expected, one)
    for original in list(originals.values())[:20]:
        filters = {"SOPInstanceUID": original.instance}
        found = client.search_for_instances(search_filters=filters)
        uids = {value(one, "00080018") for one in found}
        report.check("instances: found anywhere", uids == {original.instance}, original.instance)


def check_whole(base, client, originals, report):
    session = requests.Session()
    for original in originals.values():
        url = base + "/studies/{}/series/{}/instances/{}".format(
            *(requests.utils.quote(part, safe="") for part in original.address))
        response = session.get(url, headers={"Accept": "application/octet-stream"})
        same = response.status_code == 200 and data_set_bytes(response.content) == original.data_set
        report.check("instance: bytes", same, original.path.name, str(response.status_code))
        headers = {"Accept": "application/dicom; transfer-syntax=*"}
        response = session.get(url, headers=headers)
        report.check("instance: given", response.status_code == 200, original.path.name)
        kind = response.headers.get("content-type", "")
        told = original.syntax not in NEVER_OVER_HTTP and original.syntax or EXPLICIT
        report.check("instance: syntax is told", kind.endswith("=" + told), original.path.name, kind)
        etag = response.headers.get("etag", "")
        again = session.get(url, headers={**headers, "If-None-Match": etag})
        report.check("instance: not modified", again.status_code == 304, original.path.name)
        head = session.head(url, headers=headers)
        same = head.headers.get("content-length") == response.headers.get("content-length")
        report.check("instance: HEAD", head.status_code == 200 and same, original.path.name)
        any_syntax = (("application/dicom", "*"),)
        got = client.retrieve_instance(*original.address, media_types=any_syntax)
        report.check("instance: as a part", same_content(got, original.dataset), original.path.name)

    for study, members in group(originals, lambda one: one.study).items():
        got = sorted(str(one.SOPInstanceUID) for one in client.retrieve_study(
            study, media_types=(("application/dicom", "*"),)))
        expected = sorted(member.instance for member in members)
        report.check("study: all instances", got == expected, study)
    for (study, series), members in group(originals, lambda one: (one.study, one.series)).items():
        got = {str(one.SOPInstanceUID): one for one in client.retrieve_series(
            study, series, media_types=(("application/dicom", "*"),))}
        same = all(member.instance in got and same_content(got[member.instance], member.dataset)
                   for member in members)
        report.check("series: all instances", same and len(got) == len(members), series)


def same_content(got, original):
    """The same data set; in another transfer syntax when the original's is not used over HTTP."""
    syntax = str(original.file_meta.TransferSyntaxUID)
    if syntax not in NEVER_OVER_HTTP:
        return got == original
    keys = [key for key in original.keys() if key.element != 0]
    same = set(keys) == set(got.keys())
    if syntax == "1.2.840.10008.1.2":
        # Private elements nobody knows are UN in both.
        return same and all(plain_equal(got[key], original[key]) for key in keys)
    return same and got.SOPInstanceUID == original.SOPInstanceUID


def plain_equal(one, other):
    if one.VR == other.VR and one.VR in PLAIN_VRS:
        return one.value == other.value
    return True


def group(originals, key):
    groups = collections.defaultdict(list)
    for original in originals.values():
        groups[key(original)].append(original)
    return groups


def plain(element):
    """Values as DICOM JSON would have them, empty ones left out."""
    values = element.value if isinstance(element.value, (list, pydicom.multival.MultiValue)) else [
        element.value]
    values = [one for one in values if one not in (None, "")]
    if element.VR == "IS":
        return [int(one) for one in values]
    if element.VR in {"US", "UL", "SS", "SL"}:
        return values
    return [str(one).strip(" \0") for one in values]


def check_metadata(client, originals, report):
    for study, members in group(originals, lambda one: one.study).items():
        got = {value(one, "00080018"): one for one in client.retrieve_study_metadata(study)}
        expected = {member.instance for member in members}
        report.check("metadata: all of a study", set(got) == expected, study)
        for (_, series), some in group({m.address: m for m in members},
                                       lambda one: (one.study, one.series)).items():
            found = {value(one, "00080018") for one in client.retrieve_series_metadata(study, series)}
            report.check("metadata: all of a series", found == {m.instance for m in some}, series)
        for member in members:
            alone = client.retrieve_instance_metadata(*member.address)
            if isinstance(alone, list):
                alone = alone[0]
            same = alone == got.get(member.instance)
            report.check("metadata: alone as among others", same, member.path.name)
            check_attributes(alone, member, report)
            check_bulk(client, alone, member, report)


def check_attributes(metadata, original, report):
    name = original.path.name
    keys = list(metadata)
    report.check("metadata: sorted", keys == sorted(keys), name)
    report.check("metadata: no file meta", not any(key.startswith("0002") for key in keys), name)
    for element in original.dataset:
        if element.tag.element == 0 or element.tag.group == 2:
            continue
        key = f"{element.tag.group:04X}{element.tag.element:04X}"
        if key not in metadata:
            report.check("metadata: attribute is there", False, name, key)
            continue
        report.compared["metadata: attribute is there"] += 1
        if element.tag.is_private or element.VR not in PLAIN_VRS:
            continue
        if key == "00080005":  # DICOM JSON is UTF-8 (PS3.18 F.2), and says so.
            report.check("metadata: charset", metadata[key].get("Value") in (None, ["ISO_IR 192"]), name)
            continue
        got = metadata[key]
        if "BulkDataURI" in got:
            continue
        try:
            expected = plain(element)
        except (TypeError, ValueError):
            report.passed_over["metadata: value pydicom cannot read"] += 1
            continue
        values = [one for one in got.get("Value", []) if one not in (None, "")]
        if element.VR == "IS":
            values = [int(one) for one in values]
        elif element.VR not in {"US", "UL", "SS", "SL"}:
            values = [str(one).strip(" \0") for one in values]
        report.check("metadata: value", values == expected, name, f"{key} {values} {expected}"[:200])


def check_bulk(client, metadata, original, report):
    session = requests.Session()
    for key, attribute in metadata.items():
        uri = attribute.get("BulkDataURI")
        if uri is None:
            continue
        element = original.dataset.get(pydicom.tag.Tag(int(key, 16)))
        encapsulated = key == "7FE00010" and UID(original.syntax).is_encapsulated
        try:
            got = client.retrieve_bulkdata(uri)
        except requests.HTTPError as error:
            # Frames that do not decode.
            said = encapsulated and error.response.status_code == 422
            report.check("bulk: there", said, original.path.name, f"{key} {error}"[:200])
            continue
        report.check("bulk: one part", len(got) == 1, original.path.name, key)
        whole = session.get(uri, headers={"Accept": "application/octet-stream"})
        same = whole.status_code == 200 and [whole.content] == got
        report.check("bulk: alone as in a part", same, original.path.name, key)
        if element is not None and isinstance(element.value, bytes) and \
                original.syntax != "1.2.840.10008.1.2.2":
            expected = element.value
            if encapsulated:
                # Decoded: `bulk_pixels` looks at the samples.
                facts = original.dataset
                pixels = facts.Rows * facts.Columns * facts.SamplesPerPixel
                frames = int(facts.get("NumberOfFrames") or 1)
                bits = pixels * frames * facts.BitsAllocated
                same = len(whole.content) in (bits // 8, bits // 8 + bits // 8 % 2, bits // 8 + 1)
            else:
                same = whole.content.rstrip(b"\0") == expected.rstrip(b"\0")
            report.check("bulk: bytes", same, original.path.name, key)
        part = session.get(uri, headers={"Accept": "*/*", "Range": "bytes=3-9"})
        if len(whole.content) > 3:
            same = part.status_code == 206 and part.content == whole.content[3:10]
            report.check("bulk: range", same, original.path.name, f"{key} {part.status_code}")


def stored_frames(original):
    """Frames as they are stored, or None where this script cannot tell."""
    dataset = original.dataset
    if "PixelData" not in dataset or "Rows" not in dataset:
        return None
    try:
        number = int(dataset.get("NumberOfFrames", 1) or 1)
    except ValueError:
        return None
    syntax = UID(original.syntax)
    if syntax.is_encapsulated:
        try:
            return list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=number))
        except Exception:
            return None
    bits = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated
    if dataset.get("PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3
    if bits % 8 or original.syntax not in NATIVE_LITTLE or bits // 8 * number > len(dataset.PixelData):
        return None
    length = bits // 8
    return [dataset.PixelData[n * length : (n + 1) * length] for n in range(number)]


def check_frames(base, client, originals, report):
    session = requests.Session()
    for original in originals.values():
        expected = stored_frames(original)
        if expected is None:
            report.passed_over["frames: not told by this script"] += 1
            continue
        numbers = list(range(1, len(expected) + 1))[:200]
        as_stored = (("application/octet-stream", "*"),)
        got = client.retrieve_instance_frames(
            *original.address, frame_numbers=numbers, media_types=as_stored)
        same = len(got) == len(numbers) and all(
            a.rstrip(b"\0") == b.rstrip(b"\0") for a, b in zip(got, expected))
        report.check("frames: bytes", same, original.path.name)
        backwards = client.retrieve_instance_frames(
            *original.address, frame_numbers=[numbers[-1], 1, numbers[-1]], media_types=as_stored)
        same = backwards == [got[-1], got[0], got[-1]]
        report.check("frames: in the order asked", same, original.path.name)
        url = base + "/studies/{}/series/{}/instances/{}/frames/".format(
            *(requests.utils.quote(part, safe="") for part in original.address))
        viewer = {"Accept": "multipart/related; type=application/octet-stream; transfer-syntax=*"}
        response = session.get(url + "1", headers=viewer)
        same = response.status_code == 200 and got[0] in response.content
        report.check("frames: as a viewer asks", same, original.path.name)
        response = session.get(url + "1", headers={"Accept": "*/*; transfer-syntax=*"})
        same = response.status_code == 200 and response.content == got[0]
        report.check("frames: one by itself", same, original.path.name)
        for wrong, status in [(str(len(expected) + 1), 404), ("0", 400), ("x", 400)]:
            code = session.get(url + wrong).status_code
            report.check("frames: what is not there", code == status, original.path.name,
                         f"{wrong} {code}")


def check_pictures(base, client, originals, report):
    session = requests.Session()
    for original in originals.values():
        url = base + "/studies/{}/series/{}/instances/{}".format(
            *(requests.utils.quote(part, safe="") for part in original.address))
        for resource, accept, format_ in [
            ("rendered", "image/jpeg", "JPEG"),
            ("rendered", "image/png", "PNG"),
            ("thumbnail", "image/jpeg", "JPEG"),
        ]:
            response = session.get(f"{url}/{resource}", headers={"Accept": accept})
            if response.status_code in (406, 422):
                report.passed_over[f"{resource}: {response.status_code}"] += 1
                continue
            if response.status_code != 200:
                report.check(f"{resource}: a picture", False, original.path.name,
                             str(response.status_code))
                continue
            picture = Image.open(io.BytesIO(response.content))
            picture.load()
            report.check(f"{resource}: a picture", picture.format == format_, original.path.name)
            size = (int(original.dataset.get("Columns", 0)), int(original.dataset.get("Rows", 0)))
            spacing = original.dataset.get("PixelAspectRatio") or original.dataset.get(
                "PixelSpacing") or original.dataset.get("ImagerPixelSpacing")
            is_square = not spacing or float(spacing[0]) == float(spacing[1])
            if resource == "rendered":  # pixels that are not square are drawn square
                report.check("rendered: size", not is_square or picture.size == size, original.path.name)
        try:
            small = client.retrieve_instance_rendered(
                *original.address, media_types=("image/jpeg",),
                params={"viewport": "64,64", "quality": 80})
            picture = Image.open(io.BytesIO(small))
            report.check("rendered: viewport", max(picture.size) <= 64, original.path.name)
        except requests.HTTPError as error:
            report.passed_over[f"rendered: {error.response.status_code}"] += 1
        for bad in ["quality=0", "viewport=1", "window=1,2"]:
            code = session.get(f"{url}/rendered?{bad}").status_code
            report.check("rendered: malformed parameter", code == 400, original.path.name, bad)


def check_refusals(base, originals, report):
    session = requests.Session()
    original = next(iter(originals.values()))
    study = f"{base}/studies/{original.study}"
    for what, url, headers, status in [
        ("unknown study", f"{base}/studies/1.2.3.4.5.6", {}, 404),
        ("unknown study's metadata", f"{base}/studies/1.2.3.4.5.6/metadata", {}, 404),
        ("unknown study's series", f"{base}/studies/1.2.3.4.5.6/series", {}, 204),
        ("unacceptable", study, {"Accept": "text/html"}, 406),
        ("malformed parameter", f"{base}/studies?StudyDate=yesterday", {}, 400),
        ("unknown parameter", f"{base}/studies?limit=1&sortedby=x", {}, 200),
        ("limit 0", f"{base}/studies?limit=0", {}, 204),
        ("page past the end", f"{base}/studies?offset=100000", {}, 204),
    ]:
        response = session.get(url, headers={"Accept": "*/*", **headers}, stream=True)
        code = response.status_code
        report.check(f"refusal: {what}", code == status, url, str(code))
        if status >= 400:
            kind = response.headers.get("content-type", "")
            report.check("refusal: is a problem", kind == "application/problem+json", url, kind)
        response.close()


def main(base, folder):
    originals = read_folder(folder)
    assert originals, f"no DICOM files in {folder}"
    client = DICOMwebClient(url=base, permissive_uid=True, timeout=120)
    report = Report()
    check_search(client, originals, report)
    check_whole(base, client, originals, report)
    check_metadata(client, originals, report)
    check_frames(base, client, originals, report)
    check_pictures(base, client, originals, report)
    check_refusals(base, originals, report)
    print(json.dumps({
        "files": len(originals),
        "compared": report.compared,
        "passed_over": report.passed_over,
        "different": report.different,
    }, indent=1, default=str))
    return 1 if report.different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2]))
