"""Sends files with pynetdicom, each in its own transfer syntax, and keeps the exact bytes sent.

Arguments: port, JSON list of paths, folder for the data sets as they went over the wire.
"""
import json
import os
import sys
import warnings
from io import BytesIO

import pydicom
from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.dsutils import encode

warnings.simplefilter("ignore")
port, listing, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]

for number, path in enumerate(json.load(open(listing))):
    try:
        dataset = pydicom.dcmread(path)
        syntax = dataset.file_meta.TransferSyntaxUID
        wire = encode(dataset, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    except Exception as error:
        print(f"cannot be encoded: {path}: {error}")
        continue
    if wire is None:
        print(f"cannot be encoded: {path}")
        continue
    ae = AE(ae_title="PYNET")
    ae.add_requested_context(UID(dataset.SOPClassUID), syntax)
    association = ae.associate("127.0.0.1", port, ae_title="LASTRA")
    if not association.is_established:
        print(f"no association for {path}")
        sys.exit(1)
    if not association.accepted_contexts:
        print(f"context refused for {path}: {dataset.SOPClassUID} {syntax}")
        sys.exit(1)
    try:
        status = association.send_c_store(dataset)
    except (ValueError, AttributeError) as error:
        print(f"pynetdicom will not send {path}: {error}")
        association.release()
        continue
    association.release()
    if status.get("Status") != 0:
        print(json.dumps({"path": path, "refused": status.get("Status", -1)}))
        continue
    kept = os.path.join(folder, f"{number}.bin")
    with open(kept, "wb") as file:
        file.write(wire)
    print(json.dumps({"path": path, "wire": kept}))
