"""Writing DICOM: UIDs from names, the modules every instance shares, lossless compression."""

import io
import os
import tempfile
import uuid
from dataclasses import dataclass, field
from datetime import datetime

import gdcm
import numpy as np
from pydicom import config
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filereader import dcmread
from pydicom.uid import (UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
                         JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless)

config.settings.writing_validation_mode = config.RAISE

_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, "urn:lastra:sample-studies")
PLUGIN = {JPEGLSLossless: "pyjpegls", JPEG2000Lossless: "pylibjpeg", RLELossless: "pydicom"}


def uid(name):
    """The UID of a name: always the same, under 2.25 (PS3.5 §B.2)."""
    return UID(f"2.25.{uuid.uuid5(_ROOT, name).int}")


@dataclass
class Exam:
    """A study: what all its instances say alike."""

    name: str
    person: object
    when: datetime
    accession: str
    description: str
    zone: str = "+0100"
    patient_id: str = "mrn"
    charset: object = "ISO_IR 100"
    referrer: str = ""
    reader: str = ""
    order: str = ""
    reason: str = ""

    @property
    def uid(self):
        return uid(f"{self.name}/study")


@dataclass
class Folder:
    """What a module hands back: the instances to write and what ORIGIN.md should say."""

    name: str
    title: str
    about: str
    expect: list
    instances: list = field(default_factory=list)  # (file name, FileDataset)
    extra: dict = field(default_factory=dict)  # file name -> bytes
    looks: list = field(default_factory=list)  # small 8-bit pictures for the contact sheet


def code(value, scheme, meaning, version=None):
    """One item of a code sequence (PS3.3 §8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    if version:
        item.CodingSchemeVersion = version
    return item


def instance(exam, sop_class, series, number, modality, syntax=ExplicitVRLittleEndian, seconds=0):
    """A new instance with the modules every composite object shares."""
    from . import people

    meta = FileMetaDataset()
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = exam.charset
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = uid(f"{exam.name}/series {series}/instance {number}")
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = uid("implementation")
    meta.ImplementationVersionName = "SAMPLE_STUDIES_1"
    people.identify(ds, exam.person, exam.patient_id)
    day, start = f"{exam.when:%Y%m%d}", f"{exam.when:%H%M%S}"
    total = exam.when.hour * 3600 + exam.when.minute * 60 + exam.when.second + 60 * series + seconds
    now = f"{total // 3600:02}{total // 60 % 60:02}{total % 60:02}"
    ds.StudyInstanceUID = exam.uid
    ds.StudyDate, ds.StudyTime, ds.StudyID = day, start, exam.accession[-5:]
    ds.AccessionNumber = exam.accession
    if exam.accession:
        ds.IssuerOfAccessionNumberSequence = [people.issuer_item(people.ACCESSION_OID)]
    ds.ReferringPhysicianName = exam.referrer
    ds.StudyDescription = exam.description
    ds.InstanceCreationDate, ds.InstanceCreationTime = day, now
    ds.TimezoneOffsetFromUTC = exam.zone
    ds.Modality = modality
    ds.SeriesInstanceUID = uid(f"{exam.name}/series {series}")
    ds.SeriesNumber = series
    ds.SeriesDate, ds.SeriesTime = day, now
    ds.InstanceNumber = number
    ds.Manufacturer = "Lastra sample studies"
    ds.ManufacturerModelName = f"Phantom {modality}"
    ds.DeviceSerialNumber = f"{modality}-0001"
    ds.SoftwareVersions = "1"
    ds.InstitutionName = people.HOSPITAL
    ds.InstitutionalDepartmentName = people.DEPARTMENT
    ds.StationName = f"{modality}_PROVA"
    if exam.reason:
        request = Dataset()
        request.RequestedProcedureID = exam.accession[-5:]
        request.RequestedProcedureDescription = exam.description
        request.ReasonForTheRequestedProcedure = exam.reason
        request.ScheduledProcedureStepID = exam.accession[-5:] + "-1"
        request.ScheduledProcedureStepDescription = exam.description
        ds.RequestAttributesSequence = [request]
    return ds


def acquired(ds, seconds=0):
    """Content and acquisition times, a few seconds after the series began."""
    t = ds.SeriesTime
    total = int(t[:2]) * 3600 + int(t[2:4]) * 60 + int(t[4:]) + seconds
    now = f"{total // 3600:02}{total // 60 % 60:02}{total % 60:02}"
    ds.ContentDate, ds.ContentTime = ds.SeriesDate, now
    ds.AcquisitionDate, ds.AcquisitionTime = ds.SeriesDate, now
    return ds


def pixels(ds, frames, bits, photometric="MONOCHROME2"):
    """Describe and fill Pixel Data from (frames, rows, columns) or (rows, columns), unsigned, and
    compress it as the file meta says."""
    wide = np.uint16 if bits > 8 else np.uint8
    frames = np.ascontiguousarray(frames.astype(wide))
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = photometric
    ds.Rows, ds.Columns = frames.shape[-2:]
    ds.BitsAllocated = 16 if bits > 8 else 8
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits - 1, 0
    syntax = ds.file_meta.TransferSyntaxUID
    raw = frames.astype("<u2").tobytes() if bits > 8 else frames.tobytes()
    ds.PixelData = raw + b"\0" * (len(raw) % 2)
    ds["PixelData"].VR = "OW" if bits > 8 or syntax == ImplicitVRLittleEndian else "OB"
    if syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        return ds
    if syntax == JPEGLosslessSV1:
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        encapsulated(ds, [_jpeg_lossless(ds)])
        ds.file_meta.TransferSyntaxUID = syntax
        return ds
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.compress(syntax, encoding_plugin=PLUGIN[syntax], generate_instance_uid=False)
    return ds


def encapsulated(ds, frames):
    """Fill Pixel Data with compressed frames, one fragment each, and a basic offset table."""
    ds.PixelData = encapsulate(frames, has_bot=True)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


def _jpeg_lossless(ds):
    """JPEG Lossless, first-order prediction, of a one-frame image."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = os.path.join(folder, "a.dcm"), os.path.join(folder, "b.dcm")
        ds.save_as(before, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(before)
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        if not reader.Read():
            raise RuntimeError("gdcm does not read the image")
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise RuntimeError("gdcm does not compress the image")
        writer = gdcm.ImageWriter()
        writer.SetFileName(after)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not writer.Write():
            raise RuntimeError("gdcm does not write the image")
        return next(generate_frames(dcmread(after).PixelData, number_of_frames=1))


def written(ds):
    """The bytes of the file."""
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def window(values, centre, width):
    """An 8-bit picture through a linear window."""
    return (np.clip((np.asarray(values, float) - centre) / width + 0.5, 0, 1) * 255).astype(np.uint8)
