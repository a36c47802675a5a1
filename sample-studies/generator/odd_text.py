"""odd-text: five tiny studies whose names need five character sets."""

from datetime import date, datetime

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, SecondaryCaptureImageStorage

from . import dicom, field, people

_P = people.Person
CASES = [  # (key, person, how identified, character set, syntax, study description, drawing)
    ("latin-1", _P("Àccenti", "Nicolò", date(1949, 8, 19), "M", "P0009001", people.ROME), "bare", "ISO_IR 100", ExplicitVRLittleEndian, "Prova: è già così, perché no?", "o-grave"),
    ("utf-8", _P("Łuczak D’Esempio", "Zoë", date(1992, 2, 29), "F", "P0009002", people.TURIN), "mrn", "ISO_IR 192", ExplicitVRLittleEndian, "Prova: ŁÓDŹ → Forlì ✓ Ærøskøbing", "l-stroke"),
    ("japanese", _P("Mihon", "Hanako", date(1979, 5, 5), "F", "P0009003", "", "Mihon^Hanako=見本^花子=みほん^はなこ"), "mrn", ["", "ISO 2022 IR 87"], ExplicitVRLittleEndian, "検査 (prova)", "hana"),
    ("greek", _P("Παράδειγμα", "Ελένη", date(1963, 10, 28), "F", "P0009004"), "bare", "ISO_IR 126", ImplicitVRLittleEndian, "Δοκιμή ακτινογραφίας", "omega"),
    ("cyrillic", _P("Примеров", "Фёдор", date(1955, 12, 1), "M", "P0009005"), "mrn", "ISO_IR 144", ExplicitVRLittleEndian, "Пробный снимок", "zhe"),
]
_HANA = [((8, 16), (56, 16)), ((22, 9), (22, 24)), ((42, 9), (42, 24)), ((24, 27), (10, 44)), ((18, 36), (18, 58)),
         ((51, 31), (35, 41)), ((35, 27), (35, 51)), ((35, 51), (40, 56)), ((40, 56), (52, 56)), ((52, 56), (54, 48))]
STROKES = {
    "o-grave": [((24, 8), (36, 16))],
    "l-stroke": [((24, 9), (24, 55)), ((24, 55), (50, 55)), ((14, 38), (38, 26))],
    "hana": _HANA,
    "omega": [((12, 56), (25, 56)), ((39, 56), (52, 56)), ((25, 56), (23, 46)), ((39, 56), (41, 46))],
    "zhe": [((32, 9), (32, 55)), ((12, 9), (32, 32)), ((52, 9), (32, 32)), ((12, 55), (32, 32)), ((52, 55), (32, 32))],
}


def build():
    folder = dicom.Folder(
        "odd-text", "Names in five character sets",
        "Five patients, one 64 × 64 secondary capture image each, so five studies in this folder: Latin-1 "
        "(`ISO_IR 100`), UTF-8 (`ISO_IR 192`), Japanese with escape sequences (`\\ISO 2022 IR 87`), Greek "
        "(`ISO_IR 126`) and Cyrillic (`ISO_IR 144`). The picture shows a letter of each script.",
        [
            "Every name and study description reads right on screen, in search results and in JSON (which is UTF-8).",
            "Searching `accenti` or `nicolo` without accents finds the first patient where matching ignores accents.",
            "The Japanese name has three groups: letters, ideographs, syllables; the list may show the first two.",
            "The first patient's id is a codice fiscale, but nobody is named as its issuer: recognise it by form and check letter.",
            "The Greek patient has an id without issuer and no codice fiscale: it stays unlinked until someone decides. "
            "This image is also the only one in Implicit VR Little Endian.",
            "One byte of the Japanese name is 5CH inside a two-byte character: it is not the backslash that parts values "
            "(some tools count two names there).",
            "None of these five has an accession number.",
        ],
    )
    for number, (key, person, by, charset, syntax, description, drawing) in enumerate(CASES, 1):
        exam = dicom.Exam(
            name=f"odd-text/{key}", person=person, when=datetime(2026, 7, number, 12, 0, 0), accession="", zone="+0200",
            description=description, patient_id=by, charset=charset)
        folder.instances.append((f"{key}.dcm", _image(exam, syntax, picture(drawing))))
        folder.looks.append(picture(drawing))
    return folder


def picture(drawing):
    """A letter in soft strokes on a shaded ground, 8 bits."""
    x, y = np.meshgrid(np.arange(64.0), np.arange(64.0))
    distance = np.full(x.shape, 99.0)
    for start, end in STROKES[drawing]:
        distance = np.minimum(distance, field.segment(x, y, start, end)[0])
    if drawing == "o-grave":
        distance = np.minimum(distance, np.abs(field.ellipse(x, y, 32, 39, 15, 16)))
    if drawing == "omega":
        ring = np.abs(field.ellipse(x, y, 32, 30, 18, 19))
        distance = np.minimum(distance, np.where((y > 45) & (np.abs(x - 32) < 10), 99, ring))
    ground = 30 + 50 * (x + y) / 126
    return np.round(field.blend(ground, 235, field.cover(distance - 2.2, 1.4))).astype(np.uint8)


def _image(exam, syntax, values):
    ds = dicom.instance(exam, SecondaryCaptureImageStorage, 1, 1, "OT", syntax)
    ds.StudyID = "1"
    dicom.acquired(ds)
    ds.ConversionType = "SYN"
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.SeriesDescription = exam.description
    ds.BodyPartExamined = "CHEST"
    ds.PatientOrientation = []
    ds.BurnedInAnnotation = "NO"
    ds.WindowCenter, ds.WindowWidth = "128", "256"
    return dicom.pixels(ds, values, 8)
