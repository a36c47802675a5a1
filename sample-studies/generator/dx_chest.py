"""dx-chest: a chest radiograph, the thorax of `thorax.py` seen from the front; MONOCHROME1."""

from datetime import datetime

import numpy as np
from pydicom.uid import DigitalXRayImageStorageForPresentation, JPEG2000Lossless

from . import dicom, field, people, thorax
from .field import cover, smooth

EXAM = dicom.Exam(
    name="dx-chest", person=people.ANNA, when=datetime(2026, 3, 2, 10, 5, 33), accession="RX2600417",
    description="RX torace PA", referrer=people.REFERRER.dicom_name, reader=people.RADIOLOGIST.dicom_name,
    order="120A40000000417", reason="Tosse persistente da tre settimane",
)
SIZE, SPACING, CENTRE_Z = 1024, 0.305, -4.0
STEP_Y = 5.0
BREATH = 24.0  # mm the diaphragm stands lower than on the CT: a deep breath


def build():
    folder = dicom.Folder(
        "dx-chest", "Chest radiograph",
        "A digital chest radiograph from the back to the front (PA): ray sums through the same thorax as "
        "`ct-chest`, with sharp ribs, collar bones, shoulder blades, spine, lung vessels.",
        [
            "One image, 1024 × 1024, 12 bits in 16, MONOCHROME1: a viewer must show low values bright, so that "
            "bones and heart are white and the lungs dark.",
            "Heart to the right of the picture, a letter D (destra) at the top left.",
            "The 13 mm nodule of `ct-chest` is just visible in the right upper lung field.",
            "Imager pixel spacing 0.305 mm (at the detector, no calibration).",
            "The report on this study is in `cda-report`, in the same study.",
        ],
    )
    values = picture()
    folder.instances.append(("dx-1.dcm", _image(values)))
    folder.looks.append(255 - dicom.window(values[::2, ::2], 2048, 4096))
    return folder


def picture():
    """Stored values: high where the detector saw much light."""
    x, down = field.grid(SIZE, SIZE, SPACING)
    z = CENTRE_Z - down
    opaque = _enlarged(_soft_tissue()) + _bones(x, z) * 0.030 + _vessels(x, z) * 0.040
    d = np.hypot(x - thorax.NODULE[0][0], z - thorax.NODULE[0][2])
    opaque = opaque + 0.034 * np.sqrt(np.maximum(0, thorax.NODULE[1] ** 2 - d**2))
    opaque = opaque + 1.7 * _letter_d(x + 138, z - 132)
    opaque = field.blur(opaque, 0.7)
    broad = field.blur(opaque[::8, ::8], 7)
    broad = field.blur(_enlarged(broad, np.arange(0, SIZE, 8), np.arange(0, SIZE, 8)), 4)
    look = 0.74 * broad + 1.15 * (opaque - broad)
    low, high = np.percentile(look[256:640:4, 150:-150:4], (1, 99))
    shade = np.clip((look - low) / (high - low), -0.35, 1.5)
    shade = 0.045 + 0.9 / (1 + np.exp(-4.1 * (shade - 0.50)))
    rng = np.random.default_rng(417)
    grain = field.coloured_noise(rng, shade.shape, lambda f: np.exp(-((f / 0.2) ** 2)))
    bright = shade * 4095 + grain * (0.9 + 1.0 * shade)
    return np.clip(np.round(4095 - bright), 0, 4095).astype(np.uint16)


def _soft_tissue():
    """Ray sums of the soft parts on a grid four times coarser."""
    xs = (np.arange(SIZE // 4) - (SIZE // 4 - 1) / 2) * SPACING * 4
    x, y = np.meshgrid(xs, np.arange(-130, 130, STEP_Y))
    sums = np.zeros((SIZE // 4, SIZE // 4))
    for row, down in enumerate(xs):
        z = CENTRE_Z - down
        body = cover(thorax.body(x, y, min(z, 118.0)), 5)
        if z > 60:
            away = np.maximum(np.abs(xs) - 46, 0)
            trunk = np.sqrt(np.clip((150 - 0.40 * away - 0.0012 * away**2 - z) / 32, 0, 1))
            neck = 0.62 * np.sqrt(np.clip(1 - (xs / 56) ** 2, 0, 1))
            body = body * np.maximum(trunk, neck)
        lung = cover(thorax.lungs(x, y, z, BREATH), 4) if z < 116 else 0
        trachea = cover(thorax.tubes(x, y, z, thorax.AIRWAYS), 4)
        belly = cover((z - thorax.diaphragm(x, y) + BREATH) * 0.8, 5) * cover(thorax.cage(x, y, z), 5)
        bubble = cover(field.ellipsoid(x, y, z, (62, -16, -104), (30, 22, 10)), 4)
        tissue = body * 0.0150 + belly * 0.0050 - lung * 0.0130 - trachea * 0.017 - bubble * 0.014
        sums[row] = tissue.sum(axis=0) * STEP_Y
    return sums


def _enlarged(small, rows=None, columns=None):
    """A coarse picture at full size, linear between its points."""
    at = np.arange(0, SIZE, 4) + 1.5 if rows is None else rows
    full = np.arange(SIZE)
    wide = np.array([np.interp(full, at, row) for row in small])
    return field.blur(np.array([np.interp(full, at, column) for column in wide.T]).T, 2.2)


def _tube(target, x, z, points, radii, core=0.62, marrow=0.55):
    """Add a hollow tube's path lengths, as a string of overlapping balls."""
    points, radii = np.asarray(points, float), np.broadcast_to(np.asarray(radii, float), len(points))
    for a, b, ra, rb in zip(points, points[1:], radii, radii[1:]):
        length = np.linalg.norm(b - a)
        count = max(1, int(np.ceil(length / 1.4)))
        for t in (np.arange(count) + 0.5) / count:
            centre, radius = a + (b - a) * t, ra + (rb - ra) * t
            c0, c1 = np.searchsorted(x[0], (centre[0] - radius, centre[0] + radius))
            r0, r1 = np.searchsorted(-z[:, 0], (-centre[2] - radius, -centre[2] + radius))
            if c0 >= c1 or r0 >= r1:
                continue
            box = (slice(r0, r1), slice(c0, c1))
            d2 = (x[box] - centre[0]) ** 2 + (z[box] - centre[2]) ** 2
            ball = np.sqrt(np.maximum(0, radius**2 - d2)) - marrow * np.sqrt(np.maximum(0, (core * radius) ** 2 - d2))
            target[box] += ball * (length / count * 4 / (np.pi * radius))


def _bones(x, z):
    bone = np.zeros(x.shape)
    for number in range(13):
        for side in (-1, 1):
            turns = np.linspace(0.17, 2.5, 46)
            fall = 82 * (0.5 - 0.5 * np.cos(turns * 1.08)) ** 0.85 * min(1.0, 0.45 + 0.12 * number)
            heights = 138 - 24 * number - fall
            s = thorax.scale(heights)
            points = np.stack([
                side * (131 * s + 5) * np.sin(turns), (4 + 16 * (1 - s)) + (90 * (0.25 + 0.75 * s) + 5) * np.cos(turns), heights,
            ], axis=1)
            radii = 5.4 + 0.9 * np.sin(turns * 1.2)
            _tube(bone, x, z, points, radii, core=0.7, marrow=0.7)
    for side in (-1, 1):
        along = np.linspace(0, 1, 24)
        collar = np.stack([side * (16 + 122 * along), 0 * along, 92 + 26 * along + 5 * np.sin(along * 6.3)], axis=1)
        _tube(bone, x, z, collar, 7.6 - 2.2 * np.sin(np.pi * along), core=0.7, marrow=0.5)
        _shoulder(bone, x, z, side)
    _spine(bone, x, z)
    return bone


def _shoulder(bone, x, z, side):
    """Shoulder blade as a thin plate with thick borders, head of the humerus."""
    u = x * side
    edges = [((104, 102), (132, 88)), ((132, 88), (121, -2)), ((121, -2), (112, -4)), ((112, -4), (104, 102))]
    inside = np.full(x.shape, -99.0)
    for (ax, az), (bx, bz) in edges:
        length = np.hypot(bx - ax, bz - az)
        inside = np.maximum(inside, -((u - ax) * (bz - az) - (z - az) * (bx - ax)) / length)
    rim = np.abs(inside + 2) - 2
    bone += 2.4 * cover(inside, 2) + 3.0 * cover(rim, 2.4) * smooth(u, 100, 122)
    spine = np.array([(side * 98, 0, 78), (side * 128, 0, 102), (side * 147, 0, 120)])
    _tube(bone, x, z, spine, [2.5, 4, 5.5])
    d = np.hypot(u - 158, z - 88)
    bone += 0.8 * np.sqrt(np.maximum(0, 23.0**2 - d**2)) + 2.5 * cover(np.abs(d - 22) - 1, 1.5)
    shaft = np.array([(side * 160, 0, 88), (side * 172, 0, 10)])
    _tube(bone, x, z, shaft, [15, 12], core=0.75)


def _spine(bone, x, z):
    for number in range(14):
        centre = 155 - 25 * number - 12.5
        box = field.ellipse(x, z, 0, centre, 17.5, 10.2, power=4)
        bone += 5.0 * cover(box, 1.4) + 2.2 * cover(np.abs(box + 0.9) - 0.7, 1.2)
        for side in (-1, 1):
            ring = field.ellipse(x, z, side * 11, centre + 3, 3.2, 4.6)
            bone += 3 * cover(np.abs(ring) - 0.7, 1.0)
            wing, _ = field.segment(x, z, (side * 15, centre + 4), (side * 30, centre + 9))
            bone += 4 * cover(wing - 3.4, 1.2)
        tip = field.ellipse(x, z, 0.6, centre - 8, 2.2, 6)
        bone += 3 * cover(np.abs(tip) - 0.9, 1.0)


def _vessels(x, z):
    """Path lengths through the lung vessels."""
    sums = np.zeros(x.shape)
    for start, end, radius in thorax.TREES:
        radius = min(radius, 4.5) + 0.25
        _tube(sums, x, z, [start, end], [radius, radius], marrow=0.0)
    return 4.5 * np.log1p(sums / 4.5)


def _letter_d(x, z):
    """A lead letter D, 9 mm high."""
    stem = np.maximum(np.abs(x + 3) - 0.8, np.abs(z) - 4.6)
    bow = np.maximum(np.abs(np.hypot((x + 2.6) / 1.35, z) - 3.8) - 0.8, -(x + 2.8))
    return cover(np.minimum(stem, bow), 0.6)


def _image(values):
    ds = dicom.instance(EXAM, DigitalXRayImageStorageForPresentation, 1, 1, "DX", JPEG2000Lossless)
    dicom.acquired(ds, 6)
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.SeriesDescription = "Torace PA"
    ds.ProtocolName = "Torace PA"
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.BodyPartExamined, ds.ViewPosition = "CHEST", "PA"
    ds.ImageLaterality = "U"
    ds.PatientOrientation = ["L", "F"]
    ds.OperatorsName = people.TECHNICIAN.dicom_name
    ds.PatientAge = "057Y"
    ds.AnatomicRegionSequence = [dicom.code("816094009", "SCT", "Chest")]
    ds.ViewCodeSequence = [dicom.code("399348003", "SCT", "postero-anterior")]
    ds.ViewCodeSequence[0].ViewModifierCodeSequence = []
    ds.KVP, ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure = "125", "8", "320", "3"
    ds.DistanceSourceToDetector = "1800"
    ds.DetectorType, ds.DetectorConfiguration = "DIRECT", "AREA"
    ds.ImagerPixelSpacing = [f"{SPACING}", f"{SPACING}"]
    ds.PositionerType = "NONE"
    ds.FieldOfViewShape, ds.FieldOfViewDimensions = "RECTANGLE", ["312", "312"]
    ds.AcquisitionNumber = 1
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape = "INVERSE"
    ds.LossyImageCompression = "00"
    ds.BurnedInAnnotation = "NO"
    ds.WindowCenter, ds.WindowWidth = "2048", "4096"
    ds.WindowCenterWidthExplanation = "Torace"
    ds.AcquisitionContextSequence = []
    return dicom.pixels(ds, values, 12, "MONOCHROME1")
