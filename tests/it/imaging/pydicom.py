# What pydicom decodes of each file: samples as little endian doubles in <folder>/<number>.f64, and
# one JSON line {"path": {"shape": [frames, rows, columns, samples], "colors": ...} or {"error": ...}}.
import json
import sys
import warnings

import numpy as np
import pydicom

warnings.simplefilter("ignore")
folder = sys.argv[1]
told = {}
for number, path in enumerate(sys.argv[2:]):
    try:
        data_set = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in data_set.file_meta:
            data_set.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
        if not any(word in data_set for word in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            told[path] = {"error": "no pixels"}
            continue
        array = data_set.pixel_array
        frames = int(data_set.get("NumberOfFrames", 1) or 1)
        samples = data_set.SamplesPerPixel
        shape = [frames, data_set.Rows, data_set.Columns, samples]
        array.astype("<f8").reshape(shape).tofile(f"{folder}/{number}.f64")
        told[path] = {"shape": shape, "file": f"{number}.f64"}
    except Exception as error:
        told[path] = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:120]}
print(json.dumps(told))
