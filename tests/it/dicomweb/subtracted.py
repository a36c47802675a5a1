"""Writes angiograms and what they look like subtracted: subtracted.py folder.

`sub.dcm` is to be seen subtracted, `nat.dcm` is not, `lin.dcm` holds intensities, `tid.dcm` is
subtracted from frame to frame; `state.dcm` is a presentation state of `nat.dcm`. Levels computed
with numpy, row by row, lie beside them: `<name>-<frame>.raw`.
"""
import sys

import numpy
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

folder = sys.argv[1]
ROWS, COLUMNS, FRAMES = 128, 160, 6
y, x = numpy.mgrid[0:ROWS, 0:COLUMNS].astype(float)
rng = numpy.random.default_rng(11)

# Bones: bright and dark stripes and a round; contrast: a vessel that fills from above.
anatomy = 500 + 120 * numpy.sin(x / 9) + 90 * numpy.cos(y / 13) - 200 * (numpy.hypot(x - 110, y - 60) < 30)
vessel = numpy.exp(-((x - 60 - 18 * numpy.sin(y / 20)) ** 2) / 14)
frames = []
for frame in range(FRAMES):
    filled = numpy.clip((frame - 1) * 45 - y + 10, 0, 40) / 40 if frame > 1 else numpy.zeros_like(y)
    frames.append(anatomy - 160 * vessel * filled + rng.integers(-2, 3, anatomy.shape))
frames = numpy.clip(numpy.round(frames), 0, 1023).astype("uint16")


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def write(dataset, name):
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(f"{folder}/{name}.dcm", enforce_file_format=True)


def common(name, number):
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPInstanceUID = generate_uid(entropy_srcs=["subtracted", name])
    made.StudyInstanceUID = generate_uid(entropy_srcs=["subtracted"])
    made.SeriesInstanceUID = generate_uid(entropy_srcs=["subtracted", "series", name])
    made.PatientName, made.PatientID, made.StudyDate, made.StudyTime = "Prova^XA", "PXA", "20260301", "101500"
    made.SeriesNumber, made.InstanceNumber = number, 1
    return made


def angiogram(name, number, mode, relationship, *masks):
    made = common(name, number)
    made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.12.1", "XA"
    made.Rows, made.Columns, made.NumberOfFrames, made.SamplesPerPixel = ROWS, COLUMNS, FRAMES, 1
    made.PhotometricInterpretation, made.PixelRepresentation = "MONOCHROME2", 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 10, 9
    made.PixelIntensityRelationship, made.FrameTime, made.FrameIncrementPointer = relationship, 250, 0x00181063
    made.WindowCenter, made.WindowWidth = 512, 1024
    # Back to intensities: nothing to draw by.
    table = item(LUTDescriptor=[1024, 0, 16], ModalityLUTType="US")
    table.add_new(0x00283006, "OW", (1023 - numpy.arange(1024)).astype("<u2").tobytes())
    if relationship == "LOG":
        made.ModalityLUTSequence = Sequence([table])
    made.MaskSubtractionSequence = Sequence(list(masks))
    made.RecommendedViewingMode = mode
    made.PixelData = frames.tobytes()
    write(made, name)
    return made


def shifted(mask, down, left):
    """The mask moved: linear between pixels, nothing known where it has none."""
    moved = numpy.full(mask.shape, numpy.nan)
    for row in range(ROWS):
        for column in range(COLUMNS):
            r, c = row - down, column + left
            r0, c0 = int(numpy.floor(r)), int(numpy.floor(c))
            value = 0.0
            for dr, wr in ((0, 1 - (r - r0)), (1, r - r0)):
                for dc, wc in ((0, 1 - (c - c0)), (1, c - c0)):
                    if wr * wc > 0:
                        inside = 0 <= r0 + dr < ROWS and 0 <= c0 + dc < COLUMNS
                        value += wr * wc * mask[r0 + dr, c0 + dc] if inside else numpy.nan
            moved[row, column] = value
    return moved


def around_zero(difference):
    sizes = numpy.sort(numpy.abs(difference[numpy.isfinite(difference)]))
    half = max(sizes[len(sizes) - 1 - len(sizes) // 200], 1023 / 32)
    return numpy.nan_to_num(numpy.clip((difference / (2 * half) + 0.5) * 255, 0, 255), nan=0)


def keep(name, frame, levels):
    numpy.round(levels).astype("uint8").tofile(f"{folder}/{name}-{frame}.raw")


def plain(frame):
    value = frames[frame - 1].astype(float)
    return numpy.clip((value - 511.5) / 1023 + 0.5, 0, 1) * 255


average = dict(MaskOperation="AVG_SUB", MaskFrameNumbers=[1, 2], ApplicableFrameRange=[3, 6])
sub = angiogram("sub", 1, "SUB", "LOG", item(MaskSubPixelShift=[0.5, -2.0], **average))
nat = angiogram("nat", 2, "NAT", "LOG", item(**average))
lin = angiogram("lin", 3, "SUB", "LIN", item(MaskOperation="AVG_SUB", MaskFrameNumbers=1))
tid = angiogram("tid", 4, "SUB", "LOG", item(MaskOperation="TID", TIDOffset=2, ContrastFrameAveraging=2))
values = frames.astype(float)
mean = values[:2].mean(axis=0)
for frame in range(1, FRAMES + 1):
    keep("plain", frame, plain(frame))
    keep("sub", frame, around_zero(values[frame - 1] - shifted(mean, 0.5, -2.0)) if frame > 2 else plain(frame))
    keep("nat", frame, around_zero(values[frame - 1] - mean) if frame > 2 else plain(frame))
    logarithms = numpy.log1p(values) / numpy.log1p(1023) * 1023
    keep("lin", frame, around_zero(logarithms[frame - 1] - logarithms[0]))
    if 3 <= frame <= 5:
        keep("tid", frame, around_zero(values[frame - 1:frame + 1].mean(axis=0) - values[frame - 3]))
    else:
        keep("tid", frame, plain(frame))

state = common("state", 5)
state.SOPClassUID, state.Modality, state.Manufacturer = "1.2.840.10008.5.1.4.1.1.11.1", "PR", "Test"
state.ContentLabel, state.ContentDescription, state.ContentCreatorName = "SUB", "", ""
state.PresentationCreationDate, state.PresentationCreationTime = "20260301", "101500"
reference = item(ReferencedSOPClassUID=nat.SOPClassUID, ReferencedSOPInstanceUID=nat.SOPInstanceUID,
                 ReferencedFrameNumber=[5, 6])
series = item(SeriesInstanceUID=nat.SeriesInstanceUID, ReferencedImageSequence=Sequence([reference]))
state.ReferencedSeriesSequence = Sequence([series])
state.DisplayedAreaSelectionSequence = Sequence([item(
    DisplayedAreaTopLeftHandCorner=[1, 1], DisplayedAreaBottomRightHandCorner=[COLUMNS, ROWS],
    PresentationSizeMode="SCALE TO FIT", PresentationPixelAspectRatio=[1, 1])])
state.SoftcopyVOILUTSequence = Sequence([item(WindowCenter=-40, WindowWidth=240)])
state.MaskSubtractionSequence = Sequence([item(MaskOperation="AVG_SUB", MaskFrameNumbers=[2], MaskSubPixelShift=[0.0, 1.0])])
state.RecommendedViewingMode, state.PresentationLUTShape = "SUB", "INVERSE"
write(state, "state")
for frame in (5, 6):
    difference = values[frame - 1] - shifted(values[1], 0.0, 1.0)
    level = numpy.clip((difference + 40.5) / 239 + 0.5, 0, 1) * 255
    keep("state", frame, numpy.nan_to_num(255 - numpy.round(level), nan=0))
