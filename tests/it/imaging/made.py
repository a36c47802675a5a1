# DICOM files whose samples are known because they were encoded here: every precision, predictor,
# interleave, byte order and layout that no published file has. `made(folder)` gives for each what
# oracle.py tells of a file, and its samples.
import io
import os
import zlib

import imagecodecs
import jpeg_ls
import numpy as np
import pydicom
import pynetdicom  # noqa: F401  (knows transfer syntaxes newer than pydicom's dictionary)
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

JPEG = "1.2.840.10008.1.2.4."
LITTLE, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
ROWS, COLUMNS = 37, 43
RANDOM = np.random.default_rng(20260301)


def picture(bits, samples=1, signed=False, rows=ROWS, columns=COLUMNS, even=False):
    """Waves with some noise over the whole range, and its two ends."""
    y, x = np.mgrid[0:rows, 0:columns]
    planes = []
    for shift in range(samples):
        wave = (np.sin((x + 5 * shift) / 7.0) + np.cos(y / (5.0 + shift)) + 2) / 4
        noise = 0 if even else RANDOM.normal(0, 0.02, wave.shape)
        values = np.clip((wave + noise) * ((1 << bits) - 1), 0, (1 << bits) - 1).round()
        values[0, 0], values[-1, -1] = (1 << bits) - 1, 0
        planes.append(values.astype(np.int64))
    array = np.stack(planes, -1) if samples > 1 else planes[0]
    if signed:
        return (array - (1 << (bits - 1))).astype("i1" if bits <= 8 else "i2" if bits <= 16 else "i4")
    return array.astype("u1" if bits <= 8 else "u2" if bits <= 16 else "u4")


class Maker:
    def __init__(self, folder):
        self.folder, self.number = folder, 0

    def file(self, group, name, arrays, syntax, stored, bits=None, allocated=None, photometric=None,
             planar=0, signed=None, others=None, lossy=False, high=None, vr="OW", **more):
        """Writes a file of these frames; `stored` is a list of code streams or the native bytes."""
        array = np.stack(arrays)
        samples = 3 if array.ndim == 4 else 1
        kind = array.dtype
        allocated = allocated or kind.itemsize * 8
        bits = bits or allocated
        path = os.path.join(self.folder, f"made-{self.number}.dcm")
        self.number += 1
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = UID(syntax)
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.10.999.7"
        ds = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        ds.SamplesPerPixel = samples
        ds.PhotometricInterpretation = photometric or ("RGB" if samples == 3 else "MONOCHROME2")
        if samples == 3:
            ds.PlanarConfiguration = planar
        ds.NumberOfFrames = len(array)
        ds.Rows, ds.Columns = array.shape[1:3]
        ds.BitsAllocated, ds.BitsStored = allocated, bits
        ds.HighBit = bits - 1 if high is None else high
        ds.PixelRepresentation = int(kind.kind == "i" if signed is None else signed)
        for keyword, value in more.items():
            setattr(ds, keyword, value)
        if isinstance(stored, list):
            ds.PixelData = encapsulate([bytes(stream) for stream in stored])
            ds["PixelData"].VR = "OB"
            ds["PixelData"].is_undefined_length = True
        elif kind.kind == "f":
            del ds.BitsStored, ds.HighBit, ds.PixelRepresentation
            setattr(ds, "FloatPixelData" if kind.itemsize == 4 else "DoubleFloatPixelData", stored)
        else:
            ds.PixelData = stored + b"\0" * (len(stored) % 2)
            ds["PixelData"].VR = vr
        pydicom.dcmwrite(path, ds, little_endian=syntax != BIG, implicit_vr=False)
        told = {"path": path, "group": f"made: {group}", "name": name, "syntax": syntax, "lossy": lossy,
                "others": others or {}}
        return told, array


def made(folder):
    maker = Maker(folder)
    for part in (jpeg_lossless, jpeg_lossy, jpeg_12_bit_colour, jpeg_kinds, jpeg_ls_streams, jpeg_ls_conformance,
                 jpeg_2000, high_throughput, jpeg_xl, run_lengths, native_layouts, disagreements):
        yield from part(maker)


def jpeg_lossless(maker):
    for bits in range(2, 17):
        for predictor in range(1, 8):
            grey = picture(bits)
            stream = imagecodecs.jpeg8_encode(grey, lossless=True, predictor=predictor, bitspersample=bits)
            syntaxes = ("57", "70") if predictor == 1 else ("57",)
            for syntax in syntaxes:
                yield maker.file(f"JPEG lossless .{syntax}, grey, 2 to 16 bits, all selection values",
                                 f"{bits} bits, selection value {predictor}", [grey], JPEG + syntax, [stream],
                                 bits=bits)
    for bits in (8, 12, 16):
        for predictor in range(1, 8):
            color = picture(bits, 3)
            stream = imagecodecs.jpeg8_encode(color, lossless=True, predictor=predictor, bitspersample=bits,
                                              colorspace="RGB", outcolorspace="RGB")
            yield maker.file("JPEG lossless .57, RGB of 8, 12 and 16 bits, all selection values",
                             f"{bits} bits, selection value {predictor}", [color], JPEG + "57", [stream], bits=bits)
    signed = picture(12, signed=True)
    words = signed.view("u2") & 0x0FFF
    stream = imagecodecs.jpeg8_encode(words, lossless=True, predictor=1, bitspersample=12)
    yield maker.file("JPEG lossless .70, signed", "12 bits", [signed], JPEG + "70", [stream], bits=12)


def jpeg_lossy(maker):
    for level in (50, 95):
        grey = picture(12)
        stream = imagecodecs.jpeg8_encode(grey, level=level, bitspersample=12)
        yield maker.file("JPEG extended .51, 12 bits", f"quality {level}", [grey], JPEG + "51", [stream], bits=12,
                         others={"libjpeg-turbo": imagecodecs.jpeg8_decode(stream)[np.newaxis]}, lossy=True)
        grey = picture(8)
        stream = imagecodecs.jpeg8_encode(grey, level=level)
        for syntax in ("50", "51"):
            yield maker.file("JPEG baseline .50 and extended .51, 8 bits", f"grey, quality {level}", [grey],
                             JPEG + syntax, [stream],
                             others={"libjpeg-turbo": imagecodecs.jpeg8_decode(stream)[np.newaxis]}, lossy=True)
        color = picture(8, 3, even=True)
        for subsampling in ("444", "422", "420", "440", "411"):
            stream = imagecodecs.jpeg8_encode(color, level=level, subsampling=subsampling)
            yield maker.file("JPEG baseline .50, colour, all subsamplings", f"{subsampling}, quality {level}", [color],
                             JPEG + "50", [stream], photometric="YBR_FULL_422",
                             others={"libjpeg-turbo": imagecodecs.jpeg8_decode(stream)[np.newaxis]}, lossy=True)


def jpeg_12_bit_colour(maker):
    """No published file has 12 bits in three components; the samples are libjpeg-turbo's."""
    for level in (50, 95):
        color = picture(12, 3, even=True)
        for subsampling in ("444", "422", "420", "440", "411"):
            stream = imagecodecs.jpeg8_encode(color, level=level, subsampling=subsampling, bitspersample=12)
            other = imagecodecs.jpeg8_decode(stream)[np.newaxis]
            name = f"{subsampling}, quality {level}"
            group = "JPEG extended .51, colour of 12 bits, all subsamplings"
            yield maker.file(group, name, [color], JPEG + "51", [stream], bits=12, photometric="YBR_FULL_422",
                             others={"libjpeg-turbo": other}, lossy=True)
            told, array = maker.file(group + ", drawn", name, [color], JPEG + "51", [stream], bits=12,
                                     photometric="YBR_FULL_422", lossy=True,
                                     others={"the upper 8 bits of libjpeg-turbo's": (other >> 4).astype("u1")})
            yield {**told, "drawn": True}, array


def jpeg_kinds(maker):
    """Progressive, with restart markers, with components called R, G and B; as Pillow decodes them."""
    grey, color = picture(8), picture(8, 3)
    even = picture(8, 3, even=True)
    cases = [("progressive", grey, {"progressive": True}), ("restart markers", grey, {"restart_marker_blocks": 4}),
             ("kept as RGB", color, {"keep_rgb": True, "subsampling": 0}),
             ("kept as RGB, progressive", color, {"keep_rgb": True, "subsampling": 0, "progressive": True})]
    for subsampling, name in enumerate(("444", "422", "420")):
        cases += [(f"progressive, {name}", even, {"progressive": True, "subsampling": subsampling}),
                  (f"restart markers, {name}", even, {"restart_marker_blocks": 4, "subsampling": subsampling})]
    for name, array, options in cases:
        for quality in (60, 97):
            file = io.BytesIO()
            Image.fromarray(array).save(file, "JPEG", quality=quality, optimize=True, **options)
            other = np.asarray(Image.open(file))[np.newaxis]
            photometric = "MONOCHROME2" if array.ndim == 2 else "RGB" if "RGB" in name else "YBR_FULL_422"
            syntax = "55" if "progressive" in name else "50"
            yield maker.file("JPEG progressive .55, restart markers and components named RGB",
                             f"{name}, quality {quality}", [array], JPEG + syntax, [file.getvalue()],
                             photometric=photometric, others={"Pillow": other}, lossy=True)


def jpeg_ls_streams(maker):
    for bits in range(2, 17):
        grey = picture(bits)
        stream = jpeg_ls.encode_array(grey)
        yield maker.file("JPEG-LS .80, grey, 2 to 16 bits", f"{bits} bits", [grey], JPEG + "80", [stream], bits=bits)
    for bits in (8, 12, 16):
        for mode in (0, 1, 2):
            color = picture(bits, 3)
            planes = np.ascontiguousarray(color.transpose(2, 0, 1))
            stream = jpeg_ls.encode_array(planes if mode == 0 else color, 0, mode)
            yield maker.file("JPEG-LS .80, RGB, all interleaves", f"{bits} bits, interleave {mode}", [color],
                             JPEG + "80", [stream], bits=bits)
        for near in (1, 3, 9):
            grey = picture(bits)
            stream = jpeg_ls.encode_array(grey, near)
            # Near-lossless decoding is exact: every decoder gives the same.
            yield maker.file("JPEG-LS .81, near-lossless, against CharLS", f"{bits} bits, within {near}", [grey],
                             JPEG + "81", [stream], bits=bits, lossy=True,
                             others={"charls": jpeg_ls.decode(np.frombuffer(stream, "u1"))[np.newaxis]})


def jpeg_ls_conformance(maker):
    root = os.path.join(os.path.dirname(jpeg_ls.__file__), "tests", "jlsimV100")
    for name in sorted(os.listdir(root)):
        if not name.upper().endswith(".JLS"):
            continue
        stream = open(os.path.join(root, name), "rb").read()
        near = 0 if "E0" in name.upper() else 3
        try:
            array = imagecodecs.jpegls_decode(stream)
        except imagecodecs.JpeglsError:
            # T8SS…: components of different sizes, which no DICOM image has.
            stored = np.zeros((1, 1), "u1")
            told, array = maker.file("JPEG-LS conformance streams of ISO/IEC 14495-1 (pyjpegls)", name, [stored], JPEG + "80",
                                     [stream])
            yield {**told, "reason": "no oracle decodes it: CharLS has no components of different sizes"}, array
            continue
        yield maker.file("JPEG-LS conformance streams of ISO/IEC 14495-1 (pyjpegls)", name, [array],
                         JPEG + ("80" if near == 0 else "81"), [stream], bits=12 if "16" in name else 8, lossy=True,
                         others={"charls": array[np.newaxis]})


def jpeg_2000(maker):
    for bits in (1, 2, 7, 8, 10, 12, 15, 16):
        grey = picture(bits)
        stream = imagecodecs.jpeg2k_encode(grey, level=0, reversible=True, bitspersample=bits, codecformat="J2K")
        yield maker.file("JPEG 2000 .90, grey, 1 to 16 bits", f"{bits} bits", [grey], JPEG + "90", [stream], bits=bits)
    signed = picture(16, signed=True)
    stream = imagecodecs.jpeg2k_encode(signed, level=0, reversible=True, codecformat="J2K")
    yield maker.file("JPEG 2000 .90, signed", "16 bits", [signed], JPEG + "90", [stream])
    for bits in (8, 16):
        color = picture(bits, 3)
        for mct, photometric in ((True, "YBR_RCT"), (False, "RGB")):
            stream = imagecodecs.jpeg2k_encode(color, level=0, reversible=True, mct=mct, codecformat="J2K")
            yield maker.file("JPEG 2000 .90, colour with and without RCT", f"{bits} bits, {photometric}", [color],
                             JPEG + "90", [stream], photometric=photometric)
            yield maker.file("JPEG 2000 .92, code streams that are Part 1 too", f"{bits} bits, {photometric}",
                             [color], JPEG + "92", [stream], photometric=photometric)
    color = picture(8, 3)
    stream = imagecodecs.jpeg2k_encode(color, level=40, reversible=False, codecformat="J2K")
    other = imagecodecs.jpeg2k_decode(stream)[np.newaxis]
    for syntax in ("91", "93"):
        yield maker.file(f"JPEG 2000 .{syntax}, ICT, against OpenJPEG", "8 bits", [color], JPEG + syntax, [stream],
                         photometric="YBR_ICT", lossy=True, others={"openjpeg": other})


def high_throughput(maker):
    for syntax in ("201", "202", "203"):
        for bits in (8, 12, 16):
            grey = picture(bits)
            stream = imagecodecs.htj2k_encode(grey, reversible=True)
            yield maker.file("HTJ2K .201, .202 and .203, grey", f".{syntax}, {bits} bits", [grey], JPEG + syntax,
                             [stream], bits=bits)
        signed = picture(16, signed=True)
        stream = imagecodecs.htj2k_encode(signed, reversible=True)
        yield maker.file("HTJ2K .201, .202 and .203, signed", f".{syntax}, 16 bits", [signed], JPEG + syntax, [stream])
        color = picture(8, 3)
        stream = imagecodecs.htj2k_encode(color, reversible=True, rgb=True)
        yield maker.file("HTJ2K .201, .202 and .203, RCT", f".{syntax}, 8 bits", [color], JPEG + syntax, [stream],
                         photometric="YBR_RCT")
    tiled = picture(12, rows=150, columns=130)
    stream = imagecodecs.htj2k_encode(tiled, reversible=True, tile=(64, 64))
    yield maker.file("HTJ2K .202, tiles of 64 by 64", "12 bits", [tiled], JPEG + "202", [stream], bits=12)
    grey = picture(12)
    stream = imagecodecs.htj2k_encode(grey, level=0.001, reversible=False)
    yield maker.file("HTJ2K .203, irreversible, against OpenJPH", "12 bits", [grey], JPEG + "203", [stream],
                     bits=12, lossy=True, others={"openjph": imagecodecs.htj2k_decode(stream)[np.newaxis]})


def jpeg_xl(maker):
    for container in (False, True):
        for bits in (8, 10, 12, 16):
            grey = picture(bits)
            stream = imagecodecs.jpegxl_encode(grey, lossless=True, bitspersample=bits, usecontainer=container)
            yield maker.file("JPEG XL .110, grey", f"{bits} bits, container {container}", [grey], JPEG + "110",
                             [stream], bits=bits)
        for bits in (8, 16):
            color = picture(bits, 3)
            stream = imagecodecs.jpegxl_encode(color, lossless=True, usecontainer=container)
            yield maker.file("JPEG XL .110, RGB", f"{bits} bits, container {container}", [color], JPEG + "110", [stream])
    for distance in (0.5, 1.0):
        color = picture(8, 3, even=True)
        stream = imagecodecs.jpegxl_encode(color, lossless=False, distance=distance)
        yield maker.file("JPEG XL .112, against libjxl", f"RGB, distance {distance}", [color], JPEG + "112", [stream],
                         lossy=True, others={"libjxl": imagecodecs.jpegxl_decode(stream)[np.newaxis]})
        grey = picture(8, even=True)
        stream = imagecodecs.jpegxl_encode(grey, lossless=False, distance=distance)
        yield maker.file("JPEG XL .112, against libjxl", f"grey, distance {distance}", [grey], JPEG + "112", [stream],
                         lossy=True, others={"libjxl": imagecodecs.jpegxl_decode(stream)[np.newaxis]})
    for subsampling in ("444", "420"):
        color = picture(8, 3, even=True)
        jpeg = imagecodecs.jpeg8_encode(color, level=90, subsampling=subsampling)
        stream = imagecodecs.jpegxl_encode_jpeg(jpeg)
        yield maker.file("JPEG XL .111, a JPEG packed again, against libjxl", subsampling, [color], JPEG + "111", [stream],
                         photometric="YBR_FULL_422", lossy=True,
                         others={"libjxl": imagecodecs.jpegxl_decode(stream)[np.newaxis]})


def packbits(plane):
    """PackBits without ambition: rows of literals and runs, each row on its own (PS3.5 G.3.1)."""
    out = bytearray()
    for row in plane:
        row, at = bytes(row), 0
        while at < len(row):
            run = 1
            while at + run < len(row) and run < 128 and row[at + run] == row[at]:
                run += 1
            if run > 1:
                out += bytes([257 - run, row[at]])
            else:
                out += bytes([0, row[at]])
            at += run
    return bytes(out) + b"\0" * (len(out) % 2)


def rle(array):
    planes = []
    for sample in np.atleast_3d(array).transpose(2, 0, 1):
        high_first = sample.astype(sample.dtype.newbyteorder(">"))
        octets = np.ascontiguousarray(high_first).view("u1").reshape(*sample.shape, sample.dtype.itemsize)
        planes += [packbits(octets[..., i]) for i in range(octets.shape[-1])]
    header, at = [len(planes)], 64
    for plane in planes:
        header.append(at)
        at += len(plane)
    return np.array(header + [0] * (16 - len(header)), "<u4").tobytes() + b"".join(planes)


def run_lengths(maker):
    for bits in (8, 16, 32):
        for samples in (1, 3):
            array = picture(bits, samples)
            yield maker.file("RLE, 8, 16 and 32 bits, grey and RGB", f"{bits} bits, {samples} samples", [array, array[::-1]],
                             "1.2.840.10008.1.2.5", [rle(array), rle(array[::-1])])
    signed = picture(12, signed=True)
    yield maker.file("RLE, signed", "12 of 16 bits", [signed], "1.2.840.10008.1.2.5", [rle(signed)], bits=12)


def native_layouts(maker):
    deflate = lambda raw: (lambda c: c.compress(raw) + c.flush())(zlib.compressobj(9, wbits=-15))
    # 15 pixels a frame: the second begins inside a byte, and so do the next.
    frames = [(RANDOM.random((3, 5)) > 0.5).astype("u1") for _ in range(9)]
    packed = np.packbits(np.stack(frames).ravel(), bitorder="little").tobytes()
    for vr in ("OB", "OW"):
        yield maker.file("1 bit, frames that begin inside a byte", f"little endian {vr}", frames, LITTLE, packed, bits=1,
                         allocated=1, vr=vr)
    swapped = packed + b"\0" * (len(packed) % 2)
    swapped = np.frombuffer(swapped, "<u2").astype(">u2").tobytes()
    yield maker.file("1 bit, frames that begin inside a byte", "big endian OB", frames, BIG, packed, bits=1, allocated=1, vr="OB")
    yield maker.file("1 bit, frames that begin inside a byte", "big endian OW", frames, BIG, swapped, bits=1, allocated=1)
    single = [np.packbits(frame.ravel(), bitorder="little").tobytes() for frame in frames]
    yield maker.file("deflated image frames .8.1", "1 bit", frames, "1.2.840.10008.1.2.8.1", [deflate(raw) for raw in single],
                     bits=1, allocated=1)
    # 5 by 3 bytes: odd frames, so that big endian words straddle them.
    odd = [picture(8, rows=5, columns=3) for _ in range(3)]
    raw = np.stack(odd).tobytes()
    swap = lambda raw: np.frombuffer(raw + b"\0" * (len(raw) % 2), "<u2").astype(">u2").tobytes()
    yield maker.file("8 bits, odd length", "little endian", odd, LITTLE, raw, vr="OB")
    yield maker.file("8 bits, odd length", "big endian OB", odd, BIG, raw, vr="OB")
    yield maker.file("8 bits, odd length", "big endian OW", odd, BIG, swap(raw))
    for bits in (16, 32):
        for signed in (False, True):
            array = picture(bits, signed=signed)
            for syntax, order in ((LITTLE, "<"), (BIG, ">")):
                raw = array.astype(array.dtype.newbyteorder(order)).tobytes()
                yield maker.file("16 and 32 bits, both byte orders", f"{array.dtype}, {order}", [array], syntax, raw)
    high = picture(12)
    yield maker.file("12 of 16 bits, left-aligned", "high bit 15", [high], LITTLE, (high << 4).astype("<u2").tobytes(),
                     bits=12, high=15)
    for kind in ("f4", "f8"):
        array = (picture(16).astype(kind) - 3e4) / 7
        for syntax, order in ((LITTLE, "<"), (BIG, ">")):
            raw = array.astype(np.dtype(kind).newbyteorder(order)).tobytes()
            yield maker.file("Float and Double Float Pixel Data", f"{kind}, {order}", [array], syntax, raw)
    for bits in (8, 16, 32):
        color = picture(bits, 3)
        planes = np.ascontiguousarray(color.transpose(2, 0, 1))
        for planar, raw in ((0, color), (1, planes)):
            yield maker.file("RGB by pixel and by plane", f"{bits} bits, planar {planar}", [color], LITTLE, raw.tobytes(), planar=planar,
                             vr="OB" if bits == 8 else "OW")
            big = raw.astype(raw.dtype.newbyteorder(">")).tobytes()
            yield maker.file("RGB by pixel and by plane", f"{bits} bits, planar {planar}, big endian", [color], BIG,
                             swap(big) if bits == 8 else big, planar=planar)
    for bits, samples in ((8, 1), (16, 1), (8, 3)):
        array = picture(bits, samples)
        yield maker.file("encapsulated uncompressed .1.98", f"{bits} bits, {samples} samples", [array], LITTLE + ".98",
                         [array.tobytes() + b"\0" * (array.nbytes % 2)])
        yield maker.file("deflated image frames .8.1", f"{bits} bits, {samples} samples", [array], "1.2.840.10008.1.2.8.1",
                         [deflate(array.tobytes())])


def disagreements(maker):
    """Headers that do not say what their code stream holds: the stream is right."""
    grey = picture(12)
    stream = imagecodecs.jpeg2k_encode(grey, level=0, reversible=True, bitspersample=12, codecformat="J2K")
    yield maker.file("header and code stream disagree", "JPEG 2000 of 12 bits, header says 10", [grey], JPEG + "90", [stream], bits=10)
    lossless = imagecodecs.jpeg8_encode(grey, lossless=True, predictor=1, bitspersample=12)
    yield maker.file("header and code stream disagree", "JPEG lossless of 12 bits, header says 16", [grey], JPEG + "70", [lossless], bits=16)
    color = picture(8, 3)
    stream = jpeg_ls.encode_array(color, 0, 2)
    yield maker.file("header and code stream disagree", "JPEG-LS of 3 components, header says 1 sample", [color],
                     JPEG + "80", [stream], photometric="MONOCHROME2", SamplesPerPixel=1)
    rct = imagecodecs.jpeg2k_encode(color, level=0, reversible=True, mct=True, codecformat="J2K")
    yield maker.file("header and code stream disagree", "JPEG 2000 with RCT, header says YBR_FULL", [color], JPEG + "90", [rct],
                     photometric="YBR_FULL")
    yield maker.file("header and code stream disagree", "JPEG-LS in a JPEG lossless object", [color], JPEG + "70",
                     [stream])
    ht = imagecodecs.htj2k_encode(grey, reversible=True)
    yield maker.file("header and code stream disagree", "HTJ2K in a JPEG 2000 object", [grey], JPEG + "90", [ht], bits=12)
