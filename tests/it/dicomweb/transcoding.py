"""Stores objects of every form in a running archive, asks for each in every transfer syntax it can
make, and holds what comes against the source: pixels as pydicom decodes them, every other element,
and dcmdump's opinion of the file.

    python transcoding.py http://127.0.0.1:8042/dicom-web FOLDER SAMPLE...

FOLDER takes the files that came; SAMPLEs are further sources, the others are made here. Prints one
JSON object; exit code 1 when anything differed.
"""

import io
import json
import pathlib
import subprocess
import sys
import warnings

import numpy
import pydicom
import pydicom.encaps
import requests
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import pixel_array
from pydicom.uid import UID, generate_uid

warnings.filterwarnings("ignore")

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
RLE, JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
LOSSLESS, LOSSLESS_ANY = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.57"
HTJ2K, HTJ2K_RPCL = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"
TARGETS = [EXPLICIT, RLE, LOSSLESS_ANY, LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K, HTJ2K_RPCL]
MEDIA = {RLE: "image/dicom-rle", LOSSLESS: "image/jpeg", JPEG_LS: "image/jls", JPEG_2000: "image/jp2",
         HTJ2K: "image/jphc"}
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
# May differ: they say what the pixels are, or how long groups are.
PIXEL_TAGS = {0x00280002, 0x00280004, 0x00280006, 0x00280100, 0x00280101, 0x00280102, 0x00282110,
              0x00282112, 0x00282114, 0x7FE00001, 0x7FE00002, 0x7FE00010}


def picture(shape, bits, signed, seed):
    """Slopes, an edge, a flat piece and noise."""
    random = numpy.random.default_rng(seed)
    rows = numpy.arange(shape[-2])[:, None] if len(shape) < 3 or shape[-1] != 3 else \
        numpy.arange(shape[-3])[:, None, None]
    slope = numpy.zeros(shape, dtype=numpy.int64) + rows * 7
    slope += random.integers(0, max(2, 1 << (bits // 3)), shape)
    flat = slope.reshape(-1)
    flat[len(flat) // 2 : len(flat) // 2 + len(flat) // 8] = 3
    slope = flat.reshape(shape) % (1 << bits)
    return slope - (1 << (bits - 1)) if signed else slope


def synthetic(name, rows, columns, allocated=16, stored=16, signed=False, samples=1, frames=1,
              planar=0, photometric=None, syntax=EXPLICIT):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.PatientName, dataset.Modality = "T1", "Prova^Transcodifica", "OT"
    dataset.StudyDate, dataset.SeriesNumber, dataset.InstanceNumber = "20260301", 1, 1
    dataset.ReferencedImageSequence = [Dataset()]
    dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"
    dataset.ReferencedImageSequence[0].ReferencedFrameNumber = [1, 2]
    dataset.add_new(0x00091001, "UN", b"odd one!")
    dataset.add_new(0x00090010, "LO", "LASTRA TEST")
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = rows, columns, samples
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = allocated, stored, stored - 1
    dataset.PixelRepresentation = int(signed)
    dataset.PhotometricInterpretation = photometric or ("RGB" if samples == 3 else "MONOCHROME2")
    if samples == 3:
        dataset.PlanarConfiguration = planar
    if frames > 1:
        dataset.NumberOfFrames = frames
    shape = (frames, rows, columns, 3) if samples == 3 else (frames, rows, columns)
    array = numpy.stack([picture(shape[1:], stored, signed, n) for n in range(frames)])
    kind = {8: "u1", 16: "<u2", 32: "<u4"}[allocated].replace("u", "i" if signed else "u")
    array = array.astype(kind)
    if samples == 3 and planar:
        array = array.transpose(0, 3, 1, 2)
    value = array.tobytes()
    dataset.PixelData = value + b"\0" * (len(value) % 2)
    dataset["PixelData"].VR = "OW" if allocated > 8 else "OB"
    if syntax in (RLE, JPEG_LS, JPEG_2000):
        plugin = {RLE: "pydicom", JPEG_LS: "pyjpegls", JPEG_2000: "pylibjpeg"}[syntax]
        dataset.compress(UID(syntax), generate_instance_uid=False, encoding_plugin=plugin)
    elif syntax == BIG:
        words = numpy.frombuffer(dataset.PixelData, "<u2" if allocated == 16 else "<u4")
        if allocated > 8:
            dataset.PixelData = words.astype(words.dtype.newbyteorder(">")).tobytes()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return name, buffer.getvalue()


def sources():
    yield synthetic("8 bit", 16, 16, 8, 8)
    yield synthetic("8 bit odd", 7, 5, 8, 8)
    yield synthetic("1x1", 1, 1, 8, 8)
    yield synthetic("16 bit", 64, 48)
    yield synthetic("12 bit signed odd", 33, 47, 16, 12, True)
    yield synthetic("16 bit signed", 20, 20, 16, 16, True)
    yield synthetic("10 in 16 bit, frames", 31, 17, 16, 10, frames=5)
    yield synthetic("colour", 30, 20, 8, 8, samples=3)
    yield synthetic("colour by plane, odd, frames", 9, 7, 8, 8, samples=3, planar=1, frames=3)
    yield synthetic("YBR_FULL", 12, 12, 8, 8, samples=3, photometric="YBR_FULL")
    yield synthetic("large", 300, 520, 16, 12)
    yield synthetic("implicit", 24, 36, 16, 12, syntax=IMPLICIT)
    yield synthetic("implicit 8 bit frames", 11, 13, 8, 8, frames=3, syntax=IMPLICIT)
    yield synthetic("big endian", 24, 36, 16, 12, True, syntax=BIG)
    yield synthetic("big endian 8 bit", 10, 10, 8, 8, syntax=BIG)
    yield synthetic("deflated", 24, 36, 16, 12, syntax=DEFLATED)
    yield synthetic("deflated frames", 24, 36, 8, 8, samples=3, frames=4, syntax=DEFLATED)
    yield synthetic("RLE", 24, 36, 16, 12, syntax=RLE)
    yield synthetic("RLE colour frames", 15, 9, 8, 8, samples=3, frames=3, syntax=RLE)
    yield synthetic("JPEG-LS", 24, 36, 16, 12, syntax=JPEG_LS)
    yield synthetic("JPEG 2000 signed frames", 65, 80, 16, 12, True, frames=3, syntax=JPEG_2000)
    yield synthetic("JPEG 2000 colour", 70, 64, 8, 8, samples=3, syntax=JPEG_2000)
    yield synthetic("32 bit", 5, 6, 32, 32)


class Report:
    def __init__(self):
        self.compared, self.different, self.refused = 0, [], {}

    def check(self, holds, *where):
        self.compared += 1
        if not holds:
            self.different.append(" ".join(str(part) for part in where))
        return holds


def decoded_by(dataset, **options):
    # GDCM ends the process over RLE of one pixel.
    plugin = "pydicom" if dataset.file_meta.TransferSyntaxUID == RLE else ""
    return pixel_array(dataset, decoding_plugin=plugin, **options)


def pixels(dataset):
    """As the file says they are: colours are not turned."""
    return decoded_by(dataset, raw=True)


def rgb(dataset):
    return decoded_by(dataset)


def others_alike(got, source):
    """The first element beside the pixels' that is not as it was."""
    skip = lambda tag: int(tag) in PIXEL_TAGS or tag.element == 0
    keys = {key for key in source.keys() if not skip(key)}
    if keys != {key for key in got.keys() if not skip(key)}:
        return sorted(keys ^ {key for key in got.keys() if not skip(key)})
    wrong = [key for key in keys if got[key].value != source[key].value]
    return wrong[:1]


def check_file(session, url, name, source, syntax, array, folder, report):
    response = session.get(url, headers={"Accept": f"application/dicom; transfer-syntax={syntax}"})
    if response.status_code == 406 and syntax != EXPLICIT:
        report.refused.setdefault(name, []).append(syntax)
        return
    if not report.check(response.status_code == 200, name, syntax, response.status_code, response.text[:300]):
        return
    length = int(response.headers.get("content-length", -1))
    report.check(length == len(response.content), name, syntax, "length", length, len(response.content))
    told = response.headers["content-type"]
    report.check(told == f"application/dicom; transfer-syntax={syntax}", name, syntax, told)
    report.check(response.headers["etag"].startswith('"'), name, syntax, "etag")
    report.check(response.headers.get("content-location", "").endswith(source.SOPInstanceUID), name)
    path = folder / f"{len(list(folder.iterdir()))}.dcm"
    path.write_bytes(response.content)
    got = pydicom.dcmread(path)
    report.check(str(got.file_meta.TransferSyntaxUID) == syntax, name, syntax, "meta")
    wrong = others_alike(got, source)
    report.check(not wrong, name, syntax, "elements", wrong)
    try:
        same = numpy.array_equal(pixels(got), array)
    except Exception as error:
        same = False
        report.different.append(f"{name} {syntax} pydicom: {error}"[:300])
    report.check(same, name, syntax, "pixels")
    if UID(syntax).is_encapsulated and int(source.get("NumberOfFrames", 1)) > 1:
        table, _ = pydicom.encaps.parse_basic_offsets(got.PixelData), None
        report.check(len(table) == int(source.NumberOfFrames), name, syntax, "offset table", table)
    return path


def check_frames(session, url, name, array, frames, report):
    stacked = array if frames > 1 else array[None]
    numbers = ",".join(str(n + 1) for n in range(frames))
    parts = session.get(f"{url}/frames/{numbers}",
                        headers={"Accept": 'multipart/related; type="application/octet-stream"'})
    if not report.check(parts.status_code == 200, name, "frames", parts.status_code, parts.text[:200]):
        return
    told = b"application/octet-stream; transfer-syntax=" + EXPLICIT.encode()
    report.check(parts.content.count(told) == frames, name, "frames told")
    for n in range(frames):
        report.check(stacked[n].tobytes() in parts.content, name, "frame", n + 1)
    alone = session.get(f"{url}/frames/{frames}", headers={"Accept": "*/*"})
    report.check(alone.content == stacked[-1].tobytes(), name, "frame alone")
    some = session.get(f"{url}/frames/{frames}", headers={"Range": "bytes=0-0"})
    report.check(some.status_code == 206 and some.content == alone.content[:1], name, "range")
    none = session.get(f"{url}/frames/{frames}", headers={"Range": f"bytes={len(alone.content)}-"})
    report.check(none.status_code == 416, name, "no range", none.status_code)
    value = session.get(f"{url}/pixeldata", headers={"Accept": "application/octet-stream"})
    report.check(value.status_code == 200 and value.content.rstrip(b"\0") == array.tobytes().rstrip(b"\0"),
                 name, "pixeldata", value.status_code)
    for syntax, media in MEDIA.items():
        coded = session.get(f"{url}/frames/1", headers={"Accept": media})
        if coded.status_code == 406:
            continue
        told = coded.headers["content-type"]
        ok = coded.status_code == 200 and told.startswith(media + "; transfer-syntax=")
        report.check(ok, name, media, coded.status_code, told)
        first = session.get(f"{url}/frames/1", headers={"Accept": media, "Range": "bytes=0-9"})
        report.check(first.status_code == 206 and first.content == coded.content[:10], name, media)


def main(base, folder, samples):
    session, report, paths = requests.Session(), Report(), []
    folder = pathlib.Path(folder)
    given = list(sources())
    for sample in samples:
        given.append((pathlib.Path(sample).name, pathlib.Path(sample).read_bytes()))
    for name, file in given:
        stored = session.post(f"{base}/studies", data=file, headers={"Content-Type": "application/dicom"})
        if not report.check(stored.status_code == 200, name, "stored", stored.status_code, stored.text[:200]):
            continue
        source = pydicom.dcmread(io.BytesIO(file))
        url = (f"{base}/studies/{source.StudyInstanceUID}/series/{source.SeriesInstanceUID}"
               f"/instances/{source.SOPInstanceUID}")
        native = session.get(url, headers={"Accept": "application/dicom"})
        if not report.check(native.status_code == 200, name, "native", native.status_code, native.text[:200]):
            continue
        decoded = pydicom.dcmread(io.BytesIO(native.content))
        array = pixels(decoded)
        syntax = str(source.file_meta.TransferSyntaxUID)
        if syntax in LOSSY:
            distance = numpy.abs(rgb(decoded).astype(int) - rgb(source).astype(int)).max()
            report.check(distance <= 4, name, "lossy source", distance)
            report.check(decoded.get("LossyImageCompression") == "01", name, "loss is told")
        else:
            report.check(numpy.array_equal(rgb(decoded), rgb(source)), name, "source")
        for target in TARGETS:
            if target != syntax:
                path = check_file(session, url, name, source, target, array, folder, report)
                paths += [str(path)] if path else []
        if source.get("BitsAllocated") in (8, 16) and source.get("PlanarConfiguration", 0) == 0 \
                and source.PhotometricInterpretation != "YBR_FULL_422":
            check_frames(session, url, name, array, int(source.get("NumberOfFrames", 1)), report)
    dumped = subprocess.run(["dcmdump", *paths], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = dumped.stderr.decode("latin-1").splitlines()
    complaints = [line for line in said if line.startswith(("E:", "W:", "F:"))]
    report.check(dumped.returncode == 0 and not complaints, "dcmdump", dumped.returncode, complaints[:5])
    print(json.dumps({"sources": len(given), "files": len(paths), "compared": report.compared,
                      "refused": report.refused, "different": report.different}, indent=1))
    return 1 if report.different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3:]))
