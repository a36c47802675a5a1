"""Reads a study's zip archive as a File-set, with pydicom and with DCMTK."""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

import pydicom
from pydicom.fileset import FileSet

archive, expected = sys.argv[1], sys.argv[2].split(",")
folder = pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path(archive).parent))
with zipfile.ZipFile(archive) as zipped:
    assert zipped.testzip() is None
    zipped.extractall(folder)

files = FileSet(folder / "DICOMDIR")
assert len(files) == len(expected), (len(files), expected)
assert [file.SOPInstanceUID for file in files] == expected
kinds = []
for file in files:
    read = file.load()
    assert read.SOPInstanceUID == file.SOPInstanceUID
    assert read.file_meta.TransferSyntaxUID == file.ReferencedTransferSyntaxUIDInFile
    kinds.append(file.DirectoryRecordType)
    assert file.PatientID == "P1" and str(file.PatientName) == "Prova^Nicolò", file.PatientName
    assert (file.StudyDate, file.AccessionNumber) == ("20260301", "ACC1")
assert kinds == ["IMAGE"] * 5 + ["KEY OBJECT DOC"], kinds
assert files.find_values("Modality") == ["CT", "KO"]

directory = pydicom.dcmread(folder / "DICOMDIR")
root = directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity
assert root == directory.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity > 0

dumped = subprocess.run(["dcmdump", "DICOMDIR"], cwd=folder, capture_output=True, text=True, errors="replace")
assert dumped.returncode == 0 and not dumped.stderr, dumped.stderr
# Follows every offset to every record, and compares each record with the file it names.
names = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("DICOM/*/*"))]
updated = subprocess.run(["dcmmkdir", "--update", "--abort-inconsist-file", "--discard", "+D", "DICOMDIR", *names],
                         cwd=folder, capture_output=True, text=True, errors="replace")
assert updated.returncode == 0, updated.stdout + updated.stderr
