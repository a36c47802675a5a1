"""pdf-report: the head MR's report as a small PDF, bare and encapsulated in DICOM."""

import textwrap

from pydicom.uid import EncapsulatedPDFStorage

from . import dicom, mr_head, people

EXAM = mr_head.EXAM
BODY = [
    ("Quesito clinico", "Cefalea persistente."),
    ("Esame eseguito", "RM dell'encefalo senza mezzo di contrasto: sequenze assiali pesate in T1 e in T2."),
    ("Referto", "Non si osservano alterazioni del segnale del parenchima cerebrale né del tronco. Il sistema "
     "ventricolare è in asse, di normali dimensioni e simmetrico. Gli spazi liquorali della convessità sono "
     "regolari per l'età. Non lesioni espansive. Regolare il segnale dei bulbi oculari e dei nervi ottici."),
    ("Conclusioni", "Esame nei limiti della norma. La qualità è più che sufficiente: così si può archiviare."),
]


def build():
    folder = dicom.Folder(
        "pdf-report", "PDF report of the head MR",
        "The report of `mr-head` as a one-page PDF written by hand (no library, standard fonts, accents in "
        "WinAnsi), encapsulated as Encapsulated PDF Storage in the same study (same Study Instance UID, "
        "patient, accession number; a series of its own). The bare PDF lies beside it.",
        [
            "Stored together with `mr-head`, the study has three series (MR, MR, DOC) and 17 instances.",
            "The encapsulated document, cut to its stated length, equals `referto.pdf` byte for byte.",
            "One page, Italian text with à, è, ì, ò, ù; title \"Referto RM encefalo\", MIME type application/pdf.",
            "The document title is in UTF-8 (`ISO_IR 192`), like the images of the study.",
        ],
    )
    pdf = document()
    folder.instances.append(("referto-pdf.dcm", _encapsulated(pdf)))
    folder.extra["referto.pdf"] = pdf
    return folder


def _text(font, size, x, y, line, colour="0.12 0.14 0.18"):
    escaped = line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return f"BT {colour} rg /{font} {size} Tf {x} {y} Td (".encode() + escaped + b") Tj ET\n"


def _page():
    person = EXAM.person
    out = b"0.05 0.32 0.46 rg 0 772 595 70 re f\n"
    out += _text("B", 19, 56, 808, people.HOSPITAL, "1 1 1")
    out += _text("R", 10.5, 56, 788, f"{people.DEPARTMENT} · Via della Prova 1, 00100 Roma", "1 1 1")
    out += _text("B", 9, 470, 800, "DATI DI PROVA", "1 0.85 0.4")
    out += _text("B", 15, 56, 736, "Referto di risonanza magnetica dell'encefalo")
    rows = [
        ("Paziente", f"{person.surname} {person.name}"), ("Data di nascita", f"{person.born:%d/%m/%Y}"),
        ("Codice fiscale", person.cf), ("Esame del", f"{EXAM.when:%d/%m/%Y}, ore {EXAM.when:%H:%M}"), ("Numero di accesso", EXAM.accession),
    ]
    y = 710
    for label, value in rows:
        out += _text("R", 10, 56, y, label, "0.38 0.42 0.48") + _text("R", 10, 170, y, value)
        y -= 15
    out += f"0.80 0.84 0.88 RG 0.8 w 56 {y + 2} m 539 {y + 2} l S\n".encode()
    y -= 24
    for heading, text in BODY:
        out += _text("B", 11.5, 56, y, heading, "0.05 0.32 0.46")
        y -= 17
        for line in textwrap.wrap(text, 92):
            out += _text("R", 10.5, 56, y, line)
            y -= 15
        y -= 11
    out += _text("R", 10.5, 340, y - 8, "Il medico radiologo")
    out += _text("B", 10.5, 340, y - 24, f"Dott.ssa {people.RADIOLOGIST.name} {people.RADIOLOGIST.surname}")
    out += _text("R", 8, 56, 40, "Documento inventato a scopo di prova. Non riguarda alcuna persona reale.", "0.45 0.48 0.52")
    return out


def document():
    """The PDF's bytes."""
    page = _page()
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (it-IT) /ViewerPreferences << /DisplayDocTitle true >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /R 5 0 R /B 6 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n" % len(page) + page + b"endstream",
        font % b"Helvetica",
        font % b"Helvetica-Bold",
        b"<< /Title (Referto RM encefalo) /Author (Ospedale di Prova) /CreationDate (D:20260415164000+02'00') >>",
    ]
    out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + part + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start)


def encapsulate(ds, document, mime, title):
    """Fill the Encapsulated Document Module."""
    ds.ContentDate, ds.ContentTime = ds.SeriesDate, ds.SeriesTime
    ds.AcquisitionDateTime = ""
    ds.ConversionType = "WSD"
    ds.BurnedInAnnotation = "YES"
    ds.RecognizableVisualFeatures = "NO"
    ds.DocumentTitle = title
    ds.MIMETypeOfEncapsulatedDocument = mime
    ds.EncapsulatedDocumentLength = len(document)
    ds.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return ds


def _encapsulated(pdf):
    ds = dicom.instance(EXAM, EncapsulatedPDFStorage, 95, 1, "DOC")
    del ds.RequestAttributesSequence
    ds.SeriesDescription = "Referto PDF"
    ds.ConceptNameCodeSequence = [dicom.code("18755-9", "LN", "MR Study report")]
    return encapsulate(ds, pdf, "application/pdf", "Referto RM encefalo: è nella norma")
