# What pydicom reads in a file, as JSON on one line:
# {"path": [vr, length, SHA-256 of the value, or null], ...}; sequences have VR SQ and nothing else.
import hashlib
import json
import sys
import warnings

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.encaps import generate_frames

warnings.simplefilter("ignore")
pydicom.config.replace_un_with_known_vr = False
pydicom.config.convert_wrong_length_to_UN = True


def digest(value):
    return hashlib.sha256(value or b"").hexdigest()


def walk(data_set, path, out):
    for tag in data_set.keys():
        raw = data_set.get_item(tag)
        place = f"{path}{tag:08X}"
        vr = data_set[tag].VR
        if vr == "SQ":
            out[place] = ["SQ", None, None]
            for number, item in enumerate(data_set[tag].value, 1):
                walk(item, f"{place}/{number}/", out)
        elif not isinstance(raw, RawDataElement) or raw.length == 0xFFFFFFFF:
            # Encapsulated, or looked into by pydicom already.
            out[place] = [vr, None, None]
        else:
            out[place] = [raw.VR or vr, raw.length, digest(raw.value)]


files = {}
for name in sys.argv[1:]:
    data_set = pydicom.dcmread(name, force=True)
    elements = {}
    walk(data_set, "", elements)
    frames = None
    syntax = data_set.file_meta.get("TransferSyntaxUID")
    if "PixelData" in data_set and syntax and syntax.is_encapsulated:
        count = int(data_set.get("NumberOfFrames", 1) or 1)
        frames = generate_frames(data_set.PixelData, number_of_frames=count)
        frames = [digest(frame) for frame in frames]
    files[name] = {"elements": elements, "frames": frames, "syntax": syntax}
print(json.dumps(files))
