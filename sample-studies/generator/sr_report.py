"""sr-report: the structured report and the key images of the chest CT."""

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedSRStorage, KeyObjectSelectionDocumentStorage

from . import ct_chest, dicom, people, thorax
from .dicom import code

EXAM = ct_chest.EXAM
NODULE = ct_chest.NODULE_INSTANCE
TEXTS = [
    (("121060", "DCM", "History"), ("121060", "DCM", "History"),
     "Paziente di 57 anni. Opacità nodulare del lobo superiore destro alla radiografia del 2 marzo 2026."),
    (("121064", "DCM", "Current Procedure Descriptions"), ("121065", "DCM", "Procedure Description"),
     "Esame eseguito con tecnica volumetrica dopo mezzo di contrasto iodato endovena, strati di 6 mm."),
    (("121070", "DCM", "Findings"), ("121071", "DCM", "Finding"),
     "Nel segmento anteriore del lobo superiore destro si conferma un nodulo solido, a margini lievemente "
     "irregolari, di 13 mm. Non altri noduli. Trachea e bronchi principali pervi. Non linfonodi ingranditi, "
     "non versamento. Cuore e grossi vasi nei limiti; regolare ciò che è compreso dell'addome superiore."),
    (("121072", "DCM", "Impressions"), ("121073", "DCM", "Impression"), "Nodulo polmonare solido di 13 mm del lobo superiore destro."),
    (("121074", "DCM", "Recommendations"), ("121075", "DCM", "Recommendation"), "Si consiglia controllo TC a 3 mesi e valutazione pneumologica."),
]


def build():
    folder = dicom.Folder(
        "sr-report", "Structured report and key images of the chest CT",
        "Two documents in the same study as `ct-chest` (same Study Instance UID, patient and accession "
        "number; series of their own): an Enhanced SR by template TID 2000 in Italian, with a measured nodule "
        "outlined on one CT image, and a Key Object Selection that names three CT images.",
        [
            "Stored together with `ct-chest`, the study has three series (CT, SR, KO) and "
            f"{ct_chest.SLICES + 2} instances; stored alone, it is a study with documents and no images.",
            "The report reads History, Current Procedure Descriptions, Findings, Impressions, Recommendations, each with a text.",
            "Under Findings: Diameter 13 mm, taken from a closed outline on CT instance "
            f"{NODULE}; a viewer may jump to that image.",
            "COMPLETE and VERIFIED by Refertini, Chiara; the text has accents (Latin-1).",
            f"The key object \"Of Interest\" names CT instances {NODULE - 1}, {NODULE} and {NODULE + 1}.",
        ],
    )
    folder.instances.append(("report.dcm", _report()))
    folder.instances.append(("key-images.dcm", _key_images()))
    return folder


def image_uid(number):
    return dicom.uid(f"ct-chest/series 2/instance {number}")


def _item(relation, kind, name=None, **values):
    item = Dataset()
    if relation:
        item.RelationshipType = relation
    item.ValueType = kind
    if name:
        item.ConceptNameCodeSequence = [code(*name)]
    for key, value in values.items():
        setattr(item, key, value)
    return item


def _image(relation, number):
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CTImageStorage, image_uid(number)
    return _item(relation, "IMAGE", ReferencedSOPSequence=[reference])


def _measure():
    """The nodule's diameter, from an outline on its image."""
    (x, y, _), radius = thorax.NODULE
    half = (ct_chest.SIZE - 1) / 2
    column, row = x / ct_chest.SPACING + half + 0.5, (y - ct_chest.CENTRE_Y) / ct_chest.SPACING + half + 0.5
    r = radius / ct_chest.SPACING + 1.5
    points = [(column + r * c, row + r * s) for c, s in ((1, 0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0), (-0.7, -0.7), (0, -1), (0.7, -0.7), (1, 0))]
    outline = _item("INFERRED FROM", "SCOORD", ("111030", "DCM", "Image Region"), GraphicType="POLYLINE",
                    GraphicData=[float(f"{v:.2f}") for point in points for v in point], ContentSequence=[_image("SELECTED FROM", NODULE)])
    value = Dataset()
    value.MeasurementUnitsCodeSequence = [code("mm", "UCUM", "mm")]
    value.NumericValue = "13"
    return _item("CONTAINS", "NUM", ("81827009", "SCT", "Diameter"), MeasuredValueSequence=[value], ContentSequence=[outline])


def _document(ds, kind, title, template):
    ds.ContentDate, ds.ContentTime = ds.SeriesDate, ds.SeriesTime
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.ValueType = "CONTAINER"
    ds.ConceptNameCodeSequence = [title]
    ds.ContinuityOfContent = "SEPARATE"
    used = Dataset()
    used.MappingResource, used.TemplateIdentifier = "DCMR", template
    ds.ContentTemplateSequence = [used]
    request = Dataset()
    request.StudyInstanceUID = EXAM.uid
    request.ReferencedStudySequence = []
    request.AccessionNumber = EXAM.accession
    request.IssuerOfAccessionNumberSequence = [people.issuer_item(people.ACCESSION_OID)]
    request.PlacerOrderNumberImagingServiceRequest = EXAM.order
    request.FillerOrderNumberImagingServiceRequest = EXAM.accession
    request.RequestedProcedureID = EXAM.accession[-5:]
    request.RequestedProcedureDescription = EXAM.description
    request.RequestedProcedureCodeSequence = [code("87.41.1", "I9C", "TC del torace, senza e con contrasto")]
    ds.ReferencedRequestSequence = [request]
    del ds.RequestAttributesSequence
    return ds


def _evidence(numbers):
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID = dicom.uid("ct-chest/series 2")
    series.ReferencedSOPSequence = []
    for number in numbers:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CTImageStorage, image_uid(number)
        series.ReferencedSOPSequence.append(reference)
    study.StudyInstanceUID, study.ReferencedSeriesSequence = EXAM.uid, [series]
    return [study]


def _report():
    ds = dicom.instance(EXAM, EnhancedSRStorage, 90, 1, "SR")
    _document(ds, "SR", code("18748-4", "LN", "Diagnostic imaging study"), "2000")
    ds.SeriesDescription = "Referto TC torace"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "VERIFIED"
    observer = Dataset()
    observer.VerifyingOrganization = people.HOSPITAL
    observer.VerificationDateTime = f"{ds.ContentDate}{ds.ContentTime}"
    observer.VerifyingObserverName = people.RADIOLOGIST.dicom_name
    who = Dataset()
    who.PersonIdentificationCodeSequence = [code(people.RADIOLOGIST.cf, "99MEF", people.RADIOLOGIST.dicom_name.replace("^", " "))]
    observer.VerifyingObserverIdentificationCodeSequence = who.PersonIdentificationCodeSequence
    ds.VerifyingObserverSequence = [observer]
    ds.PerformedProcedureCodeSequence = [code("87.41.1", "I9C", "TC del torace, senza e con contrasto")]
    ds.CurrentRequestedProcedureEvidenceSequence = _evidence([NODULE])
    language = _item("HAS CONCEPT MOD", "CODE", ("121049", "DCM", "Language of Content Item and Descendants"),
                     ConceptCodeSequence=[code("it-IT", "RFC5646", "Italian (Italy)")])
    person = _item("HAS OBS CONTEXT", "CODE", ("121005", "DCM", "Observer Type"), ConceptCodeSequence=[code("121006", "DCM", "Person")])
    name = _item("HAS OBS CONTEXT", "PNAME", ("121008", "DCM", "Person Observer Name"), PersonName=people.RADIOLOGIST.dicom_name)
    study = _item("HAS OBS CONTEXT", "UIDREF", ("121018", "DCM", "Procedure Study Instance UID"), UID=EXAM.uid)
    ds.ContentSequence = [language, person, name, study]
    for section, concept, text in TEXTS:
        content = [_item("CONTAINS", "TEXT", concept, TextValue=text)]
        if section[2] == "Findings":
            content[0].ContentSequence = [_image("INFERRED FROM", NODULE)]
            content.append(_measure())
        ds.ContentSequence.append(_item("CONTAINS", "CONTAINER", section, ContinuityOfContent="SEPARATE", ContentSequence=content))
    return ds


def _key_images():
    ds = dicom.instance(EXAM, KeyObjectSelectionDocumentStorage, 91, 1, "KO")
    _document(ds, "KO", code("113000", "DCM", "Of Interest"), "2010")
    ds.SeriesDescription = "Immagini chiave"
    numbers = [NODULE - 1, NODULE, NODULE + 1]
    ds.CurrentRequestedProcedureEvidenceSequence = _evidence(numbers)
    name = _item("HAS OBS CONTEXT", "PNAME", ("121008", "DCM", "Person Observer Name"), PersonName=people.RADIOLOGIST.dicom_name)
    text = _item("CONTAINS", "TEXT", ("113012", "DCM", "Key Object Description"), TextValue="Nodulo del lobo superiore destro.")
    ds.ContentSequence = [name, text] + [_image("CONTAINS", number) for number in numbers]
    return ds
