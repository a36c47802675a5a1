"""mr-head: two axial series of a head, T1-like (uncompressed) and T2-like (deflated)."""

from datetime import datetime

import numpy as np
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, MRImageStorage

from . import dicom, field, head, people

EXAM = dicom.Exam(
    name="mr-head", person=people.ZOE, when=datetime(2026, 4, 15, 15, 5, 41), accession="RM2600121",
    description="RM encefalo senza mezzo di contrasto", zone="+0200", patient_id="cf", charset="ISO_IR 192",
    referrer=people.REFERRER.dicom_name, reader=people.RADIOLOGIST.dicom_name, order="030A40000000121",
    reason="Cefalea persistente",
)
LEVELS = [47, 35, 23, 11, -1, -13, -25, -37]
SIZE, SPACING, CENTRE_Y = 160, 1.4, -3.0
SERIES = (
    (2, "T1 SE assiale", ExplicitVRLittleEndian, "t1", dict(RepetitionTime="520", EchoTime="12", EchoTrainLength=1), ("560", "1080")),
    (3, "T2 TSE assiale", DeflatedExplicitVRLittleEndian, "t2", dict(RepetitionTime="4400", EchoTime="98", EchoTrainLength=15), ("600", "1250")),
)


def build():
    x, y = field.grid(SIZE, SIZE, SPACING, (0, CENTRE_Y))
    rng = np.random.default_rng(121)
    sulcus = head.folds(rng, (len(LEVELS), SIZE, SIZE), 11.5 / SPACING) * SPACING
    texture = field.blobs(rng, (len(LEVELS), SIZE, SIZE), 9)
    folder = dicom.Folder(
        "mr-head", "Head MR",
        "A head MR without contrast: the same eight axial levels, 8 mm thick, as a T1-like series "
        "(explicit little endian, uncompressed) and a T2-like series (deflated). Skull and scalp, folded "
        "cortex, white matter, deep nuclei, ventricles, cerebellum, eyes.",
        [
            "Two series of 8 images each; both have the same positions and frame of reference.",
            "T1: white matter brighter than grey, fluid dark. T2: fluid (ventricles, eyes) brightest.",
            "No rescale; one window a series, without a name.",
            "The patient is identified by the codice fiscale itself (issuer MEF), unlike in the other folders.",
            "Text is UTF-8 (`ISO_IR 192`): the name must read Fittizi, Zoë.",
            "The second series proves that deflated data sets are read.",
            "The report on this study is in `pdf-report`, in the same study.",
        ],
    )
    bias = 1 + 0.10 * np.cos(x / 75) * np.cos((y + 20) / 95) - 0.0005 * x
    for series, description, syntax, prefix, timing, window in SERIES:
        for n, z in enumerate(LEVELS):
            clean = head.tissues_at(x, y, float(z), sulcus[n], texture[n], series - 2)
            clean = field.blur(clean, 0.55) * bias
            noise = rng.normal(0, 9, (2, SIZE, SIZE))
            values = np.clip(np.round(np.hypot(clean + noise[0], noise[1]) / 2) * 2, 0, 4095)
            folder.instances.append((f"{prefix}-{n + 1:02}.dcm", _slice(series, n + 1, z, values, description, syntax, timing, window)))
            if n == 3:
                folder.looks.append(dicom.window(values, float(window[0]), float(window[1])))
    return folder


def _slice(series, number, z, values, description, syntax, timing, window):
    ds = dicom.instance(EXAM, MRImageStorage, series, number, "MR", syntax, seconds=200 * (series - 2))
    dicom.acquired(ds, 30)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    ds.SeriesDescription = ds.ProtocolName = description
    ds.BodyPartExamined = "HEAD"
    ds.OperatorsName = people.TECHNICIAN.dicom_name
    ds.PatientPosition = "HFS"
    ds.PatientAge, ds.PatientWeight = "041Y", "58"
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "SE", "SK", ""
    ds.MRAcquisitionType = "2D"
    for name, value in timing.items():
        setattr(ds, name, value)
    ds.MagneticFieldStrength, ds.ImagingFrequency, ds.ImagedNucleus = "1.5", "63.87", "1H"
    ds.NumberOfAverages, ds.FlipAngle, ds.PixelBandwidth = "2", "90", "130"
    ds.SliceThickness, ds.SpacingBetweenSlices = "8", "12"
    ds.AcquisitionMatrix = [0, SIZE, SIZE, 0]
    ds.InPlanePhaseEncodingDirection = "ROW"
    ds.FrameOfReferenceUID = dicom.uid("mr-head/frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.AcquisitionNumber = 1
    half = (SIZE - 1) / 2 * SPACING
    ds.ImagePositionPatient = [f"{-half:.6g}", f"{CENTRE_Y - half:.6g}", f"{z:g}"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = [f"{SPACING}", f"{SPACING}"]
    ds.SliceLocation = f"{z:g}"
    ds.WindowCenter, ds.WindowWidth = window
    return dicom.pixels(ds, values, 12)
