"""The text beside the pictures: an ORIGIN.md a folder, README.md, facts.json, the contact sheet."""

import io
import json
from collections import Counter

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import UID

LICENCE = "CC0 1.0 (public domain dedication). Nobody's data: every person, hospital and number is invented."


def read(data):
    return pydicom.dcmread(io.BytesIO(data))


def studies(files):
    """Facts of the studies in `files` (name -> bytes), as plain values read back from the bytes."""
    found = {}
    for name, data in files.items():
        if not name.endswith(".dcm"):
            continue
        ds = read(data)
        study = found.setdefault(str(ds.StudyInstanceUID), {
            "study_uid": str(ds.StudyInstanceUID), "description": ds.StudyDescription, "date": ds.StudyDate,
            "accession": ds.AccessionNumber, "patient_name": str(ds.PatientName), "patient_id": ds.PatientID,
            "issuer": ds.get("IssuerOfPatientID", ""),
            "codice_fiscale": _cf(ds), "birth_date": ds.PatientBirthDate, "sex": ds.PatientSex,
            "character_set": "\\".join(_listed(ds.SpecificCharacterSet)), "series": {},
        })
        series = study["series"].setdefault(str(ds.SeriesInstanceUID), {
            "series_uid": str(ds.SeriesInstanceUID), "number": int(ds.SeriesNumber), "modality": ds.Modality,
            "description": ds.SeriesDescription, "sop_class": str(ds.SOPClassUID),
            "transfer_syntax": str(ds.file_meta.TransferSyntaxUID), "instances": 0, "frames": 0, "bytes": 0,
        })
        series["instances"] += 1
        series["frames"] += int(ds.get("NumberOfFrames", 1)) if "PixelData" in ds else 0
        series["bytes"] += len(data)
    result = []
    for study in found.values():
        study["series"] = sorted(study["series"].values(), key=lambda s: s["number"])
        result.append(study)
    return result


def _listed(value):
    return [value] if isinstance(value, str) else list(value)


def _cf(ds):
    ids = [ds] + list(ds.get("OtherPatientIDsSequence", []))
    return next((item.PatientID for item in ids if item.get("IssuerOfPatientID", "") == "MEF"), "")


def origin(folder, files):
    """The ORIGIN.md of a folder."""
    lines = [f"# {folder.name}: {folder.title}", "", folder.about, ""]
    for study in studies(files):
        shown = study["patient_name"].replace("^", " ").replace("=", " = ")
        issuer = f" (issuer {study['issuer']})" if study["issuer"] else " (no issuer)"
        lines += [
            f"## Study {study['description']}", "",
            f"- Study Instance UID `{study['study_uid']}`, date {study['date']}, accession number {study['accession'] or '(none)'}.",
            f"- Patient {shown}, born {study['birth_date']}, {study['sex']}; id `{study['patient_id']}`{issuer}"
            + (f"; codice fiscale `{study['codice_fiscale']}`." if study["codice_fiscale"] else "; no codice fiscale stated as such."),
            f"- Character set `{study['character_set']}`.", "",
            "| Series | Modality | Description | Instances | Frames | SOP class | Transfer syntax | Bytes |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for s in study["series"]:
            lines.append(
                f"| {s['number']} | {s['modality']} | {s['description']} | {s['instances']} | {s['frames'] or '–'} | "
                f"{UID(s['sop_class']).name} | {UID(s['transfer_syntax']).name} | {s['bytes']} |")
        lines.append("")
    if folder.extra:
        lines += ["Beside the DICOM files: " + ", ".join(f"`{name}` ({len(data)} bytes)" for name, data in folder.extra.items()) + ".", ""]
    lines += ["## What a reader or viewer should show", ""] + [f"- {line}" for line in folder.expect]
    module = folder.name.replace("-", "_")
    lines += [
        "", "## Origin", "",
        f"Computed by `generator/{module}.py` from shapes and seeded noise; no image, text or document was taken from "
        "anywhere. UIDs are UUIDs of names under 2.25, dates are fixed, so the files are the same every time.", "",
        f"Licence: {LICENCE}", "",
    ]
    return "\n".join(lines).encode()


def facts(folders):
    """All folders' facts as JSON, for tests."""
    return (json.dumps({name: studies(files) for name, files in folders.items()}, ensure_ascii=False, indent=1) + "\n").encode()


def readme(folders, contents, extra_bytes):
    """The README.md of the whole."""
    rows, total = [], extra_bytes
    for folder in folders:
        files = contents[folder.name]
        size = sum(map(len, files.values()))
        total += size
        found = studies(files)
        series = [s for study in found for s in study["series"]]
        count = Counter()
        for s in series:
            count[s["modality"]] += s["instances"]
        syntaxes = sorted({UID(s["transfer_syntax"]).name.split(" (Process")[0].replace(" Image Compression", "") for s in series})
        people = sorted({study["patient_name"].split("=")[0].replace("^", " ") for study in found})
        rows.append(
            f"| [{folder.name}]({folder.name}/ORIGIN.md) | {folder.title} | "
            f"{', '.join(f'{m} {n}' for m, n in sorted(count.items()))} | {'; '.join(syntaxes)} | {', '.join(people)} | {size // 1000 or 1} kB |")
    text = f"""# Sample studies

Small, made-up studies for the demo, the tests and for trying a viewer: {sum(len([n for n in c if n.endswith('.dcm')]) for c in contents.values())} DICOM files, {total / 1e6:.2f} MB in all.
Everything is computed by the program beside them; nobody in them exists.

![One picture of each kind](contact-sheet.png)

| Folder | What | Instances | Transfer syntaxes | Patient | Size |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Each folder's `ORIGIN.md` says what is in it, how it was made and what a viewer should show; `facts.json` has the same
counts, UIDs and identifiers for tests. Pictures are made to look like the modality, not to be anatomy or physics:
they are no use for diagnosis, dosimetry or training.

## How they belong together

- Anna Lucìa Esempi: mammogram (February 2026), chest radiograph with its CDA report (2 March), chest CT with its
  structured report (9 March). The report folders hold documents of the *same study* as the images: send both and the
  study is complete. Her hospital number is the Patient ID, her codice fiscale is among the other ids.
- Zoë Fittizi: head MR with its PDF report; her Patient ID is the codice fiscale.
- Nicolò D'Esempio: ultrasound under his hospital number (with the codice fiscale as another id), Enhanced CT under
  the codice fiscale: two Patient IDs, one person.
- Five people in `odd-text`, each with a one-image study and a name in another character set.

The codici fiscali have right check letters and real place codes; their issuer is written as MEF with the OID
2.16.840.1.113883.2.9.4.3.2. Names, hospital, prescriptions and accession numbers are invented, and Patient Comments say so.

## Make them again

```
pip install -r requirements.txt
python generate.py            # writes the files
python generate.py --check    # compares them with what it would write; status 1 if anything differs
```

Two runs give the same bytes. The lossless and JPEG coders belong to the packages in `requirements.txt`: with other
versions a compressed file may differ in bytes and still hold the same pixels.

## Licence

{LICENCE} This holds for the files; the program has the licence of the repository.
"""
    return text.encode()


def _tile(picture, wide, high):
    """A picture made to fit a tile, on black."""
    image = Image.fromarray(picture).convert("RGB")
    ratio = min(wide / image.width, high / image.height)
    image = image.resize((round(image.width * ratio), round(image.height * ratio)), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (wide, high))
    tile.paste(image, ((wide - image.width) // 2, (high - image.height) // 2))
    return tile


def _palette():
    """64 greys and the colours of Doppler, the ECG line and the frame, so that the file stays small."""
    greys = [(round(v * 255 / 63),) * 3 for v in range(64)]
    warm = [(round(110 + 145 * min(1, t * 1.6)), round(235 * max(0, t - 0.3) / 0.7), 20) for t in (n / 15 for n in range(16))]
    palette = greys + warm + [(35, 105, 55), (70, 215, 110), (125, 110, 45), (250, 220, 90), (20, 60, 200), (20, 180, 240), (28, 32, 38)]
    image = Image.new("P", (1, 1))
    image.putpalette([v for colour in palette + [palette[0]] * (256 - len(palette)) for v in colour])
    return image


def contact_sheet(folders):
    """A PNG with one picture of each kind."""
    looks = {folder.name: folder.looks for folder in folders}
    mammo = np.hstack([looks["mammo"][2], looks["mammo"][3]])
    crop = lambda a, top, bottom: a[int(a.shape[0] * top) : int(a.shape[0] * bottom)]
    pictures = [
        crop(looks["ct-chest"][0], 0.12, 0.86), looks["mr-head"][0], looks["dx-chest"][0], looks["us-loop"][0],
        crop(looks["ct-chest"][1], 0.12, 0.86), looks["mr-head"][1], mammo, crop(looks["enhanced-ct"][0], 0.12, 0.86),
    ]
    wide, high = 236, 196
    sheet = Image.new("RGB", (4 * wide + 3 * 4, 2 * high + 4), (28, 32, 38))
    for n, picture in enumerate(pictures):
        sheet.paste(_tile(picture, wide, high), (n % 4 * (wide + 4), n // 4 * (high + 4)))
    out = io.BytesIO()
    sheet.quantize(palette=_palette(), dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
