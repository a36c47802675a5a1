"""An upper abdomen in millimetres: `slice_at(z)` gives Hounsfield units of one thin axial cut.

Axes are the patient's. z = 0 is the level of the kidneys' hila; the cut planes run from about -60 to
+80, where the dome of the liver and the heart's floor begin.
"""

import numpy as np

from . import field, thorax
from .field import blend, cover, ellipse, ellipsoid, smooth, union

FAT, MUSCLE = -102, 55


def cavity(x, y, z):
    """Signed distance to the inside of the abdominal wall."""
    return ellipse(x, y, 0, -4, 132, 88, power=2.3)


def slice_at(x, y, z, texture, bowel):
    """Hounsfield units on the grid at height z; `texture` and `bowel` are unit noise fields."""
    soft = (x[0, 1] - x[0, 0]) * 1.1
    edge = ellipse(x, y, 0, 4, 168, 116, power=2.35) + 2.5 * np.cos(2 * np.arctan2(y, x))
    image = blend(np.full(x.shape, -1000.0), 20, cover(edge, soft))
    image = blend(image, FAT, cover(edge + 2.6, soft))
    wall = cavity(x, y, z)
    turn = np.arctan2(np.abs(x), y)
    thick = 12 + 20 * np.exp(-(((turn - 0.35) / 0.38) ** 2)) - 5 * np.exp(-(((turn - 3.14) / 0.10) ** 2))
    muscle = np.maximum(wall - thick, edge + 8)
    image = blend(image, MUSCLE, cover(muscle, soft))
    for seam in (4.0, 8.0):
        line = np.abs(wall - seam) - 0.4
        image = blend(image, -40, 0.6 * cover(line, soft) * smooth(turn, 1.0, 1.3) * smooth(turn, 2.75, 2.5) * float(smooth(z, 20, 0)))
    image = blend(image, FAT, cover(wall, soft))
    image = _bases(image, x, y, z, soft)
    image = _bowel(image, x, y, z, soft, bowel)
    image = _organs(image, x, y, z, soft, texture)
    image = _vessels(image, x, y, z, soft)
    image = thorax.spine(image, x, y, z, soft, texture, first=4.0, cy=58.0)
    return _ribs(thorax.table(image, x, y, soft, top=123.0), x, y, z, soft, wall, turn)


def _bases(image, x, y, z, soft):
    """The lowest parts of the lungs, behind and beside, on the upper cuts."""
    lung = np.maximum(cavity(x, y, z) + 3, -(ellipse(x, y, 0, -22, 118, 86) + 70 - 0.98 * z))
    lung = np.maximum(lung, -(ellipse(x, y, 0, 60, 26, 30)))
    return blend(image, -850, cover(lung, soft) * float(smooth(z, 40, 52)))


def _bowel(image, x, y, z, soft, bowel):
    """Loops of bowel with contents and gas in front, lower cuts more."""
    room = np.maximum(ellipse(x, y, 5, -34, 106, 50), cavity(x, y, z) + 5)
    room = room + 60 * float(smooth(z, 0, 40))
    loops = np.abs(bowel) - 0.75
    image = blend(image, 42, cover(loops * 7, soft) * cover(room, 6))
    image = blend(image, 95, cover(np.abs(loops * 7 + 0.8) - 1.2, soft) * cover(room, 6))
    gas = np.maximum(loops * 7 + 4.0, y + 48 + 9 * np.sin(x / 21))
    image = blend(image, -880, cover(gas, soft) * cover(room, 6))
    for side, level in ((-1, 12), (1, 40)):
        if z < level:
            d = ellipse(x, y, side * (103 + 3 * np.sin(z / 13)), 8 + 6 * np.cos(z / 17), 17, 19)
            image = blend(image, 55, cover(d, soft))
            image = blend(image, np.where(y < 2, -900, -20 + 60 * bowel), cover(d + 2.5, soft))
    return image


def _organs(image, x, y, z, soft, texture):
    grow = float(smooth(z, -58, 30))
    liver = ellipsoid(x, y, z, (-62, -14, 48), (72, 76, 96), -0.25)
    lobe = ellipsoid(x, y, z, (4, -54, 58), (62, 32, 48), 0.12)
    liver = np.maximum(union(liver, lobe, 16), cavity(x, y, z) + 3)
    liver = np.maximum(liver, -(ellipsoid(x, y, z, (-52, 44, 2), (34, 32, 62))))
    image = blend(image, 112 + 4 * texture, cover(liver, soft))
    for start, end, radius in (
        ((-24, 6, 52), (-66, -12, 50), 5.5), ((-66, -12, 50), (-104, 8, 44), 3.5), ((-66, -12, 50), (-92, -42, 58), 3.2),
        ((-26, 6, 52), (-6, -40, 60), 4.2), ((-16, 24, 82), (-70, 8, 74), 4.0), ((-16, 24, 82), (-44, -40, 76), 3.6),
    ):
        d = field.segment3(x, y, z, start, end) - radius
        image = blend(image, 165, cover(d, soft) * cover(liver + 2, soft))
    cyst = ellipsoid(x, y, z, (-92, -28, 34), (9, 8, 9))
    image = blend(image, 6, cover(cyst, soft))
    gall = ellipsoid(x, y, z, (-42, -52, 12), (13, 19, 24), 0.5)
    image = blend(image, 75, cover(gall - 1.6, soft))
    image = blend(image, 10, cover(gall, soft))
    spleen = np.maximum(ellipsoid(x, y, z, (102, 30, 50), (27, 46, 46), -0.45), cavity(x, y, z) + 3)
    spleen = np.maximum(spleen, -ellipse(x, y, 72, 14, 24, 26))
    image = blend(image, 130 + 3 * texture, cover(spleen, soft))
    if z > 8:
        stomach = ellipsoid(x, y, z, (56, -34, 56), (46, 34, 46), 0.35) + 1.5 * np.sin(x / 6) * np.sin(y / 7)
        image = blend(image, 85, cover(stomach - 4.5, soft))
        image = blend(image, np.where(y < -46, -940, 22 + 8 * texture), cover(stomach, soft))
    pancreas = ellipsoid(x, y + 0.006 * (x - 10) ** 2, z, (14, 6, 20), (58, 10, 17)) + 1.6 * np.sin(x / 4)
    image = blend(image, 100, cover(pancreas, soft))
    for side, top in ((-1, -4), (1, 6)):
        kidney = ellipsoid(x, y, z, (side * 62, 42, top), (26, 30, 56), side * 0.5)
        hilum = ellipsoid(x, y, z, (side * 44, 32, top), (20, 11, 24), side * 0.3)
        cortex = 195 - 60 * smooth(-kidney, 5, 9) + 14 * texture
        image = blend(image, cortex, cover(np.maximum(kidney, -hilum), soft))
        pelvis = ellipsoid(x, y, z, (side * 47, 33, top), (10, 6, 13), side * 0.3)
        image = blend(image, 25, cover(pelvis, soft))
        adrenal, _ = field.segment(x, y, (side * 28, 18), (side * 40, 40))
        image = blend(image, 80, cover(adrenal - 2.0, soft) * float(smooth(abs(z - 58), 12, 6)))
        psoas = ellipse(x, y, side * (30 + 4 * (1 - grow)), 56, 12 + 7 * (1 - grow), 17)
        image = blend(image, MUSCLE + 5, cover(psoas, soft) * float(smooth(z, 45, 20)))
    return image


def _vessels(image, x, y, z, soft):
    tubes = (
        (10.5, 215, (10, 30, -90), (6, 32, 100)), (11, 165, (-22, 30, -90), (-20, 22, 100)),
        (4.2, 205, (8, 24, 26), (4, -14, 16)), (4, 205, (8, 24, 38), (-34, 6, 44)), (4.5, 200, (9, 28, 6), (46, 34, 4)),
        (4.5, 200, (5, 28, 2), (-46, 34, -2)), (6, 170, (-22, 26, 4), (-44, 32, 0)), (6, 170, (-18, 24, 8), (44, 30, 8)),
        (6.5, 170, (-4, 2, 6), (-26, 6, 50)), (4.5, 170, (-4, 2, 20), (84, 14, 30)), (5, 170, (-2, -8, -70), (-4, 2, 10)), (3.6, 200, (4, -14, 16), (6, -12, -70)),
    )
    for radius, value, start, end in tubes:
        d = field.segment3(x, y, z, start, end) - radius
        image = blend(image, value, cover(d, soft))
    plaque = np.maximum(np.abs(np.hypot(x - 9, y - 31) - 10.2) - 1.0, 24 - y)
    plaque = np.maximum(plaque, x - 6)
    return blend(image, 520, cover(plaque, soft) * float(smooth(np.sin(z / 6), 0.4, 0.8)))


def _ribs(image, x, y, z, soft, wall, turn):
    for number in range(5):
        centre = 104 - 26 * number - 60 * (0.5 - 0.5 * np.cos(np.minimum(turn, 2.4)))
        d = np.hypot((wall - 5) / 4.6, (z - centre) / 6.6)
        reach = smooth(turn, 0.30, 0.38) * (1 - smooth(turn, 2.2 - 0.28 * number, 2.4 - 0.28 * number))
        image = blend(image, 260 + 440 * smooth(d, 0.45, 0.85), cover((d - 1) * 5, soft) * reach)
    return image
