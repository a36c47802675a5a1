"""Stores images, documents and videos with a few lines of metadata, and reads the objects made of
them back with pydicom, dcmdump and dciodvfy."""
import io
import json
import pathlib
import re
import struct
import subprocess
import sys

import numpy
from openjpeg.utils import encode_array
import pydicom
import requests
from PIL import Image

url, folder = sys.argv[1:]
rng = numpy.random.default_rng(7)
number = 0


def attribute(vr, *values):
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def metadata(sop_class, **more):
    """The attributes every composite object has, and what is in `more` by keyword."""
    global number
    number += 1
    base = {
        "00080005": attribute("CS", "ISO_IR 192"),
        "00080016": attribute("UI", sop_class),
        "00080018": attribute("UI", f"1.2.826.0.1.3680043.10.999.77.{number}"),
        "00080020": attribute("DA", "20260301"),
        "00080023": attribute("DA", "20260301"),
        "00080030": attribute("TM", "101500"),
        "00080033": attribute("TM", "101500"),
        "0008002A": attribute("DT", "20260301101500"),
        "00080050": attribute("SH"),
        "00080060": attribute("CS", more.pop("modality", "OT")),
        "00080064": attribute("CS", "WSD"),
        "00080070": attribute("LO", "ACME"),
        "00080090": attribute("PN"),
        "00100010": attribute("PN", {"Alphabetic": "Prova^Nicolò"}),
        "00100020": attribute("LO", "P77"),
        "00100030": attribute("DA"),
        "00100040": attribute("CS"),
        "0020000D": attribute("UI", "1.2.826.0.1.3680043.10.999.77"),
        "0020000E": attribute("UI", f"1.2.826.0.1.3680043.10.999.77.0.{number}"),
        "00200010": attribute("SH"),
        "00200011": attribute("IS", number),
        "00200013": attribute("IS", 1),
        "00200020": attribute("CS"),
    }
    for keyword, value in more.items():
        tag = pydicom.datadict.tag_for_keyword(keyword)
        base[f"{tag:08X}"] = value
    return base


def store(attributes, parts, expected=200):
    body = b'--cut\r\nContent-Type: application/dicom+json\r\n\r\n' + json.dumps([attributes]).encode() + b"\r\n"
    for kind, location, content in parts:
        head = f"--cut\r\nContent-Type: {kind}\r\nContent-Location: {location}\r\nContent-Length: {len(content)}\r\n\r\n"
        body += head.encode() + content + b"\r\n"
    body += b"--cut--\r\n"
    kind = 'multipart/related; type="application/dicom+json"; boundary=cut'
    answer = requests.post(f"{url}/studies", body, headers={"Content-Type": kind})
    assert answer.status_code == expected, (answer.status_code, answer.text)
    return answer.json()


def made(attributes):
    """The object as stored: a file DCMTK reads without a word, checked against its IOD."""
    where = "/".join(
        f"{name}/{attributes[tag]['Value'][0]}"
        for name, tag in [("studies", "0020000D"), ("series", "0020000E"), ("instances", "00080018")]
    )
    answer = requests.get(f"{url}/{where}", headers={"Accept": "application/dicom; transfer-syntax=*"})
    assert answer.ok, answer.text
    file = pathlib.Path(folder, "made.part10")
    file.write_bytes(answer.content)
    dumped = subprocess.run(["dcmdump", file], capture_output=True, text=True, errors="replace")
    assert dumped.returncode == 0 and not re.search("^[WEF]:", dumped.stderr, re.M), dumped.stderr
    checked = subprocess.run(["dciodvfy", file], capture_output=True, text=True, errors="replace")
    errors = [line for line in (checked.stdout + checked.stderr).splitlines() if line.startswith("Error")]
    # What only the metadata could say is left out here on purpose.
    derived = "Rows|Columns|Bits|HighBit|Samples|Photometric|Planar|PixelRep|NumberOfFrames|Lossy|MIME|EncapsulatedD|Cine|FrameTime"
    own = [e for e in errors if "Missing attribute" not in e or re.search(f"Element=<({derived})", e)]
    assert not own, own
    return pydicom.dcmread(file)


def picture(mode, suffix, array, **options):
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, suffix, **options)
    return out.getvalue()


SC, VL, VIDEO = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.840.10008.5.1.4.1.1.77.1.4.1"
PIXELS = {"PixelData": {"vr": "OB", "BulkDataURI": "pixels/1"}}
smooth = numpy.add.outer(numpy.arange(48), numpy.arange(64)).astype("uint8")
colour = numpy.stack([smooth, 255 - smooth, smooth // 2], axis=-1)
deep = (numpy.add.outer(numpy.arange(48), numpy.arange(64)) * 500).astype("uint16")
noise = rng.integers(0, 256, (48, 64, 3), dtype="uint8")

# JPEG: unchanged, described from its code stream.
for array, samples, photometric in [(smooth, 1, "MONOCHROME2"), (colour, 3, "YBR_FULL_422")]:
    file = picture(None, "JPEG", array, quality=92)
    attributes = metadata(SC, **PIXELS)
    store(attributes, [("image/jpeg", "pixels/1", file)])
    got = made(attributes)
    assert got.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    assert (got.Rows, got.Columns, got.SamplesPerPixel) == (48, 64, samples)
    assert (got.BitsAllocated, got.BitsStored, got.HighBit, got.PixelRepresentation) == (8, 8, 7, 0)
    assert got.PhotometricInterpretation == photometric
    assert got.LossyImageCompression == "01" and got.LossyImageCompressionMethod == "ISO_10918_1"
    assert abs(float(got.LossyImageCompressionRatio) - array.size / len(file)) < 0.02
    frame = next(pydicom.encaps.generate_frames(got.PixelData, number_of_frames=1))
    assert frame.rstrip(b"\0") == file.rstrip(b"\0"), "the code stream is what was sent"
    assert numpy.abs(got.pixel_array.reshape(-1)[:100].astype(int)).max() <= 255

# Several JPEG frames of one value.
frames = [picture(None, "JPEG", numpy.roll(smooth, n, 0), quality=90) for n in range(5)]
attributes = metadata("1.2.840.10008.5.1.4.1.1.7.2", **PIXELS)
store(attributes, [("image/jpeg", "pixels/1", frame) for frame in frames])
got = made(attributes)
assert int(got.NumberOfFrames) == 5 and got.pixel_array.shape == (5, 48, 64)
again = list(pydicom.encaps.generate_frames(got.PixelData, number_of_frames=5))
assert [f.rstrip(b"\0") for f in again] == [f.rstrip(b"\0") for f in frames]
attributes = metadata("1.2.840.10008.5.1.4.1.1.7.2", NumberOfFrames=attribute("IS", 5), **PIXELS)
store(attributes, [("image/jpeg", f"pixels/1/frames/{n + 1}", frame) for n, frame in enumerate(frames)])
assert made(attributes).pixel_array.shape == (5, 48, 64)

# JPEG 2000: files lose their boxes, the code stream stays.
for array, lossless in [(smooth, True), (deep, True), (noise, True), (colour, False)]:
    if array.ndim == 2:
        stream = encode_array(array, bits_stored=array.dtype.itemsize * 8, photometric_interpretation=2)
        file = stream
        expected = array
    else:
        file = picture(None, "JPEG2000", array, irreversible=not lossless)
        assert file[4:8] == b"jP  "
        stream = file[file.index(b"jp2c") + 4:]
        expected = array if lossless else None
    attributes = metadata(SC, **PIXELS)
    store(attributes, [("image/jp2", "pixels/1", file)])
    got = made(attributes)
    assert got.file_meta.TransferSyntaxUID == f"1.2.840.10008.1.2.4.9{0 if lossless else 1}", got.file_meta
    assert (got.BitsStored, got.SamplesPerPixel) == (array.dtype.itemsize * 8, 1 if array.ndim == 2 else 3)
    assert ("LossyImageCompression" in got) == (not lossless)
    frame = next(pydicom.encaps.generate_frames(got.PixelData, number_of_frames=1))
    assert frame.rstrip(b"\0") == stream.rstrip(b"\0")
    pixels = got.pixel_array
    if expected is not None:
        assert numpy.array_equal(pixels, expected)

# PNG: native pixels, equal one by one; transparency goes, palettes become colours.
alpha = numpy.dstack([colour, numpy.full((48, 64), 9, "uint8")])
palette = Image.fromarray(smooth // 4).convert("P")
palette.putpalette([v for n in range(256) for v in (n, 255 - n, n // 2)])
out = io.BytesIO()
palette.save(out, "PNG")
indexed = numpy.asarray(palette.convert("RGB"))
for file, expected in [
    (picture(None, "PNG", smooth), smooth),
    (picture(None, "PNG", colour), colour),
    (picture(None, "PNG", alpha), colour),
    (picture(None, "PNG", deep), deep),
    (out.getvalue(), indexed),
]:
    attributes = metadata(SC, **PIXELS)
    store(attributes, [("image/png", "pixels/1", file)])
    got = made(attributes)
    assert got.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert numpy.array_equal(got.pixel_array, expected)
    assert "LossyImageCompression" not in got
attributes = metadata("1.2.840.10008.5.1.4.1.1.7.2", **PIXELS)
store(attributes, [("image/png", "pixels/1", picture(None, "PNG", smooth + n)) for n in range(3)])
assert made(attributes).pixel_array.shape == (3, 48, 64)

# GIF: native pixels too; of one that moves, each frame as it is seen.
grey = Image.fromarray(smooth)
coloured = Image.fromarray(smooth // 4).convert("P")
coloured.putpalette([v for n in range(256) for v in (n, 255 - n, n // 2)])


def gif(image, **options):
    out = io.BytesIO()
    image.save(out, "GIF", **options)
    return out.getvalue()


for image in (grey, coloured):
    attributes = metadata(SC, **PIXELS)
    store(attributes, [("image/gif", "pixels/1", gif(image))])
    got = made(attributes)
    assert got.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    expected = numpy.asarray(image if image is grey else image.convert("RGB"))
    assert numpy.array_equal(got.pixel_array, expected), image.mode
    assert "LossyImageCompression" not in got and "NumberOfFrames" not in got

for moving, times in (([50] * 5, "FrameTime"), ([40, 80, 50, 50, 120], "FrameTimeVector")):
    changed = []
    for n in range(5):
        array = smooth.copy()
        array[8 * n : 8 * n + 9, 10 : 20 + 3 * n] = 40 * n
        changed.append(Image.fromarray(array))
    file = gif(changed[0], save_all=True, append_images=changed[1:], duration=moving, loop=0)
    attributes = metadata("1.2.840.10008.5.1.4.1.1.7.2", **PIXELS)
    store(attributes, [("image/gif", "pixels/1", file)])
    got = made(attributes)
    read = Image.open(io.BytesIO(file))
    assert read.n_frames == 5
    for n in range(5):
        read.seek(n)
        whole = numpy.asarray(read.convert("RGB"))
        seen = got.pixel_array[n]
        assert numpy.array_equal(seen if seen.ndim == 3 else numpy.stack([seen] * 3, -1), whole), n
    assert times in got and int(got.NumberOfFrames) == 5
    if times == "FrameTime":
        assert (float(got.FrameTime), got.FrameIncrementPointer) == (50.0, 0x00181063)
    else:
        assert [float(t) for t in got.FrameTimeVector] == [0, 40, 80, 50, 50]
        assert got.FrameIncrementPointer == 0x00181065
attributes = metadata(SC, **PIXELS)
answer = store(attributes, [("image/gif", "pixels/1", file[: len(file) // 2])], 409)
assert "frame does not decode" in str(answer), answer

# Native pixels of any kind, the metadata saying what they are.
description = {
    "SamplesPerPixel": attribute("US", 1),
    "PhotometricInterpretation": attribute("CS", "MONOCHROME2"),
    "Rows": attribute("US", 48),
    "Columns": attribute("US", 64),
    "BitsAllocated": attribute("US", 16),
    "BitsStored": attribute("US", 16),
    "HighBit": attribute("US", 15),
    "PixelRepresentation": attribute("US", 0),
}
attributes = metadata(SC, PixelData={"vr": "OW", "BulkDataURI": "pixels/1"}, **description)
boundary_like = deep.tobytes()[:-30] + b"\r\n--cut--\r\n\r\n--cut\r\n" + bytes(10)
store(attributes, [("application/octet-stream", "pixels/1", boundary_like)])
assert made(attributes).PixelData == boundary_like

# What metadata and code stream say must agree.
attributes = metadata(SC, Rows=attribute("US", 47), **PIXELS)
answer = store(attributes, [("image/jpeg", "pixels/1", picture(None, "JPEG", smooth))], 409)
failed = answer["00081198"]["Value"][0]
assert failed["00081197"]["Value"] == [0xA900]
assert "(0028,0010)" in failed["00741048"]["Value"][0]["00000902"]["Value"][0], failed

# Documents.
cda = pathlib.Path(__file__).parents[3].joinpath("sample-studies/cda-report")
cda = pydicom.dcmread(next(cda.glob("*.dcm"))).EncapsulatedDocument.rstrip(b"\0")
stl = b"solid x\nendsolid x\n"
for sop_class, media, mime, content in [
    ("1.2.840.10008.5.1.4.1.1.104.1", "application/pdf", "application/pdf", b"%PDF-1.4\n%odd length\n%%EOF"),
    ("1.2.840.10008.5.1.4.1.1.104.2", "text/xml", "text/XML", cda),
    ("1.2.840.10008.5.1.4.1.1.104.3", "model/stl", "model/stl", stl),
]:
    attributes = metadata(
        sop_class,
        modality="M3D" if "stl" in media else "DOC",
        EncapsulatedDocument={"vr": "OB", "BulkDataURI": "document"},
        DocumentTitle=attribute("ST", "Referto"),
        BurnedInAnnotation=attribute("CS", "YES"),
        ConceptNameCodeSequence={"vr": "SQ"},
    )
    store(attributes, [(media, "document", content)])
    got = made(attributes)
    assert got.MIMETypeOfEncapsulatedDocument == mime
    assert got.EncapsulatedDocumentLength == len(content)
    assert got.EncapsulatedDocument[: len(content)] == content
    assert len(got.EncapsulatedDocument) == len(content) + len(content) % 2


def box(kind, body):
    return struct.pack(">I4s", len(body) + 8, kind) + body


def mp4(level, media_bytes):
    """The boxes of an MP4 file whose index comes last, as cameras write it."""
    avcc = box(b"avcC", bytes([1, 100, 0, level, 0xFF, 0xE0, 0]))
    entry = bytes(24) + struct.pack(">HH", 640, 480) + bytes(50) + avcc
    stsd = box(b"stsd", struct.pack(">II", 0, 1) + box(b"avc1", entry))
    stsz = box(b"stsz", struct.pack(">III", 0, 0, 50))
    minf = box(b"minf", box(b"stbl", stsd + stsz))
    mdhd = box(b"mdhd", struct.pack(">IIIII", 0, 0, 0, 1000, 2000) + bytes(4))
    hdlr = box(b"hdlr", bytes(8) + b"vide" + bytes(13))
    trak = box(b"trak", box(b"mdia", mdhd + hdlr + minf))
    head = box(b"ftyp", b"isom" + bytes(4)) + box(b"mdat", media_bytes)
    return head + box(b"moov", box(b"mvhd", bytes(100)) + trak)


for level, syntax in [(41, "102"), (42, "104")]:
    video = mp4(level, rng.bytes(100_001))
    attributes = metadata(VIDEO, modality="XC", **PIXELS)
    store(attributes, [("video/mp4", "pixels/1", video)])
    got = made(attributes)
    assert got.file_meta.TransferSyntaxUID == f"1.2.840.10008.1.2.4.{syntax}"
    assert (got.Rows, got.Columns, int(got.NumberOfFrames)) == (480, 640, 50)
    assert (got.PhotometricInterpretation, got.LossyImageCompressionMethod) == ("YBR_PARTIAL_420", "ISO_14496_10")
    assert (float(got.FrameTime), int(got.CineRate), got.FrameIncrementPointer) == (40.0, 25, 0x00181063)
    fragments = list(pydicom.encaps.generate_fragments(got.PixelData))
    assert fragments[1][: len(video)] == video and len(fragments) == 2, len(fragments)

# The stock client stores nothing but files; its JSON is read all the same.
dataset = pydicom.dcmread(next(pathlib.Path(__file__).parents[3].joinpath("sample-studies/mr-head").glob("*.dcm")))
pixels = {}


def keep(element):
    pixels[element.tag] = element.value
    return "mr/pixels"


attributes = dataset.to_json_dict(bulk_data_threshold=1024, bulk_data_element_handler=keep)
store(attributes, [("application/octet-stream", "mr/pixels", next(iter(pixels.values())))])
got = made(attributes)
assert numpy.array_equal(got.pixel_array, dataset.pixel_array)
differing = [e.tag for e in dataset if e.tag != 0x00080005 and got.get(e.tag) != e]
assert not differing, differing
print(number, "objects made and read back")
