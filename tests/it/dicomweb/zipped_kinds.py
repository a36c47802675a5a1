"""Reads the directory of a File-set of many kinds of objects, with pydicom and with DCMTK."""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

from pydicom.fileset import DIRECTORY_RECORDERS, FileSet

archive, expected = sys.argv[1], sys.argv[2].split(",")
folder = pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path(archive).parent))
with zipfile.ZipFile(archive) as zipped:
    zipped.extractall(folder)

files = FileSet(folder / "DICOMDIR")
assert [file.SOPInstanceUID for file in files] == expected
kinds = [file.DirectoryRecordType for file in files]
assert kinds == ["IMAGE", "PRESENTATION", "SPECTROSCOPY", "MEASUREMENT", "SURFACE SCAN", "STEREOMETRIC",
                 "ASSESSMENT"], kinds
for file, kind in zip(files, kinds):
    if kind == "IMAGE":
        continue
    # What pydicom would write of the same object, ours says too.
    for element in DIRECTORY_RECORDERS[kind](file.load()):
        assert file[element.tag] == element, (kind, element, file[element.tag])

dumped = subprocess.run(["dcmdump", "DICOMDIR"], cwd=folder, capture_output=True, text=True, errors="replace")
assert dumped.returncode == 0 and not dumped.stderr, dumped.stderr
# Follows every offset, and compares each record with the file it names.
names = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("DICOM/*/*"))]
updated = subprocess.run(["dcmmkdir", "--update", "--abort-inconsist-file", "--discard", "+D", "DICOMDIR", *names],
                         cwd=folder, capture_output=True, text=True, errors="replace")
assert updated.returncode == 0, updated.stdout + updated.stderr
