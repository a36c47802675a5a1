"""us-loop: one heart beat on a colour ultrasound sector, 30 JPEG frames."""

import io
from datetime import datetime

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import JPEGBaseline8Bit, UltrasoundMultiFrameImageStorage

from . import dicom, field, letters, people
from .field import cover, ellipse, smooth

EXAM = dicom.Exam(
    name="us-loop", person=people.NICOLO, when=datetime(2026, 5, 20, 11, 30, 47), accession="EC2600240",
    description="Ecocardiogramma color Doppler", zone="+0200", referrer=people.REFERRER.dicom_name,
    reader=people.CARDIOLOGIST.dicom_name, reason="Controllo",
)
FRAMES, FRAME_MS = 30, 28
WIDE, HIGH = 480, 352
APEX = (232.0, 16.0)  # where the sector starts, in pixels
PX_PER_MM, DEPTH, HALF_ANGLE = 1.95, 160.0, np.radians(41)
QUALITY = 46


def build():
    folder = dicom.Folder(
        "us-loop", "Heart ultrasound, colour loop",
        "One heart beat seen from the apex (four chambers): grey speckled sector, walls and valves that move, "
        "colour Doppler of the flow through the mitral valve, an ECG line with a running mark. Thirty "
        "JPEG baseline frames (YBR_FULL_422).",
        [
            "One instance of 30 frames; frame time 28 ms, so a loop lasts 0.84 s (71 beats a minute).",
            "Colour: red flow towards the probe in frames 17 to 23 and 26 to 29, blue away in frames 4 to 12, colour bar at the right.",
            "Lossy compression is declared; the frames may be sent on as they are.",
            "A ruler on the sector works: region calibration says 0.0513 cm a pixel from the sector's top.",
            "Letters in the picture are the machine's settings; nothing identifies a person.",
            "The patient is known here by the hospital's number and in `enhanced-ct` by the codice fiscale: it is one person.",
        ],
    )
    frames = [frame(n) for n in range(FRAMES)]
    folder.instances.append(("us-1.dcm", _image(frames)))
    folder.looks.append(frames[19])
    return folder


_RNG = np.random.default_rng(240)
_R, _T = np.meshgrid(np.linspace(0, DEPTH, 420), np.linspace(-HALF_ANGLE, HALF_ANGLE, 200), indexing="ij")
_X, _D = _R * np.sin(_T), _R * np.cos(_T)


def _speckle(rng):
    """Fully developed speckle: the size of a sum of many echoes."""
    grain = lambda: field.coloured_noise(rng, _R.shape, lambda f: np.exp(-((f / 0.19) ** 2)))
    return np.hypot(grain(), grain())


_SPECKLE = _speckle(_RNG)
_BLOOD = [_speckle(_RNG) for _ in range(3)]
_HAZE = field.blobs(_RNG, _R.shape, 40)


def _squeeze(phase):
    """How far the ventricles have contracted, 0 to 1."""
    return float(smooth(phase, 0.03, 0.30) * smooth(phase, 0.58, 0.36))


def _echo(n):
    """Echo strength in dB on the (depth, angle) grid of frame `n`."""
    phase = n / FRAMES
    c = _squeeze(phase)
    atrial = float(smooth(phase, 0.80, 0.88) * smooth(phase, 0.99, 0.92))
    valve = 104 - 9 * c
    x, d = _X + 1.5 * c * np.sin(_D / 40), _D
    left = ellipse(x, d, 17, 65 + 1.5 * c, 20 * (1 - 0.30 * c), 40 * (1 - 0.10 * c), -0.06, 2.2)
    right = ellipse(x, d, -20, 68, 15 * (1 - 0.28 * c), 33 * (1 - 0.10 * c), 0.16, 2.1)
    left_atrium = ellipse(x, d, 17, valve + 22, 20 * (1 + 0.14 * c - 0.08 * atrial), 22, 0, 2.3)
    right_atrium = ellipse(x, d, -20, valve + 20, 19 * (1 + 0.12 * c - 0.08 * atrial), 20, 0, 2.3)
    heart = np.minimum(ellipse(x, d, 0, 68, 52 - 3 * c, 56, 0, 2.4), ellipse(x, d, 0, valve + 20, 44, 30, 0, 2.4))
    blood = np.minimum(np.minimum(left, right), np.minimum(left_atrium, right_atrium))
    opened = float(smooth(phase, 0.46, 0.54)) * (1 - 0.5 * float(smooth(phase, 0.66, 0.74) * smooth(phase, 0.84, 0.78)))
    opened *= float(smooth(phase, 1.0, 0.95))
    for centre, half in ((17, 11), (-20, 10)):
        blood = np.minimum(blood, ellipse(x, d, centre, valve, half, 10, 0, 2.5) + 14 * (1 - opened))
    echo = -34 + 4.5 * _HAZE - 0.03 * (d - 60)
    echo = echo + 9 * np.exp(-((d - 9) / 7.0) ** 2)
    echo = field.blend(echo, -23 + 2.5 * _HAZE, cover(heart, 3))
    echo = np.maximum(echo, -11 - 0.05 * np.abs(x) - 9 * np.abs(heart - 1.5))
    echo = field.blend(echo, -56 + 2 * _HAZE, cover(blood, 3.0))
    rim = -15 - 5 * np.abs(blood + 0.5) + 6 * np.abs(np.cos(_T * 2 + 0.6))
    echo = np.maximum(echo, rim - 8)
    for centre, half in ((17, 17), (-20, 15)):
        for side in (-1, 1):
            hinge = (centre + side * half, valve)
            end = (centre + side * (1.5 + 8.5 * opened), valve - 4 - 15 * opened)
            line, t = field.segment(x, d, hinge, end)
            echo = np.maximum(echo, -8 - 5 * t - 9 * np.maximum(0, line - 0.7))
    septum, _ = field.segment(x, d, (0.5, valve + 2), (0, valve + 38))
    echo = np.maximum(echo, -15 - 7 * np.maximum(0, septum - 1.6))
    shadow = 7 * smooth(np.abs(_T), 0.52, 0.70) + 5 * np.exp(-(((_T + 0.42) / 0.05) ** 2)) + 4 * np.exp(-(((_T - 0.36) / 0.04) ** 2))
    return echo - shadow * smooth(_R, 15, 60), valve


def _flow(n, valve):
    """Speed towards the probe, -1 to 1, and where there is any."""
    phase = n / FRAMES
    swirl = 0.25 * np.sin(_D / 5.0 + n * 1.3) * np.sin(_X / 3.4 - n) + 0.22 * (_BLOOD[n % 3] - 1.2)
    early = float(smooth(phase, 0.48, 0.58) * smooth(phase, 0.80, 0.66))
    late = 0.7 * float(smooth(phase, 0.80, 0.86) * smooth(phase, 0.98, 0.92))
    jet = np.exp(-(((_X - 16 - 0.04 * (valve - _D)) / (7.5 + 0.05 * np.maximum(0, valve - _D))) ** 2))
    jet *= np.exp(-(((_D - valve + 14) / 30) ** 2))
    out = np.exp(-(((_X - 6 - 0.10 * (_D - 80)) / 5.5) ** 2)) * np.exp(-(((_D - 88) / 19) ** 2)) * smooth(_D, valve + 1, valve - 6)
    systole = float(smooth(phase, 0.05, 0.16) * smooth(phase, 0.42, 0.30))
    speed = (early + late) * jet * (1 + swirl) * 1.1 - systole * out * (1 + swirl)
    return np.clip(speed, -1, 1)


def _colour(speed):
    """Doppler colours: red to yellow towards the probe, blue to cyan away."""
    s = np.abs(speed)[..., None]
    warm = np.concatenate([110 + 145 * smooth(s, 0, 0.5), 235 * smooth(s, 0.35, 1), 40 * smooth(s, 0.8, 1)], -1)
    cold = np.concatenate([40 * smooth(s, 0.8, 1), 225 * smooth(s, 0.35, 1), 120 + 135 * smooth(s, 0, 0.5)], -1)
    return np.where(speed[..., None] > 0, warm, cold)


def _to_screen(table):
    """The sector on the screen from the (depth, angle) grid, and where it is."""
    x, y = np.meshgrid((np.arange(WIDE) - APEX[0]) / PX_PER_MM, (np.arange(HIGH) - APEX[1]) / PX_PER_MM)
    r, t = np.hypot(x, y), np.arctan2(x, np.maximum(y, 1e-6))
    inside = (r < DEPTH - 0.5) & (np.abs(t) < HALF_ANGLE) & (y > 0) & (r > 2)
    row = np.clip(r / DEPTH * (table.shape[0] - 1), 0, table.shape[0] - 1.001)
    column = np.clip((t / HALF_ANGLE + 1) / 2 * (table.shape[1] - 1), 0, table.shape[1] - 1.001)
    r0, c0 = row.astype(int), column.astype(int)
    fr, fc = row - r0, column - c0
    value = (table[r0, c0] * (1 - fr) + table[r0 + 1, c0] * fr) * (1 - fc) + (table[r0, c0 + 1] * (1 - fr) + table[r0 + 1, c0 + 1] * fr) * fc
    return value, inside


def frame(n):
    """Frame `n` (from 0) as 8-bit RGB."""
    echo, valve = _echo(n)
    c = _squeeze(n / FRAMES)
    shift = int(round(5 * c))
    speckle = np.roll(_SPECKLE, -shift, axis=0)
    dark = smooth(echo, -38, -48)
    speckle = speckle * (1 - dark) + _BLOOD[n % 3] * dark
    grey = np.clip((echo + 0.75 * 20 * np.log10(np.maximum(speckle, 0.05)) + 52) / 50, 0, 1)
    value, inside = _to_screen(grey)
    grey = (np.where(inside, value, 0) ** 1.05 * 235)[..., None] * np.array([1.0, 0.985, 0.95])
    speed, _ = _to_screen(_flow(n, valve))
    tissue, _ = _to_screen(echo)
    show = inside & (np.abs(speed) > 0.16) & (tissue < -30)
    picture = np.where(show[..., None], _colour(speed), grey)
    return _overlay(np.clip(picture, 0, 255).astype(np.uint8), n)


def ecg(phase):
    """Height of an ECG line at a phase of the beat."""
    bump = lambda at, wide, high: high * np.exp(-(((phase - at) / wide) ** 2))
    return bump(0.88, 0.030, 0.14) + bump(0.985, 0.008, -0.14) + bump(0.012, 0.010, 1.0) + bump(0.04, 0.010, -0.25) + bump(0.33, 0.050, 0.26)


def _overlay(picture, n):
    white, pale, green = (230, 230, 230), (150, 160, 175), (70, 215, 110)
    letters.stamp(picture, "DEMO", 8, 8, white, 1)
    for row, text in enumerate(("2.5 MHz", "36 Hz", "16 cm", "71 bpm")):
        letters.stamp(picture, text, 22 + 12 * row, 8, pale, 1)
    letters.stamp(picture, "P", 8, int(APEX[0]) - 22, (240, 200, 80), 1)
    for centimetre in range(0, 17):
        y = int(round(APEX[1] + centimetre * 10 * PX_PER_MM))
        long = 7 if centimetre % 5 == 0 else 3
        picture[y : y + 1, 442 : 442 + long] = pale
        if centimetre % 5 == 0 and centimetre:
            letters.stamp(picture, str(centimetre), y - 3, 452, pale, 1)
    bar = _colour(np.linspace(1, -1, 80)[:, None])
    picture[22:102, 462:470] = bar.astype(np.uint8)
    letters.stamp(picture, "+62", 12, 456, pale, 1)
    letters.stamp(picture, "-62", 106, 456, pale, 1)
    columns = np.arange(12, 432)
    phases = (columns - 12) / 210.0 % 1.0
    heights = 341 - 26 * ecg(phases)
    for column, high, after in zip(columns, heights, np.append(heights[1:], heights[-1])):
        low, top = int(round(max(high, after))), int(round(min(high, after)))
        picture[top : low + 1, column] = green
    mark = 12 + int(210 * (1 + n / FRAMES))
    picture[310:347, mark : mark + 2] = (250, 220, 90)
    return picture


def _region(kind, box):
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, kind, 0 if kind == 1 else 1
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box
    item.ReferencePixelX0, item.ReferencePixelY0 = int(APEX[0]) - box[0], int(APEX[1]) - box[1]
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.ReferencePixelPhysicalValueX = item.ReferencePixelPhysicalValueY = 0.0
    item.PhysicalDeltaX = item.PhysicalDeltaY = round(0.1 / PX_PER_MM, 6)
    item.TransducerFrequency = 2500
    return item


def _image(frames):
    ds = dicom.instance(EXAM, UltrasoundMultiFrameImageStorage, 1, 1, "US", JPEGBaseline8Bit)
    dicom.acquired(ds, 3)
    ds.ImageType = ["DERIVED", "PRIMARY", "TTE", "0011"]
    ds.InstitutionalDepartmentName = "Cardiologia"
    ds.SeriesDescription = ds.ProtocolName = "Apicale 4 camere color"
    ds.BodyPartExamined = "HEART"
    ds.PatientOrientation = []
    ds.PatientAge = "069Y"
    ds.OperatorsName = people.CARDIOLOGIST.dicom_name
    ds.TransducerType = "SECTOR_PHASED"
    ds.HeartRate = 71
    ds.NumberOfFrames, ds.FrameTime = FRAMES, str(FRAME_MS)
    ds.FrameIncrementPointer = Tag(0x0018, 0x1063)
    ds.StartTrim, ds.StopTrim = 1, FRAMES
    ds.CineRate = ds.RecommendedDisplayFrameRate = 36
    ds.EffectiveDuration = "0.84"
    ds.PreferredPlaybackSequencing = 0
    ds.SequenceOfUltrasoundRegions = [_region(1, (8, 16, 440, 330)), _region(2, (200, 90, 310, 300))]
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "YBR_FULL_422", 0
    ds.Rows, ds.Columns = HIGH, WIDE
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.UltrasoundColorDataPresent = 1
    coded = []
    for picture in frames:
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "JPEG", quality=QUALITY, subsampling="4:2:2", optimize=True)
        coded.append(out.getvalue())
    ds.LossyImageCompressionRatio = f"{len(frames) * WIDE * HIGH * 3 / sum(map(len, coded)):.1f}"
    dicom.encapsulated(ds, coded)
    return ds
