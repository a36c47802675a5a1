# Encapsulates the frames of a file in other ways, into a folder.
import pathlib
import sys

import pydicom
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

source, folder = sys.argv[1], pathlib.Path(sys.argv[2])
data_set = pydicom.dcmread(source)
frames = list(generate_frames(data_set.PixelData, number_of_frames=int(data_set.NumberOfFrames)))


def save(name):
    data_set.save_as(folder / name)


for fragments in (1, 2, 3):
    for table in (True, False):
        data_set.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=table)
        save(f"{fragments}-fragments-{'with' if table else 'without'}-table.dcm")
# One frame of many fragments, and a single frame without a table.
data_set.NumberOfFrames = 1
data_set.PixelData = encapsulate(frames[:1], fragments_per_frame=7, has_bot=False)
save("one-frame.dcm")
data_set.NumberOfFrames = len(frames)
data_set.PixelData, data_set.ExtendedOffsetTable, data_set.ExtendedOffsetTableLengths = (
    encapsulate_extended(frames)
)
save("extended-table.dcm")
