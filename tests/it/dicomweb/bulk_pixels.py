"""Pixels by their BulkDataURI, as dicomweb-client retrieves them, beside what pydicom decodes."""
import io
import sys

import numpy
import pydicom
from dicomweb_client.api import DICOMwebClient

client = DICOMwebClient(sys.argv[1])
for found in client.search_for_instances():
    uids = [found[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")]
    metadata = client.retrieve_instance_metadata(*uids)
    stored = client.retrieve_instance(*uids, media_types=(("application/dicom", "*"),))
    parts = client.retrieve_bulkdata(metadata["7FE00010"]["BulkDataURI"])
    assert len(parts) == 1, len(parts)
    expected = stored.pixel_array
    little = expected.astype(expected.dtype.newbyteorder("<"))
    if stored.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1" or not stored.file_meta.TransferSyntaxUID.is_compressed:
        if stored.get("PlanarConfiguration", 0) == 1:
            little = numpy.moveaxis(little, -1, 0)
    assert parts[0][: little.nbytes] == little.tobytes(), uids
