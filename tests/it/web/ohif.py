"""Opens studies in OHIF in a real Chromium, and looks at the pixels it shows.

    ohif.py BASE CHROMIUM FOLDER STUDY:NAME…    prints one JSON line a study

BASE is the archive's HTTP address; pictures of the screen go to FOLDER.
"""
import io
import json
import sys

import numpy
from PIL import Image
from playwright.sync_api import TimeoutError, sync_playwright

CHROMIUM = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
]
CANVAS = "canvas.cornerstone-canvas"


def pixels(page, selector=CANVAS):
    """The viewport as it is on the screen."""
    shot = page.locator(selector).first.screenshot()
    return numpy.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def is_picture(image):
    """Neither black nor of one shade: an image has many."""
    return len(numpy.unique(image.reshape(-1, 3), axis=0)) > 60 and image.max() > 100


def wait_for(page, what, is_so, seconds=90):
    for _ in range(seconds * 4):
        got = what()
        if is_so(got):
            return got
        page.wait_for_timeout(250)
    raise SystemExit(f"waited in vain; the page says: {page.inner_text('body')[:400]!r}")


def dismiss(page, label):
    """Closes a notice that would lie over the picture, if it comes."""
    try:
        page.get_by_text(label, exact=True).first.click(timeout=5_000)
    except TimeoutError:
        pass


def open_study(page, base, study, folder, name):
    page.goto(f"{base}/ohif/viewer?StudyInstanceUIDs={study}")
    page.wait_for_selector(CANVAS, timeout=120_000)
    dismiss(page, "Skip all")
    first = wait_for(page, lambda: pixels(page), is_picture)
    thumbnails = page.locator("[data-cy^='study-browser-thumbnail'] img, [data-cy='thumbnail-list'] img")
    wait_for(page, thumbnails.count, lambda count: count > 0)
    drawn = thumbnails.evaluate_all("all => all.filter(i => i.complete && i.naturalWidth > 0).length")
    box = page.locator(CANVAS).first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    scrolled = windowed = None
    if name in ("ct", "mr", "us", "enhanced"):
        page.mouse.wheel(0, 500)
        scrolled = wait_for(page, lambda: pixels(page), lambda now: (now != first).mean() > 0.01)
        scrolled = float((scrolled != first).mean())
    if name != "us":
        before = pixels(page)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + 150, box["y"] + box["height"] / 2 + 80, steps=8)
        page.mouse.up()
        windowed = wait_for(page, lambda: pixels(page), lambda now: abs(now - before).mean() > 1)
        windowed = float(abs(windowed - before).mean())
    page.screenshot(path=f"{folder}/{name}.png")
    colour = bool((abs(first[..., 0] - first[..., 2]) > 24).mean() > 0.001)
    return {"study": name, "shades": int(len(numpy.unique(first.reshape(-1, 3), axis=0))), "thumbnails": drawn,
            "scrolled": scrolled, "windowed": windowed, "colour": colour}


def main():
    base, chromium, folder, *studies = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        missing = []
        page.on("response", lambda r: missing.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.goto(f"{base}/ohif")
        page.wait_for_selector("[data-cy='study-list-results'], [data-cy='studyRow'], table", timeout=120_000)
        listed = wait_for(page, lambda: page.inner_text("body"), lambda text: "Esempi" in text or "ESEMPI" in text)
        dismiss(page, "Confirm and hide")
        page.screenshot(path=f"{folder}/list.png")
        print(json.dumps({"study": "list", "listed": "Esempi" in listed}), flush=True)
        for study in studies:
            uid, name = study.split(":")
            print(json.dumps(open_study(page, base, uid, folder, name)), flush=True)
        print(json.dumps({"study": "all", "missing": missing}), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
