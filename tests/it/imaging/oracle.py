# What pydicom decodes of each file given, by every plugin that can, and what made.py made. One JSON
# line a file:
#   {"path", "group", "syntax", "reason"}: no frames to compare, and why
#   {"path", "group", "syntax", "drawn", "frames": [index…], "oracles": [{"names", "file", "dtype"}…]}
# where "file" holds the frames one after the other: stored values, or with "drawn" red, green, blue.
import glob
import json
import logging
import os
import subprocess
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, get_decoder

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2) if "-v" not in sys.argv else None

# Of longer objects, this many frames spread over all of them.
MOST_FRAMES = 12
DCMTK = {"4.50": "dcmdjpeg", "4.51": "dcmdjpeg", "4.57": "dcmdjpeg", "4.70": "dcmdjpeg",
         "4.80": "dcmdjpls", "4.81": "dcmdjpls", ".2.5": "dcmdrle"}


def chosen(count):
    if count <= MOST_FRAMES:
        return list(range(count))
    return sorted({round(i * (count - 1) / (MOST_FRAMES - 1)) for i in range(MOST_FRAMES)})


def first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:110]


def decode(data_set, syntax, plugin, frames, raw):
    decoder = get_decoder(syntax)
    arrays = [decoder.as_array(data_set, raw=raw, index=i, decoding_plugin=plugin)[0] for i in frames]
    return np.stack(arrays)


def by_dcmtk(path, syntax, frames, folder, raw):
    tool = next((tool for end, tool in DCMTK.items() if str(syntax).endswith(end)), None)
    if tool is None:
        raise ValueError("DCMTK has no decoder for it")
    decoded = os.path.join(folder, "decoded.dcm")
    subprocess.run([tool, path, decoded], check=True, capture_output=True)
    data_set = pydicom.dcmread(decoded)
    return decode(data_set, data_set.file_meta.TransferSyntaxUID, "", frames, raw)


def save(told, folder, number, name, array):
    array = np.ascontiguousarray(array)
    if array.dtype == np.bool_:
        array = array.astype("u1")
    array = array.astype(array.dtype.newbyteorder("<"))
    for oracle in told["oracles"]:
        if np.array_equal(oracle["array"], array):
            oracle["names"].append(name)
            return
    file = f"{number}-{len(told['oracles'])}.raw"
    array.tofile(os.path.join(folder, file))
    dtype = array.dtype.str.replace("|", "<")
    told["oracles"].append({"names": [name], "file": file, "dtype": dtype, "array": array})


def tell(told):
    for oracle in told.get("oracles", []):
        oracle.pop("array", None)
    print(json.dumps(told))


def ask(path, group, folder, number):
    told = {"path": path, "group": group, "syntax": "", "oracles": []}
    try:
        data_set = pydicom.dcmread(path, force=True)
        syntax = data_set.file_meta.get("TransferSyntaxUID")
    except Exception as error:
        return tell({**told, "reason": f"pydicom does not open it: {first_line(error)}"})
    told["syntax"] = str(syntax or "")
    if not any(word in data_set for word in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return tell({**told, "reason": "has no pixel data"})
    if syntax is None:
        return tell({**told, "reason": "no DICOM file: it does not say its transfer syntax"})
    try:
        frames = chosen(int(data_set.get("NumberOfFrames", 1) or 1))
    except ValueError:
        return tell({**told, "reason": "pydicom does not read its Number of Frames"})
    told["frames"] = frames
    photometric = str(data_set.get("PhotometricInterpretation", ""))
    dct = str(syntax).endswith((".4.50", ".4.51"))
    # What a DCT decoder gives are colours; other codecs give what was encoded, and that is compared
    # as it is, then once more turned into colours.
    colors = photometric.startswith("YBR") and int(data_set.get("SamplesPerPixel", 1)) == 3
    compare(told, data_set, syntax, folder, f"{number}", raw=not dct, drawn=dct and colors)
    if photometric == "PALETTE COLOR" and told["oracles"]:
        again = {**told, "oracles": [], "name": os.path.basename(path) + ", as colours", "drawn": True}
        indices = decode(data_set, syntax, "", frames, True)
        colored = np.stack([apply_color_lut(frame, data_set) for frame in indices])
        if colored.max() > 255:
            colored = colored >> 8
        save(again, folder, f"{number}c", "pydicom", colored.astype("u1"))
        tell(again)
    if colors and not dct and photometric.startswith("YBR_FULL"):
        again = {**told, "oracles": [], "name": os.path.basename(path) + ", as colours"}
        compare(again, data_set, syntax, folder, f"{number}c", raw=False, drawn=True)


def compare(told, data_set, syntax, folder, number, raw, drawn):
    told["drawn"] = drawn
    frames, errors = told["frames"], []
    try:
        plugins = list(get_decoder(syntax)._available) if syntax.is_encapsulated else [""]
    except Exception as error:
        plugins = []
        errors.append(first_line(error))
    for plugin in plugins:
        try:
            save(told, folder, number, plugin or "pydicom", decode(data_set, syntax, plugin, frames, raw))
        except Exception as error:
            errors.append(f"{plugin or 'pydicom'}: {first_line(error)}")
    if not told["oracles"] and syntax.is_encapsulated:
        try:
            save(told, folder, number, "dcmtk", by_dcmtk(told["path"], syntax, frames, folder, raw))
        except Exception as error:
            errors.append(f"dcmtk: {first_line(error)}")
    if not told["oracles"]:
        told["reason"] = "no oracle decodes it: " + ("; ".join(errors)[:200] or "no plugin")
    tell({**told, "oracles": [dict(oracle) for oracle in told["oracles"]]})


def published():
    import data_store
    import pynetdicom

    wheel = os.path.join(os.path.dirname(pydicom.__file__), "data")
    yield "pydicom", os.path.join(wheel, "test_files")
    yield "pydicom", os.path.join(wheel, "palettes")
    yield "pydicom-data", os.path.join(os.path.dirname(data_store.__file__), "data")
    yield "pynetdicom", os.path.join(os.path.dirname(pynetdicom.__file__), "tests", "dicom_files")


def all_files(folder, samples):
    number = 0
    for group, root in [*published(), ("sample-studies", samples)]:
        for path in sorted(glob.glob(os.path.join(root, "**", "*.dcm"), recursive=True)):
            ask(path, group, folder, number)
            number += 1
    for told, array in made(folder):
        told["oracles"] = []
        told["frames"] = list(range(len(array)))
        if not told.pop("lossy"):
            save(told, folder, number, "the samples encoded", array)
        for name, other in told.pop("others").items():
            save(told, folder, number, name, other)
        tell(told)
        number += 1


all_files(sys.argv[1], sys.argv[2])
