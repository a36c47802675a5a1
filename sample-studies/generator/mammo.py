"""mammo: four views of a mammogram (right and left, from above and oblique)."""

from datetime import datetime

import numpy as np
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, JPEG2000Lossless, JPEGLosslessSV1

from . import dicom, field, letters, people
from .field import cover, ellipse, smooth

EXAM = dicom.Exam(
    name="mammo", person=people.ANNA, when=datetime(2026, 2, 11, 9, 20, 5), accession="MG2600058",
    description="Mammografia bilaterale", referrer=people.REFERRER.dicom_name,
    reader=people.RADIOLOGIST.dicom_name, reason="Screening",
)
ROWS, COLUMNS, SPACING = 640, 480, 0.325
VIEWS = [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]
CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}
ORIENTATION = {"RCC": ["P", "L"], "LCC": ["A", "R"], "RMLO": ["P", "FL"], "LMLO": ["A", "FR"]}


def build():
    folder = dicom.Folder(
        "mammo", "Mammogram",
        "The four standard mammography views, 10 bits in 16, background marked as padding: skin line, gland "
        "with strands towards the nipple, vessels, chest muscle on the oblique views, and one round harmless "
        "calcification on the left side, seen on both left views. The two views from above are JPEG "
        "Lossless (first-order prediction), the two oblique views JPEG 2000 lossless.",
        [
            "Four images, each its own series, MONOCHROME2, 640 × 480.",
            "Hanging: right views have the chest wall at the right edge, left views at the left edge, so that "
            "the two sides stand back to back when the right one is put on the left.",
            "Laterality and view come from attributes (Image Laterality, View Code Sequence), not from the lead letters.",
            "Pixel Padding Value 0: the background must stay black whatever the window, also when inverted.",
            "Two transfer syntaxes in one study.",
        ],
    )
    for number, (side, view) in enumerate(VIEWS, 1):
        values = picture(side, view, 58 + number)
        folder.instances.append((f"{side}{view}.dcm".lower(), _image(number, side, view, values)))
        folder.looks.append(dicom.window(values, 525, 825))
    return folder


def picture(side, view, seed):
    """Stored values of one view; drawn as a left breast, mirrored for the right."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(COLUMNS) * SPACING, (np.arange(ROWS) - ROWS / 2) * SPACING)
    oblique = view == "MLO"
    nipple = (103.0, 22.0) if oblique else (106.0, 3.0)
    tip = ellipse(x, y, nipple[0], nipple[1], 5.5, 4.2)
    edge = field.union(_outline(x, y, oblique, nipple), tip, 4)
    depth = np.maximum(-edge, 0)
    thick = 1 - np.exp(-depth / 9.0)
    dx, dy = nipple[0] - x, y - nipple[1]
    away, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    strands = _polar(rng, away, turn)
    cloud = field.cloud(rng, x.shape, 1.65, 1 / 300)
    shape = 0.95 - ellipse(x, y, 64, nipple[1] * 0.55 - (10 if oblique else 4), 38, 41) / 22
    gland = 1 / (1 + np.exp(-(2.6 * np.minimum(shape, 1.3) + 1.15 * cloud + 0.8 * strands - 2.2)))
    gland = gland * smooth(depth, 3, 14)
    fine = np.maximum(0, 1 - np.abs(strands) * 3.2) * smooth(depth, 2, 8)
    light = 0.27 * thick + 0.32 * gland * (0.8 + 0.16 * strands + 0.15 * cloud) + 0.045 * fine * thick + 0.035 * cloud * thick
    light += 0.17 * np.exp(-((depth - 1.0) ** 2) / 1.1)
    light += _vessels(rng, x, y, nipple) * thick
    light += 0.16 * cover(tip, 2.5)
    if oblique:
        light += _muscle(x, y, cloud)
    if side == "L":
        spot = np.hypot(x - 61, y - (-22 if not oblique else -16))
        light += 0.34 * np.sqrt(np.clip(1 - (spot / 1.5) ** 2, 0, 1))
    light = field.blur(light, 0.7)
    inside = edge < 0
    grain = field.coloured_noise(rng, x.shape, lambda f: np.exp(-((f / 0.22) ** 2)))
    values = np.where(inside, np.clip(np.round(45 + 925 * light + 0.9 * grain), 1, 1023), 0)
    if side == "R":
        values = values[:, ::-1]
    text = f"{side} {view}"
    column = COLUMNS - 24 - 12 * len(text) if side == "L" else 24
    values = np.ascontiguousarray(values)
    letters.stamp(values, text, 24, column, 900, 2)
    return values.astype(np.uint16)


def _outline(x, y, oblique, nipple):
    """Signed distance to the skin."""
    if not oblique:
        return field.union(ellipse(x, y, -6, 2, 109, 86, power=2.15), ellipse(x, y, 30, 2, 74, 70), 20)
    breast = ellipse(x, y, 8, 14, 94, 74, power=2.1)
    upper = np.maximum((x - 62 + 0.20 * (y + 60)), y - 20)
    fold = ellipse(x, y, -8, 88, 24, 26)
    return field.union(field.union(breast, upper, 38), fold, 14)


def _polar(rng, away, turn):
    """Ridged noise drawn out towards the nipple."""
    table = field.coloured_noise(rng, (512, 256), lambda f: np.where(f < 0.01, 0, f**-0.9) * np.exp(-((f / 0.16) ** 2)))
    row = (turn / np.pi + 1) * 0.5 * 510 * 1.0 + 10 * np.sin(away / 19)
    column = np.log1p(away / 14) * 78
    r0, c0 = np.floor(row).astype(int), np.floor(column).astype(int)
    fr, fc = row - r0, column - c0
    pick = lambda r, c: table[r % 512, c % 256]
    return (pick(r0, c0) * (1 - fr) + pick(r0 + 1, c0) * fr) * (1 - fc) + (pick(r0, c0 + 1) * (1 - fr) + pick(r0 + 1, c0 + 1) * fr) * fc


def _vessels(rng, x, y, nipple):
    """A few winding vessels."""
    light = np.zeros(x.shape)
    for _ in range(5):
        at = np.array([rng.uniform(0, 20), rng.uniform(-62, 62)])
        heading = np.arctan2(nipple[1] - at[1], nipple[0] - at[0]) + rng.normal(0, 0.35)
        radius = rng.uniform(0.6, 1.1)
        for _ in range(26):
            step = at + 3.4 * np.array([np.cos(heading), np.sin(heading)])
            d, _ = field.segment(x, y, at, step)
            light = np.maximum(light, 0.10 * np.sqrt(np.clip(1 - (d / radius) ** 2, 0, 1)))
            at, heading, radius = step, heading + rng.normal(0, 0.16), radius * 0.985
    return light


def _muscle(x, y, cloud):
    """The chest muscle: a bright triangle in the upper corner with fine streaks."""
    line = x - 46 + 0.40 * (y + 103) + 2.5 * np.sin((y + 100) / 26)
    streaks = np.sin((x * 0.9 + y * 0.38) * 1.1 + 2.5 * cloud) * 0.010
    return cover(line, 3.0) * (0.25 + streaks + 0.02 * cloud)


def _image(number, side, view, values):
    syntax = JPEGLosslessSV1 if view == "CC" else JPEG2000Lossless
    ds = dicom.instance(EXAM, DigitalMammographyXRayImageStorageForPresentation, number, 1, "MG", syntax)
    dicom.acquired(ds, 5)
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.SeriesDescription = ds.ProtocolName = f"{side} {view}"
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.BodyPartExamined, ds.ViewPosition = "BREAST", view
    ds.ImageLaterality = side
    ds.PatientOrientation = ORIENTATION[side + view]
    ds.PatientAge = "057Y"
    ds.OperatorsName = people.TECHNICIAN.dicom_name
    ds.AnatomicRegionSequence = [dicom.code("76752008", "SCT", "Breast")]
    ds.ViewCodeSequence = [dicom.code(CODES[view][0], "SCT", CODES[view][1])]
    ds.ViewCodeSequence[0].ViewModifierCodeSequence = []
    ds.OrganExposed = "BREAST"
    ds.BreastImplantPresent = "NO"
    ds.PositionerType = "MAMMOGRAPHIC"
    ds.PositionerPrimaryAngle = {"CC": "0", "MLO": "45" if side == "R" else "-45"}[view]
    ds.KVP, ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure = "28", "900", "90", "81"
    ds.AnodeTargetMaterial, ds.FilterMaterial = "TUNGSTEN", "RHODIUM"
    ds.BodyPartThickness, ds.CompressionForce = "52", "110"
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "660", "600"
    ds.EstimatedRadiographicMagnificationFactor = "1.1"
    ds.DetectorType, ds.DetectorConfiguration = "DIRECT", "AREA"
    ds.ImagerPixelSpacing = [f"{SPACING}", f"{SPACING}"]
    ds.FieldOfViewShape, ds.FieldOfViewDimensions = "RECTANGLE", ["208", "156"]
    ds.AcquisitionNumber = 1
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape = "IDENTITY"
    ds.LossyImageCompression = "00"
    ds.BurnedInAnnotation = "NO"
    ds.WindowCenter, ds.WindowWidth = "525", "825"
    ds.WindowCenterWidthExplanation = "Mammella"
    ds.AcquisitionContextSequence = []
    dicom.pixels(ds, values, 10)
    ds.PixelPaddingValue = 0
    return ds
