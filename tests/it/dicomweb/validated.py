"""Has dciodvfy compare what the archive re-encodes with what it was given.

    validated.py http://127.0.0.1:8042/dicom-web FOLDER FILE…

Every object is got in each lossless transfer syntax; what dciodvfy says of it that it does not say
of the object as stored is printed, and makes the exit code 1.
"""
import pathlib
import re
import subprocess
import sys

import pydicom
import requests

SYNTAXES = [
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
]
# Not HTJ2K: dciodvfy does not know its transfer syntaxes. Nor can it inflate what is stored deflated.
DEFLATED = "1.2.840.10008.1.2.1.99"


def complaints(path):
    """The lines of dciodvfy, without the places and values in them that differ by nature."""
    checked = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace")
    lines = (checked.stdout + checked.stderr).splitlines()
    assert lines, "dciodvfy says nothing at all"
    return {re.sub(r"0x[0-9a-f]+|\d+", "#", line) for line in lines if re.match("Error|Warning", line)}


def main():
    url, folder, *names = sys.argv[1:]
    made, different = 0, []
    for name in names:
        dataset = pydicom.dcmread(name, stop_before_pixels=True)
        where = f"studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"
        original = name
        if dataset.file_meta.TransferSyntaxUID == DEFLATED:
            original = pathlib.Path(folder, "inflated.dcm")
            subprocess.run(["dcmconv", "+te", name, original], check=True)
        known = complaints(original)
        for syntax in SYNTAXES:
            answer = requests.get(f"{url}/{where}", headers={"Accept": f"application/dicom; transfer-syntax={syntax}"})
            answer.raise_for_status()
            path = pathlib.Path(folder, "made.dcm")
            path.write_bytes(answer.content)
            assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax
            made += 1
            different += [f"{name} {syntax}: {line}" for line in sorted(complaints(path) - known)]
    print(f"{made} objects made")
    print("\n".join(different))
    sys.exit(1 if different or made != len(SYNTAXES) * len(names) else 0)


main()
