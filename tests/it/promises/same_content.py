"""Compares archived copies with the files they were sent from, as pydicom reads them."""
import json
import sys
import warnings

import pydicom

warnings.simplefilter("ignore")


def elements(dataset):
    """Every element by tag path, group lengths and padding left out."""
    found = {}
    stack = [((), dataset)]
    while stack:
        path, current = stack.pop()
        for element in current:
            tag = element.tag
            if tag.element == 0 or tag == 0xFFFCFFFC:
                continue
            here = path + (str(tag),)
            if element.VR == "SQ":
                found[here] = len(element.value)
                stack += [(here + (n,), item) for n, item in enumerate(element.value)]
            else:
                value = element.value
                if isinstance(value, bytes):
                    value = value.rstrip(b"\0 ")
                found[here] = str(value).rstrip("\0 ")
    return found


wrong = []
for copy, originals in json.load(open(sys.argv[1])):
    got = elements(pydicom.dcmread(copy))
    if not any(got == elements(pydicom.dcmread(original)) for original in originals):
        want = elements(pydicom.dcmread(originals[0]))
        differ = [k for k in sorted(set(got) | set(want), key=str) if got.get(k) != want.get(k)]
        wrong.append(f"{originals}: {differ[:5]}")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
