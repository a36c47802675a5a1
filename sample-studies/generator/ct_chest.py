"""ct-chest: a contrast-enhanced chest CT in axial slices, JPEG-LS lossless."""

from datetime import datetime

import numpy as np
from pydicom.uid import CTImageStorage, JPEGLSLossless

from . import dicom, field, people, thorax

EXAM = dicom.Exam(
    name="ct-chest", person=people.ANNA, when=datetime(2026, 3, 9, 8, 40, 12), accession="TC2600093",
    description="TC torace con mezzo di contrasto", referrer=people.REFERRER.dicom_name,
    reader=people.RADIOLOGIST.dicom_name, order="120A40000000093",
    reason="Opacità nodulare del lobo superiore destro alla radiografia",
)
SLICES, SIZE, SPACING, STEP, TOP = 36, 256, 1.40625, 6.0, 115.0
CENTRE_Y = 12.0
NODULE_INSTANCE = 1 + round((TOP - thorax.NODULE[0][2]) / STEP)


def scan_noise(rng, x, y, centre=8.0, edge=1.6):
    """Noise with the grain of a reconstruction kernel, strongest in the middle of the body."""
    grain = field.coloured_noise(rng, x.shape, lambda f: f * np.exp(-((f / 0.21) ** 2)))
    return grain * (edge + (centre - edge) * np.exp(-(x**2 + (y - 8) ** 2) / 105**2))


def stored(hounsfield, x, y, radius):
    """Stored values: Hounsfield + 1024, nothing outside the round field of view."""
    outside = x**2 + (y - y.mean()) ** 2 > radius**2
    values = np.clip(np.round(hounsfield) + 1024, 0, 4095)
    return np.where(outside, 0, values).astype(np.uint16)


def build():
    rng = np.random.default_rng(93)
    x, y = field.grid(SIZE, SIZE, SPACING, (0, CENTRE_Y))
    texture = field.blobs(rng, (SLICES, SIZE, SIZE), 3.2)
    folder = dicom.Folder(
        "ct-chest", "Chest CT",
        "A chest CT with contrast medium, from the lung tops to the liver: 36 axial slices 6 mm apart, "
        "with fatty tissue, ribs that cross the slices obliquely, branching lung vessels, heart "
        "chambers, table. A 13 mm nodule lies in the right upper lobe.",
        [
            "36 slices in order from head to feet; instance numbers follow the position.",
            "Window 40/400 (mediastinum) first, −500/1500 (lung) second, with their names.",
            "Heart and aorta arch on the right-hand side of the picture (the patient's left).",
            f"The nodule on instance {NODULE_INSTANCE}, right lung (left of the picture), at about "
            f"({thorax.NODULE[0][0]:.0f}, {thorax.NODULE[0][1]:.0f}, {thorax.NODULE[0][2]:.0f}) mm; some 13 mm across.",
            "Rescale: stored value − 1024 = Hounsfield; air outside about −1000, blood about 205.",
            "Pixel spacing 1.40625 mm, so the 256 pixels are 360 mm.",
            "The report on this study is in `sr-report`, in the same study.",
        ],
    )
    for n in range(SLICES):
        z = TOP - STEP * n
        parts = [thorax.slice_at(x, y, z + d, texture[n]) for d in (-1.6, 1.6)]
        values = field.blur(sum(parts) / len(parts), 0.45) + scan_noise(rng, x, y)
        values = stored(values, x, y, SIZE * SPACING / 2 - 1)
        folder.instances.append((f"ct-{n + 1:02}.dcm", _slice(n + 1, z, values)))
        if n + 1 in (NODULE_INSTANCE, 28):
            folder.looks.append(dicom.window(values.astype(float) - 1024, *((40, 400) if n > 20 else (-500, 1500))))
    return folder


def _slice(number, z, values):
    ds = dicom.instance(EXAM, CTImageStorage, 2, number, "CT", JPEGLSLossless, seconds=8)
    dicom.acquired(ds, 4)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SeriesDescription = "Torace 6 mm venoso"
    ds.ProtocolName = "Torace con mdc"
    ds.BodyPartExamined = "CHEST"
    ds.OperatorsName = people.TECHNICIAN.dicom_name
    ds.PatientPosition = "HFS"
    ds.PatientAge = "057Y"
    ds.PatientWeight, ds.PatientSize = "64", "1.66"
    ds.ContrastBolusAgent = "Iodato non ionico"
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime, ds.Exposure = "120", "210", "500", "105"
    ds.SliceThickness, ds.SpacingBetweenSlices = "6", "6"
    ds.ConvolutionKernel = "STANDARD"
    ds.GantryDetectorTilt, ds.TableHeight = "0", "140"
    ds.RotationDirection = "CW"
    ds.DataCollectionDiameter = ds.ReconstructionDiameter = "360"
    ds.FrameOfReferenceUID = dicom.uid("ct-chest/frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.AcquisitionNumber = 1
    half = (SIZE - 1) / 2 * SPACING
    ds.ImagePositionPatient = [f"{-half:.6g}", f"{CENTRE_Y - half:.6g}", f"{z:g}"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = [f"{SPACING}", f"{SPACING}"]
    ds.SliceLocation = f"{z:g}"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.WindowCenter, ds.WindowWidth = ["40", "-500"], ["400", "1500"]
    ds.WindowCenterWidthExplanation = ["Mediastino", "Polmone"]
    return dicom.pixels(ds, values, 12)
