#!/usr/bin/env python3
"""Decoding beside pydicom's plugins and DCMTK: frames a second, of one core and of all.

    .dev/venv/bin/python benches/codecs.py [--seconds S] [--no-lastra]

Three real pictures of the package pydicom-data (a CT slice, a radiograph, an ultrasound picture) are
encoded in every transfer syntax the Python packages of the tests have an encoder for, 16 frames a file.
Every decoder gets the same files. Lastra is measured by `cargo bench --bench ground -- decode_frame`, in
process, with 1 thread and with one for each core; pydicom in process and in as many processes as there
are cores; DCMTK's tools as they come: a process that reads the file, decodes it and writes the result,
as many at once as there are cores. So DCMTK's figures hold starting, reading and writing, the others' do
not. Prints a table for benches/README.md, with the machine and the versions.
"""
import argparse
import importlib.metadata
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import warnings

import data_store
import imagecodecs
import jpeg_ls
import numpy as np
import pydicom
from pydicom.pixels import get_decoder

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "it", "imaging"))
from made import JPEG, Maker, rle  # noqa: E402

warnings.simplefilter("ignore")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "target", "bench-frames")
FRAMES = 16
CORES = os.cpu_count()
DCMTK = {"4.50": "dcmdjpeg", "4.51": "dcmdjpeg", "4.57": "dcmdjpeg", "4.70": "dcmdjpeg",
         "4.80": "dcmdjpls", "4.81": "dcmdjpls", ".2.5": "dcmdrle"}


def pictures():
    data = os.path.join(os.path.dirname(data_store.__file__), "data")
    for name, file, bits in (("ct", "693_UNCR.dcm", 14), ("cr", "RG3_UNCR.dcm", 10), ("us", "US1_UNCR.dcm", 8)):
        array = pydicom.dcmread(os.path.join(data, file)).pixel_array
        if array.dtype.kind == "i":
            array = (array - array.min()).astype("u2")
        # No two frames alike, so that nothing is decoded from a cache's memory of the last.
        yield name, bits, [np.ascontiguousarray(np.roll(array, i * 3, axis=0)) for i in range(FRAMES)]


def encodings(bits, color):
    lossless = {"lossless": True, "predictor": 1, "bitspersample": bits}
    if color:
        lossless |= {"colorspace": "RGB", "outcolorspace": "RGB"}
    yield "1.2.840.10008.1.2.5", "RLE", rle
    if bits == 8:
        yield JPEG + "50", "JPEG baseline q90", lambda a: imagecodecs.jpeg8_encode(a, level=90)
    elif bits <= 12:
        yield JPEG + "51", "JPEG extended, 12 bits, q90", lambda a: imagecodecs.jpeg8_encode(a, level=90, bitspersample=12)
    yield JPEG + "70", "JPEG lossless", lambda a: imagecodecs.jpeg8_encode(a, **lossless)
    yield JPEG + "80", "JPEG-LS", jpeg_ls.encode_array
    yield JPEG + "90", "JPEG 2000 lossless", lambda a: imagecodecs.jpeg2k_encode(
        a, level=0, reversible=True, bitspersample=bits, codecformat="J2K", mct=color)
    yield JPEG + "201", "HTJ2K lossless", lambda a: imagecodecs.htj2k_encode(a, reversible=True)
    yield JPEG + "110", "JPEG XL lossless", lambda a: imagecodecs.jpegxl_encode(a, lossless=True, effort=3)


def make():
    os.makedirs(FOLDER, exist_ok=True)
    for name in os.listdir(FOLDER):
        os.remove(os.path.join(FOLDER, name))
    maker = Maker(FOLDER)
    for picture, bits, frames in pictures():
        color = frames[0].ndim == 3
        for syntax, label, encode in encodings(bits, color):
            lossy = syntax.endswith((".50", ".51"))
            photometric = "YBR_FULL_422" if color and lossy else "YBR_RCT" if color and syntax == JPEG + "90" else None
            if syntax.endswith(".51"):
                # 10 bits as 12: the code stream says what it has.
                bits_stored = 12
            else:
                bits_stored = bits
            told, _ = maker.file("bench", label, frames, syntax, [encode(frame) for frame in frames],
                                 bits=bits_stored, photometric=photometric)
            end = syntax.removeprefix("1.2.840.10008.1.2").lstrip(".")
            path = os.path.join(FOLDER, f"{picture} {label} ({end}).dcm")
            os.rename(told["path"], path)
            yield path


def rate(work, seconds):
    """Median of the frames a second of at least three goes."""
    goes, begun = [], time.perf_counter()
    while len(goes) < 3 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        work()
        goes.append(FRAMES / (time.perf_counter() - start))
    return statistics.median(goes)


def by_plugin(path, plugin, seconds):
    data_set = pydicom.dcmread(path)
    decoder = get_decoder(data_set.file_meta.TransferSyntaxUID)

    def work():
        for index in range(FRAMES):
            decoder.as_array(data_set, raw=True, index=index, decoding_plugin=plugin)

    return rate(work, seconds)


def pydicom_rates(path, seconds):
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    try:
        plugins = list(get_decoder(syntax)._available)
    except Exception:
        return {}
    rates = {}
    for plugin in plugins:
        try:
            one = by_plugin(path, plugin, seconds)
            with multiprocessing.get_context("spawn").Pool(CORES) as pool:
                every = sum(pool.starmap(by_plugin, [(path, plugin, seconds)] * CORES))
            rates[plugin] = (one, every)
        except Exception:
            continue
    return rates


def dcmtk_rates(path, seconds):
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    tool = next((tool for end, tool in DCMTK.items() if syntax.endswith(end)), None)
    if tool is None:
        return None

    def work(count):
        running = [subprocess.Popen([tool, "-q", path, os.path.join(FOLDER, f"decoded-{i}")]) for i in range(count)]
        if any(process.wait() for process in running):
            raise RuntimeError(tool)

    try:
        return rate(lambda: work(1), seconds), CORES * rate(lambda: work(CORES), seconds)
    except RuntimeError:
        return None


def lastra_rates():
    """Medians out of divan's tree: a line with a file's name, then one a number of threads."""
    printed = subprocess.run(["cargo", "bench", "--bench", "ground", "--", "decode_frame"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout
    rates, file, threads = {}, None, 1
    for line in printed.splitlines():
        if found := re.search(r"[├╰]─ (.+?\.dcm)", line):
            file = found.group(1)
        elif found := re.search(r"[├╰]─ t=(\d+)", line):
            threads = int(found.group(1))
        if file and (found := re.search(r"([\d.]+) (\w*)item/s +│ +[\d.]+ \w*item/s +│ +([\d.]+) (\w*)item/s", line)):
            scale = {"": 1, "K": 1e3, "M": 1e6}[found.group(4)]
            # divan counts what one thread does.
            rates.setdefault(os.path.basename(file), {})[threads] = float(found.group(3)) * scale * threads
    return rates


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--no-lastra", action="store_true")
    asked = parser.parse_args()
    paths = list(make())
    own = {} if asked.no_lastra else lastra_rates()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in
                         ("pydicom", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "python-gdcm", "pyjpegls"))
    dcmtk = subprocess.run(["dcmdjpeg", "--version"], capture_output=True, text=True).stdout.split()[2]
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    print(f"{model}, {CORES} cores, load {os.getloadavg()[0]:.1f} when it began; {versions}, DCMTK {dcmtk}.")
    print("\nFrames a second, one core / all cores.\n")
    print("| frames | Lastra | pydicom, by plugin | DCMTK |")
    print("|---|---|---|---|")
    shown = lambda pair: f"{pair[0]:.0f} / {pair[1]:.0f}" if pair else "–"
    for path in paths:
        name = os.path.basename(path)
        mine = own.get(name)
        mine = (mine[1], mine[max(mine)]) if mine else None
        plugins = "; ".join(f"{plugin} {shown(pair)}" for plugin, pair in pydicom_rates(path, asked.seconds).items())
        print(f"| {name.removesuffix('.dcm')} | {shown(mine)} | {plugins or '–'} | {shown(dcmtk_rates(path, asked.seconds))} |", flush=True)


if __name__ == "__main__":
    main()
