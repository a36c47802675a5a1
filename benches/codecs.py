#!/usr/bin/env python3
"""Decoding, drawing and re-encoding beside pydicom and DCMTK: frames a second, of one core and of all.

    .dev/venv/bin/python benches/codecs.py [--seconds S] [--works W,…] [--pictures P,…] [--no-lastra]

Three real pictures of the package pydicom-data (a CT slice, a radiograph, an ultrasound picture) are
encoded in every transfer syntax the Python packages of the tests have an encoder for, 16 frames a file
(4 of the radiograph). All get the same files.

- decode: a stored frame to samples.
- render: a frame, windowed, as a JPEG of its size and quality 90.
- thumbnail: the same, at most 192 pixels wide and high.
- transcode: an uncompressed frame to each transfer syntax. Lastra's figure holds decoding what it
  encoded and comparing it, which nobody else does.

Lastra is measured by `cargo bench --bench codecs`, in process, with 1 thread and with one for each core;
pydicom in process and in as many processes as there are cores, drawing with numpy and Pillow from the
plugin that decodes fastest; DCMTK's tools as they come: a process that reads the file, works on all its
frames and writes the result, as many at once as there are cores. So DCMTK's figures hold starting, reading
and writing, the others' do not. Prints a table for benches/README.md, with the machine and the versions.
"""
import argparse
import importlib.metadata
import io
import json
import multiprocessing
import os
import platform
import shutil
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
from PIL import Image
from pydicom.pixels import get_decoder, get_encoder

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "it", "imaging"))
from made import JPEG, Maker, rle  # noqa: E402

warnings.simplefilter("ignore")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "target", "bench-frames")
CORES = os.cpu_count()
NATIVE = "1.2.840.10008.1.2.1"
RLE = "1.2.840.10008.1.2.5"
EDGE, QUALITY = 192, 90
# What Lastra encodes to.
TARGETS = {RLE: "RLE", JPEG + "57": "JPEG lossless (.57)", JPEG + "70": "JPEG lossless (.70)", JPEG + "80": "JPEG-LS",
           JPEG + "90": "JPEG 2000 lossless", JPEG + "201": "HTJ2K lossless", JPEG + "202": "HTJ2K lossless, RPCL"}


def pictures(wanted):
    data = os.path.join(os.path.dirname(data_store.__file__), "data")
    for name, file, bits, frames in (("ct", "693_UNCR.dcm", 14, 16), ("cr", "RG3_UNCR.dcm", 10, 4),
                                     ("us", "US1_UNCR.dcm", 8, 16)):
        if name not in wanted:
            continue
        array = pydicom.dcmread(os.path.join(data, file)).pixel_array
        if array.dtype.kind == "i":
            array = (array - array.min()).astype("u2")
        # No two frames alike, so that nothing is decoded from a cache's memory of the last.
        yield name, bits, [np.ascontiguousarray(np.roll(array, i * 3, axis=0)) for i in range(frames)]


def encodings(bits, color):
    lossless = {"lossless": True, "predictor": 1, "bitspersample": bits}
    if color:
        lossless |= {"colorspace": "RGB", "outcolorspace": "RGB"}
    yield NATIVE, "uncompressed", None
    yield RLE, "RLE", rle
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


def make(wanted):
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    maker = Maker(FOLDER)
    for picture, bits, frames in pictures(wanted):
        color = frames[0].ndim == 3
        low, high = np.percentile(frames[0], (1, 99))
        window = {} if color else {"WindowCenter": int(low + high) // 2, "WindowWidth": max(2, int(high - low))}
        for syntax, label, encode in encodings(bits, color):
            lossy = syntax.endswith((".50", ".51"))
            photometric = "YBR_FULL_422" if color and lossy else "YBR_RCT" if color and syntax == JPEG + "90" else None
            # 10 bits as 12: the code stream says what it has.
            stored_bits = 12 if syntax.endswith(".51") else bits
            stored = [encode(frame) for frame in frames] if encode else np.stack(frames).tobytes()
            told, _ = maker.file("bench", label, frames, syntax, stored, bits=stored_bits, photometric=photometric, **window)
            path = os.path.join(FOLDER, f"{picture} {label}.dcm")
            os.rename(told["path"], path)
            yield path, syntax


def rate(work, frames, seconds):
    """Median of the frames a second of at least three goes; one go is enough of what is very slow."""
    goes, begun = [], time.perf_counter()
    while not goes or time.perf_counter() - begun < (seconds if len(goes) >= 3 else 10 * seconds):
        start = time.perf_counter()
        work()
        goes.append(frames / (time.perf_counter() - start))
    return statistics.median(goes)


# ---------------------------------------------------------------- pydicom

def windowed(array, data_set):
    """Levels of a grey frame by its first window, LINEAR (PS3.3 §C.11.2.1.2.1), by a table as renderers do."""
    if array.ndim == 3:
        return array
    center, width = float(data_set.WindowCenter), float(data_set.WindowWidth)
    values = np.arange(1 << 16, dtype="f4")
    table = np.clip((values - (center - 0.5)) / (width - 1) * 255 + 127.5, 0, 255).astype("u1")
    return table[array]


def jpeg(array, data_set, edge=None):
    picture = Image.fromarray(windowed(array, data_set))
    if edge:
        picture.thumbnail((edge, edge), Image.Resampling.BOX, reducing_gap=None)
    picture.save(io.BytesIO(), "JPEG", quality=QUALITY)


def by_plugin(path, plugin, work, seconds):
    """Frames a second of `work`: decode, render, thumbnail, or a transfer syntax to encode to."""
    data_set = pydicom.dcmread(path)
    frames = range(int(data_set.NumberOfFrames))
    if work in TARGETS:
        encoder = get_encoder(work)
        arrays = data_set.pixel_array
        options = dict(rows=data_set.Rows, columns=data_set.Columns, samples_per_pixel=data_set.SamplesPerPixel,
                       bits_allocated=data_set.BitsAllocated, bits_stored=data_set.BitsStored,
                       pixel_representation=data_set.PixelRepresentation, number_of_frames=1,
                       photometric_interpretation=data_set.PhotometricInterpretation, planar_configuration=0)
        go = lambda: [encoder.encode(arrays[index], encoding_plugin=plugin, **options) for index in frames]
    elif plugin is None:
        arrays = data_set.pixel_array
        go = {"decode": lambda: [arrays[index].copy() for index in frames],
              "render": lambda: [jpeg(arrays[index], data_set) for index in frames],
              "thumbnail": lambda: [jpeg(arrays[index], data_set, EDGE) for index in frames]}[work]
    else:
        decoder = get_decoder(data_set.file_meta.TransferSyntaxUID)
        decoded = lambda index, raw: decoder.as_array(data_set, raw=raw, index=index, decoding_plugin=plugin)[0]
        go = {"decode": lambda: [decoded(index, True) for index in frames],
              "render": lambda: [jpeg(decoded(index, False), data_set) for index in frames],
              "thumbnail": lambda: [jpeg(decoded(index, False), data_set, EDGE) for index in frames]}[work]
    return rate(go, len(frames), seconds)


def pydicom_rate(pool, path, plugin, work, seconds):
    try:
        one = by_plugin(path, plugin, work, seconds)
        return one, sum(pool.starmap(by_plugin, [(path, plugin, work, seconds)] * CORES))
    except Exception as error:  # a plugin that cannot do this picture says so in its own way
        print(f"  pydicom {plugin} {work} {os.path.basename(path)}: {error}", file=sys.stderr)
        return None


def plugins(path, syntax):
    if syntax == NATIVE:
        return [None]
    try:
        return list(get_decoder(syntax)._available)
    except Exception:
        return []


# ---------------------------------------------------------------- DCMTK

def dcmtk_command(path, syntax, work, out):
    """The tool that does it; `None`: there is none."""
    end = syntax.removeprefix("1.2.840.10008.1.2").lstrip(".")
    family = ("jpeg" if end in ("4.50", "4.51", "4.57", "4.70") else "jpls" if end in ("4.80", "4.81")
              else "rle" if end == "5" else "native" if end == "1" else None)
    if work in TARGETS:
        tool = {RLE: ["dcmcrle"], JPEG + "57": ["dcmcjpeg", "+el"], JPEG + "70": ["dcmcjpeg", "+e1"],
                JPEG + "80": ["dcmcjpls", "+el"]}.get(work)
        return tool and [*tool, "-q", path, out]
    if work == "decode":
        tool = {"jpeg": "dcmdjpeg", "jpls": "dcmdjpls", "rle": "dcmdrle"}.get(family)
        return tool and [tool, "-q", path, out]
    if family in (None, "jpls"):
        return None  # dcml2pnm writes no JPEG
    grey = pydicom.dcmread(path, stop_before_pixels=True).SamplesPerPixel == 1
    size = ["+Sxv", str(EDGE)] if work == "thumbnail" else []
    return ["dcmj2pnm", "-q", "+Fa", "+oj", "+Jq", str(QUALITY), *(["+Wi", "1"] if grey else []), *size, path, out]


def dcmtk_rate(path, syntax, work, seconds):
    if dcmtk_command(path, syntax, work, "") is None:
        return None
    frames = int(pydicom.dcmread(path, stop_before_pixels=True).NumberOfFrames)

    def go(count):
        commands = [dcmtk_command(path, syntax, work, os.path.join(FOLDER, f"out-{i}")) for i in range(count)]
        running = [subprocess.Popen(command, stderr=subprocess.PIPE) for command in commands]
        for process in running:
            _, errors = process.communicate()
            if process.returncode:
                raise RuntimeError(f"{' '.join(process.args[:1])} {work}: {errors.decode()[:200]}")

    try:
        return rate(lambda: go(1), frames, seconds), rate(lambda: go(CORES), CORES * frames, seconds)
    except RuntimeError as error:
        print(f"  DCMTK {os.path.basename(path)}: {error}", file=sys.stderr)
        return None


# ---------------------------------------------------------------- Lastra

def lastra_rates(seconds, works, profile):
    command = ["cargo", "bench", "--bench", "codecs", *(["--profile", profile] if profile else []),
               "--", FOLDER, str(seconds), ",".join(works)]
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    rates = {}
    for line in printed.splitlines():
        told = json.loads(line)
        rates.setdefault((told["file"], told["work"]), {})[told["threads"]] = told["rate"]
    return {key: (threads[1], threads[max(threads)]) for key, threads in rates.items()}


# ---------------------------------------------------------------- the table

def shown(pair):
    return f"{pair[0]:.0f} / {pair[1]:.0f}" if pair else "–"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each figure, at least")
    parser.add_argument("--works", default="decode,render,thumbnail,transcode")
    parser.add_argument("--pictures", default="ct,cr,us")
    parser.add_argument("--no-lastra", action="store_true")
    parser.add_argument("--profile", default=None, help="Cargo profile, for a trial: dev")
    asked = parser.parse_args()
    works, begun = asked.works.split(","), time.perf_counter()
    files = list(make(asked.pictures.split(",")))
    own = {} if asked.no_lastra else lastra_rates(asked.seconds, works, asked.profile)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in
                         ("pydicom", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "python-gdcm", "pyjpegls", "pillow"))
    dcmtk = subprocess.run(["dcmdjpeg", "--version"], capture_output=True, text=True).stdout.split()[2]
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    print(f"{model}, {CORES} cores, load {os.getloadavg()[0]:.1f} when it began; {versions}, DCMTK {dcmtk}.")
    print("\nFrames a second, one core / all cores.")
    with multiprocessing.get_context("spawn").Pool(CORES) as pool:
        fastest = {}
        for work in [work for work in works if work != "transcode"]:
            print(f"\n| {work}: frames, stored as | Lastra | pydicom | DCMTK |\n|---|---|---|---|", flush=True)
            for path, syntax in files:
                name = os.path.basename(path)
                if work == "decode" and syntax == NATIVE:
                    continue
                there = plugins(path, syntax) if work == "decode" or path not in fastest else [fastest[path]]
                rates = {plugin: pydicom_rate(pool, path, plugin, work, asked.seconds) for plugin in there}
                rates = {plugin: pair for plugin, pair in rates.items() if pair}
                if rates and path not in fastest:
                    fastest[path] = max(rates, key=lambda plugin: rates[plugin][0])
                theirs = "; ".join(f"{plugin or 'numpy'} {shown(pair)}" for plugin, pair in rates.items()) or "–"
                tools = shown(dcmtk_rate(path, syntax, work, asked.seconds))
                print(f"| {name.removesuffix('.dcm')} | {shown(own.get((name, work)))} | {theirs} | {tools} |", flush=True)
        if "transcode" in works:
            print("\n| transcode: uncompressed frames, to | Lastra, proof included | pydicom | DCMTK |\n|---|---|---|---|")
            for path, syntax in [pair for pair in files if pair[1] == NATIVE]:
                picture = os.path.basename(path).split()[0]
                for target, label in TARGETS.items():
                    try:
                        there = list(get_encoder(target)._available)
                    except Exception:
                        there = []
                    rates = {plugin: pydicom_rate(pool, path, plugin, target, asked.seconds) for plugin in there}
                    theirs = "; ".join(f"{plugin} {shown(pair)}" for plugin, pair in rates.items() if pair) or "–"
                    tools = shown(dcmtk_rate(path, syntax, target, asked.seconds))
                    mine = shown(own.get((os.path.basename(path), target)))
                    print(f"| {picture}, {label} | {mine} | {theirs} | {tools} |", flush=True)
    print(f"\nTook {time.perf_counter() - begun:.0f} s.", file=sys.stderr)


if __name__ == "__main__":
    main()
