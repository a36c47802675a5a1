"""A thorax in millimetres: `slice_at(z)` gives Hounsfield units of one thin axial cut.

Axes are the patient's (PS3.3 §C.7.6.2.1.1): x to the left, y to the back, z to the head.
z = 0 lies a little above the heart's middle; the lungs reach from about -115 to +112.
"""

import numpy as np

from . import field
from .field import blend, cover, ellipse, ellipsoid, smooth

BLOOD, MUSCLE, FAT, LUNG = 205, 52, -98, -865
NODULE = ((-62.0, -18.0, 55.0), 6.5)  # centre and radius in mm: right upper lobe


def scale(z):
    """Width of the rib cage at height z against its widest."""
    return np.sqrt(np.maximum(0.06, 1 - (np.maximum(z + 35, 0) / 160) ** 2.2))


def cage(x, y, z):
    """Signed distance to the inner face of the rib cage."""
    s = scale(z)
    return ellipse(x, y, 0, 4 + 16 * (1 - s), 131 * s, 90 * (0.25 + 0.75 * s), power=2.25)


def diaphragm(x, y):
    """Height of the diaphragm: two domes, the right one higher."""
    right = -50 - 62 * (((x + 66) / 84) ** 2 + ((y + 6) / 84) ** 2) ** 1.35
    left = -64 - 62 * (((x - 70) / 78) ** 2 + ((y + 6) / 84) ** 2) ** 1.35
    return np.maximum(right, left)


def mediastinum(x, y, z):
    """Signed distance to what lies between the lungs."""
    wave = 3 * np.sin(y / 19 + z / 23) + 2 * np.sin(y / 9 - z / 15)
    band = ellipse(x, y, 0, 22, 25 + 6 * smooth(z, 30, -20), 62, power=2.4) + wave
    front = np.maximum(np.abs(x - 3 - 0.06 * z) - 2.5 - 17 * smooth(y, -58, -92), y - 10)
    band = field.union(band, front, 16)
    heart = ellipsoid(x, y, z, (22, -22, -52), (70, 55, 62), 0.55)
    spine = ellipse(x, y, 0, 66, 25, 24)
    arch = ellipsoid(x, y, z, (20, 14, 40), (26, 44, 20), -0.35)
    aorta = ellipse(x, y, 25, 48, 17, 16) + 40 * smooth(z, 42, 55)
    shape = field.union(field.union(field.union(band, heart, 14), spine, 10), aorta, 8)
    return field.union(shape, arch, 8)


def lungs(x, y, z, breath=0.0):
    """Signed distance to the lungs (negative inside); `breath` lowers the diaphragm."""
    side = np.maximum(cage(x, y, z), -mediastinum(x, y, z))
    return np.maximum(side, (diaphragm(x, y) - breath - z) * 0.75)


def _trees():
    """Pulmonary vessels: a tree a lung, targets spread evenly inside."""
    trees = []
    for side, seed in ((-1, 11), (1, 12)):
        rng = np.random.default_rng(seed)
        points = rng.uniform((-130, -95, -120), (130, 100, 112), (9000, 3))
        points[:, 0] = np.abs(points[:, 0]) * side
        inside = points[lungs(*points.T) < -4][:760]
        trees += field.vessel_tree(rng, (side * 36, 4, 12), inside, 0.66, power=2.35, pull=0.3)
    return trees


TREES = _trees()

TUBES = [  # (radius, points): vessels filled with contrast
    (15, [(6, -12, -25), (-6, -24, 5), (-5, -20, 28), (4, -6, 42), (16, 18, 46), (24, 40, 36), (26, 48, 15), (24, 50, -60), (16, 48, -130)]),
    (13, [(20, -42, -20), (18, -34, 5), (22, -16, 20), (36, 4, 24)]),
    (11, [(20, -14, 18), (-4, 2, 16), (-34, 4, 13)]),
    (9, [(-27, -22, 82), (-28, -18, 40), (-27, -10, -15)]),
    (6, [(-6, -18, 40), (-14, -14, 70), (-24, -8, 120)]),
    (4.5, [(6, -2, 45), (10, 0, 75), (20, 2, 120)]),
    (4.5, [(16, 12, 45), (22, 14, 75), (36, 12, 120)]),
    (7, [(-27, -22, 80), (10, -28, 82), (40, -14, 105), (48, -8, 125)]),
    (7, [(-27, -22, 80), (-40, -12, 104), (-46, -6, 125)]),
    (8, [(-22, 6, -60), (-20, 10, -130)]),
    (7, [(0, 18, -12), (40, 14, -8)]),
    (7, [(0, 18, -12), (-38, 12, -10)]),
]
AIRWAYS = [(8.5, [(2, 16, 130), (0, 18, 34)]), (6.5, [(0, 18, 36), (20, 20, 16), (42, 16, 0)]), (7, [(0, 18, 36), (-20, 18, 18), (-40, 14, 2)])]


def tubes(x, y, z, tubes, grow=0.0):
    """Signed distance to a set of tubes."""
    best = np.full(x.shape, 1e3)
    for radius, points in tubes:
        for start, end in zip(points, points[1:]):
            if min(start[2], end[2]) - 25 < z < max(start[2], end[2]) + 25:
                best = np.minimum(best, field.segment3(x, y, z, start, end) - radius - grow)
    return best


def spine(image, x, y, z, soft, texture, first=0.0, cy=66.0):
    """Vertebra or disc at height z, canal, arch and spinous process."""
    phase = (z - first) % 25
    disc = smooth(np.abs(phase - 12.5), 8.8, 10.2)
    body = np.maximum(ellipse(x, y, 0, cy, 18.5, 15, power=2.3), -(ellipse(x, y, 0, cy + 22, 12, 12)))
    image = blend(image, 60, cover(ellipse(x, y, 0, cy + 19, 14, 12), soft))
    bone = 190 + 45 * texture
    rim = cover(np.abs(body) - 1.0, soft * 1.2)
    image = blend(image, (bone + 330 * rim) * (1 - disc) + 95 * disc, cover(body, soft))
    arch = np.abs(ellipse(x, y, 0, cy + 20, 12.5, 10.5)) - 3.2
    pedicles = 1 - 0.85 * smooth(np.abs(phase - 15), 5, 8)
    back = smooth(y, cy + 18, cy + 24)
    image = blend(image, 420, cover(arch, soft) * np.maximum(pedicles, back))
    image = blend(image, 38, cover(ellipse(x, y, 0, cy + 19, 9.5, 7.5), soft))
    image = blend(image, 45, cover(ellipse(x, y, 0, cy + 19, 5.5, 4.5), soft))
    tip = 4 * np.cos(phase / 25 * 2 * np.pi)
    spinous, _ = field.segment(x, y, (0, cy + 30), (0, cy + 39 + tip))
    image = blend(image, 430, cover(spinous - 2.8, soft))
    for side in (-1, 1):
        wing, _ = field.segment(x, y, (side * 13, cy + 21), (side * 33, cy + 29))
        image = blend(image, 360, cover(wing - 4, soft) * (1 - smooth(np.abs(phase - 17), 4, 8)))
    return image


def _ribs(image, x, y, z, soft, texture):
    """Oblique rib arcs around the cage: bone behind and beside, cartilage in front."""
    s = scale(z)
    out = cage(x, y, z) - 5.0
    turn = np.arctan2(np.abs(x) / (131 * s), (y - 4 - 16 * (1 - s)) / (90 * (0.25 + 0.75 * s)))
    fall = 82 * (0.5 - 0.5 * np.cos(np.minimum(turn, 2.6) * 1.08)) ** 0.85
    reach = smooth(turn, 0.16, 0.24)
    for number in range(14):
        centre = 138 - 24 * number - fall * min(1.0, 0.45 + 0.12 * number)
        d = np.hypot(out / 4.6, (z - centre) / 6.6)
        distance = (d - 1) * 5.0
        cartilage = smooth(turn, 2.45, 2.6)
        value = 260 + 60 * texture + 460 * smooth(d, 0.45, 0.85)
        image = blend(image, value * (1 - cartilage) + 125 * cartilage, cover(distance, soft) * reach * (1 - smooth(turn, 2.85, 3.0)))
    return image


def _girdle(image, x, y, z, soft):
    """Sternum, clavicles and shoulder blades."""
    s = scale(z)
    front = 4 + 16 * (1 - s) - 90 * (0.25 + 0.75 * s) - 5
    if -75 < z < 92:
        wide = 17 if z < 55 else 17 + 9 * float(smooth(z, 55, 75))
        plate = ellipse(x, y, 0, front, wide, 6.0, power=3)
        image = blend(image, 210 + 300 * cover(np.abs(plate) - 0.8, soft), cover(plate, soft))
    for side in (-1, 1):
        d = field.segment3(x, y, z, (side * 20, front + 2, 90), (side * 120, -10, 118))
        image = blend(image, 320 + 300 * smooth(d, 3, 5.5), cover(d - 6.5, soft))
        if z > 0:
            low = float(smooth(z, 0, 100))
            d, t = field.segment(x, y, (side * (88 - 6 * low), 96 - 14 * low), (side * (112 + 26 * low), 66 - 26 * low))
            d = np.abs(d + 6 * np.sin(np.pi * t)) - 2.6 - 2.5 * low * t
            image = blend(image, 520, cover(d, soft) * float(smooth(z, 0, 8)))
    return image


def _abdomen(image, x, y, z, soft, texture):
    """Liver, stomach, spleen under the diaphragm."""
    under = cover((z - diaphragm(x, y) + 3) * 0.75, soft) * cover(cage(x, y, z), soft)
    image = blend(image, FAT, under)
    liver = np.maximum(ellipsoid(x, y, z, (-50, -6, -128), (92, 84, 78)), z - diaphragm(x, y) + 4)
    image = blend(image, 112 + 5 * texture, cover(liver, soft) * under)
    spleen = np.maximum(ellipsoid(x, y, z, (92, 42, -128), (34, 44, 50), -0.5), z - diaphragm(x, y) + 5)
    image = blend(image, 124, cover(spleen, soft) * under)
    stomach = np.maximum(ellipsoid(x, y, z, (62, -22, -126), (44, 46, 48), 0.3) + 2 * np.sin(x / 9) * np.sin(y / 11), z - diaphragm(x, y) + 7)
    image = blend(image, 60, cover(stomach - 4, soft) * under)
    image = blend(image, np.where(y < -30, -960, 18), cover(stomach, soft) * under)
    return image


def _heart(image, x, y, z, soft):
    """Heart muscle, its four chambers, and fat around."""
    image = blend(image, 98, cover(ellipsoid(x, y, z, (24, -22, -52), (62, 46, 54), 0.55), soft))
    for centre, radii, turn, value in (
        ((46, -16, -60), (33, 20, 34), 0.6, BLOOD + 6),
        ((6, -48, -56), (36, 15, 36), 0.45, BLOOD - 12),
        ((-27, -14, -46), (20, 25, 32), 0.2, BLOOD - 18),
        ((6, 14, -26), (32, 17, 23), 0.0, BLOOD),
    ):
        image = blend(image, value, cover(ellipsoid(x, y, z, centre, radii, turn), soft))
    return image


def body(x, y, z):
    """Signed distance to the skin."""
    wide = 160 - 14 * float(smooth(z, 70, 125))
    edge = ellipse(x, y, 0, 8, wide, 115 - 16 * float(smooth(z, 40, 120)), power=2.35)
    edge = edge + 2.2 * np.cos(3 * np.arctan2(y, x) + 0.6)
    if z < 40:
        for side in (-1, 1):
            breast = ellipsoid(x, y, z, (side * 80, -84, -22), (60, 37, 58))
            edge = field.union(edge, breast, 26)
    return edge


def _wall(x, y, z, soft):
    """Air, skin, fat and the muscles over the ribs."""
    s = float(scale(z))
    edge = body(x, y, z)
    image = blend(np.full(x.shape, -1000.0), 25, cover(edge, soft))
    image = blend(image, FAT, cover(edge + 2.4, soft))
    turn = np.arctan2(np.abs(x), y)
    thick = 13 + 13 * np.exp(-((turn / 0.55) ** 2)) + 9 * smooth(z, -10, 60) * np.exp(-(((turn - 2.35) / 0.42) ** 2))
    thick = thick + 16 * (1 - s) + 7 * np.exp(-(((turn - 1.0) / 0.4) ** 2)) * smooth(z, -40, 30)
    muscle = cage(x, y, z) - thick
    if z > 5:
        up = float(smooth(z, 5, 100))
        for side in (-1, 1):
            back, _ = field.segment(x, y, (side * (70 - 10 * up), 92), (side * (118 + 12 * up), 52 - 16 * up))
            chest, _ = field.segment(x, y, (side * 35, -72 + 18 * up), (side * (112 + 12 * up), -26))
            muscle = np.minimum(muscle, np.minimum(back - 5 - 19 * up, chest - 13 * up))
    muscle = np.maximum(muscle, edge + 7 + 2.5 * np.sin(6 * turn))
    image = blend(image, MUSCLE, cover(muscle, soft))
    if z < 40:
        for side in (-1, 1):
            gland = ellipsoid(x, y, z, (side * 82, -98, -24), (38, 15, 36)) + 7 * texture_lines(x, y, z)
            image = blend(image, 18, 0.8 * cover(gland, 6) * cover(edge + 5, 3) * cover(-(cage(x, y, z) - 20), 3))
    seam = np.abs(cage(x, y, z) - 11.5) - 0.5
    image = blend(image, -45, 0.7 * cover(seam, soft * 1.6) * cover(edge + 9, 2))
    return image


def texture_lines(x, y, z):
    """A wavy field between -1 and 1, for strands of gland."""
    return np.sin(x / 4.3 + 2 * np.sin(y / 7 + z / 9)) * np.sin(y / 3.1 + 1.5 * np.sin(x / 8 - z / 11))


def table(image, x, y, soft, top=126.0):
    """A curved carbon table top with a light core."""
    curve = y - top - 0 + (x / 205) ** 2 * 34
    shell = np.maximum(np.abs(curve - 9) - 9, np.abs(x) - 190)
    image = blend(image, -905, cover(shell, soft))
    return blend(image, -310, cover(np.abs(shell) - 0.7, soft))


def _lung_inside(image, x, y, z, soft, texture):
    """Aerated lung, fissures, vessels and the nodule."""
    lung = lungs(x, y, z)
    inside = cover(lung, soft)
    value = LUNG + 34 * (y / 90) + 9 * texture
    fissure = np.abs(z - 12 + 0.95 * (y - 8) - 0.1 * np.abs(x)) / 1.4
    value = value + 85 * cover(fissure - 0.6, soft * 1.5) * smooth(-lung, 2, 6)
    image = blend(image, value, inside)
    vessels = np.zeros(x.shape)
    step = x[0, 1] - x[0, 0]
    for start, end, radius in TREES:
        if min(start[2], end[2]) - radius - 1 > z or max(start[2], end[2]) + radius + 1 < z:
            continue
        reach = radius + 2 * step
        c0, c1 = np.searchsorted(x[0], (min(start[0], end[0]) - reach, max(start[0], end[0]) + reach))
        r0, r1 = np.searchsorted(y[:, 0], (min(start[1], end[1]) - reach, max(start[1], end[1]) + reach))
        box = (slice(r0, r1), slice(c0, c1))
        d = field.segment3(x[box], y[box], z, start, end) - radius
        vessels[box] = np.maximum(vessels[box], cover(d, soft) * (0.82 + 0.18 * float(smooth(radius, 1, 3))))
    image = blend(image, 160.0, vessels * cover(lung + 1.5, soft * 2))
    centre, radius = NODULE
    around = np.arctan2(y - centre[1], x - centre[0])
    ragged = radius * (1 + 0.05 * np.sin(5 * around + 1) + 0.03 * np.sin(9 * around))
    d = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    return blend(image, 38, cover(d - ragged, soft * 1.3))


def slice_at(x, y, z, texture):
    """Hounsfield units on the grid (x, y) at height z; `texture` is unit noise of that shape."""
    soft = (x[0, 1] - x[0, 0]) * 1.15
    image = _wall(x, y, z, soft)
    image = blend(image, FAT, cover(cage(x, y, z), soft))
    image = _abdomen(image, x, y, z, soft, texture)
    image = _lung_inside(image, x, y, z, soft, texture)
    above = 1 - cover((z - diaphragm(x, y)) * 0.75, soft)
    image = blend(image, _heart(image, x, y, z, soft), above)
    image = blend(image, BLOOD, cover(tubes(x, y, z, TUBES), soft))
    image = blend(image, 42, cover(ellipse(x, y, 7, 38, 8, 6), soft))
    image = blend(image, -700, cover(ellipse(x, y, 7, 38, 2.2, 1.4), soft) * float(smooth(np.sin(z / 17), 0.3, 0.6)))
    image = blend(image, 20, cover(tubes(x, y, z, AIRWAYS, 1.8), soft))
    image = blend(image, -990, cover(tubes(x, y, z, AIRWAYS), soft))
    if 88 < z:
        for side in (-1, 1):
            thyroid = ellipsoid(x, y, z, (side * 15, 10, 112), (8, 11, 18))
            image = blend(image, 150, cover(thyroid, soft))
    image = spine(image, x, y, z, soft, texture, cy=66 - 7 * float(smooth(z, 50, 125)))
    image = _ribs(image, x, y, z, soft, texture)
    image = _girdle(image, x, y, z, soft)
    return table(image, x, y, soft)
