"""Has the stock dicomweb-client of npm ask a running archive, in a real Chromium.

    client_npm.py BASE CHROMIUM SCRIPT FILE…    exit code 1 when an answer is not as the files say

BASE is the archive's HTTP address, SCRIPT the client as npm publishes it, built for browsers. The
archive is empty at first: the client stores the files (of one study) itself.
"""
import base64
import pathlib
import sys

import pydicom
from playwright.sync_api import sync_playwright

CALLS = """async ([base, files]) => {
  const { api } = window.DICOMwebClient;
  const client = new api.DICOMwebClient({ url: base + '/dicom-web' });
  const bytes = file => Uint8Array.from(atob(file), letter => letter.charCodeAt(0)).buffer;
  // Some of the client's functions give an array of one.
  const hex = given => octets([given].flat()[0]);
  const octets = all => Array.from(new Uint8Array(all), byte => byte.toString(16).padStart(2, '0')).join('');
  const seen = {};
  seen.stored = JSON.parse(await client.storeInstances({ datasets: files.map(bytes) }));
  const studies = await client.searchForStudies({ queryParams: { ModalitiesInStudy: 'CT' } });
  seen.studies = studies;
  const studyInstanceUID = studies[0]['0020000D'].Value[0];
  seen.series = await client.searchForSeries({ studyInstanceUID });
  const seriesInstanceUID = seen.series[0]['0020000E'].Value[0];
  seen.instances = await client.searchForInstances({ studyInstanceUID, seriesInstanceUID });
  seen.metadata = await client.retrieveSeriesMetadata({ studyInstanceUID, seriesInstanceUID });
  seen.study_metadata = (await client.retrieveStudyMetadata({ studyInstanceUID })).length;
  seen.study = (await client.retrieveStudy({ studyInstanceUID })).length;
  seen.series_whole = (await client.retrieveSeries({ studyInstanceUID, seriesInstanceUID })).length;
  seen.frames = {};
  for (const one of seen.metadata) {
    const sopInstanceUID = one['00080018'].Value[0];
    const where = { studyInstanceUID, seriesInstanceUID, sopInstanceUID };
    const frames = await client.retrieveInstanceFrames({ ...where, frameNumbers: [1] });
    seen.frames[sopInstanceUID] = frames.map(octets);
    seen.whole = hex(await client.retrieveInstance(where)).length / 2;
    const mediaTypes = [{ mediaType: 'image/png' }];
    seen.rendered = hex(await client.retrieveInstanceRendered({ ...where, mediaTypes })).slice(0, 16);
    const jpeg = [{ mediaType: 'image/jpeg' }];
    seen.thumbnail = hex(await client.retrieveInstanceThumbnail({ ...where, mediaTypes: jpeg })).slice(0, 4);
    const frame = { ...where, frameNumbers: [1], mediaTypes };
    seen.frame_rendered = hex(await client.retrieveInstanceFramesRendered(frame)).slice(0, 16);
  }
  try {
    await client.retrieveStudyMetadata({ studyInstanceUID: '1.2.3.4' });
  } catch (error) {
    seen.missing = error.status;
  }
  return seen;
}"""

PNG = "89504e470d0a1a0a"


def main():
    base, chromium, script, *names = sys.argv[1:]
    originals = {}
    for name in names:
        dataset = pydicom.dcmread(name)
        originals[str(dataset.SOPInstanceUID)] = dataset
    encoded = [base64.b64encode(pathlib.Path(name).read_bytes()).decode() for name in names]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{base}/healthz")
        page.add_script_tag(path=script)
        seen = page.evaluate(CALLS, [base, encoded])
        browser.close()
    wanted = len(originals)
    assert len(seen["stored"]["00081199"]["Value"]) == wanted, seen["stored"]
    assert len(seen["studies"]) == 1 and len(seen["instances"]) == wanted, seen["studies"]
    assert seen["study_metadata"] == seen["series_whole"] == len(seen["metadata"]) == seen["study"] == wanted
    for uid, dataset in originals.items():
        metadata = next(one for one in seen["metadata"] if one["00080018"]["Value"] == [uid])
        assert metadata["00100020"]["Value"] == [dataset.PatientID]
        assert metadata["00280010"]["Value"] == [dataset.Rows]
        # Frames are asked for as octets: native, Explicit VR Little Endian.
        pixels = dataset.pixel_array.astype(f"<{dataset.pixel_array.dtype.str[1:]}").tobytes()
        assert seen["frames"][uid] == [pixels.hex()], uid
    assert seen["rendered"] == seen["frame_rendered"] == PNG, seen["rendered"]
    assert seen["thumbnail"] == "ffd8", seen["thumbnail"]
    assert seen["missing"] == 404, seen["missing"]


main()
