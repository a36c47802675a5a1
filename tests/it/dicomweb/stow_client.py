"""Stores a folder with the stock dicomweb-client, in one request and one by one, and reads it back."""
import pathlib
import sys

import pydicom
from dicomweb_client.api import DICOMwebClient

url, folder = sys.argv[1:]
client = DICOMwebClient(url)
files = sorted(pathlib.Path(folder).rglob("*.dcm"))
objects = [pydicom.dcmread(path) for path in files]
assert objects

answer = client.store_instances(objects)
assert len(answer.ReferencedSOPSequence) == len(objects), answer
assert "FailedSOPSequence" not in answer, answer
study = objects[0].StudyInstanceUID
for item in objects:
    answer = client.store_instances([item], study_instance_uid=study)
    assert [i.ReferencedSOPInstanceUID for i in answer.ReferencedSOPSequence] == [item.SOPInstanceUID]
for item in objects:
    got = client.retrieve_instance(study, item.SeriesInstanceUID, item.SOPInstanceUID)
    assert got == item
print(len(objects), "stored and read back")
