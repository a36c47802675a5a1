"""Frames beside their metadata: what pydicom makes of them, told the colours by the Warning.
colours.py url"""
import re
import sys

import numpy
import pydicom
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom.pixels import pixel_array

client = DICOMwebClient(sys.argv[1])
for found in client.search_for_instances():
    uids = [found[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")]
    metadata = client.retrieve_instance_metadata(*uids)
    frames = client.retrieve_instance_frames(*uids, frame_numbers=[1, 2])
    url = f"{sys.argv[1]}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}"
    octets = 'multipart/related; type="application/octet-stream"'
    answer = requests.get(f"{url}/frames/1,2", headers={"Accept": octets})
    stated = re.search(r"samples is (\w+),.*metadata, (\w+)", answer.headers["Warning"])
    said = metadata["00280004"]["Value"][0]
    assert stated and stated[2] == said, answer.headers
    for other in (f"{url}/bulkdata/7FE00010", f"{url}/pixeldata"):
        warned = requests.head(other, headers={"Accept": "application/octet-stream"}).headers
        assert warned["Warning"] == answer.headers["Warning"], other
    as_stored = requests.get(f"{url}/frames/1,2", headers={"Accept": octets + "; transfer-syntax=*"})
    assert as_stored.ok and "Warning" not in as_stored.headers

    dataset = pydicom.Dataset.from_json({k: v for k, v in metadata.items() if k != "7FE00010"})
    dataset.NumberOfFrames = 2
    dataset.PlanarConfiguration = 0
    dataset.PixelData = b"".join(frames)
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.PhotometricInterpretation = stated[1]
    drawn = pixel_array(dataset)
    stored = client.retrieve_instance(*uids, media_types=(("application/dicom", "*"),))
    expected = pixel_array(stored)[:2]
    apart = numpy.abs(drawn.astype(int) - expected.astype(int))
    # Inverse DCTs and upsampled chrominance differ a little; other colours differ by much.
    assert apart.mean() < 3, (said, stated[1], apart.mean())
