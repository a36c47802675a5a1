"""A head in millimetres: `tissues_at(z)` gives how much of each tissue an axial cut holds.

Axes are the patient's (x left, y back, z head). z = 0 is the level of the lateral ventricles' floor;
the vertex is at about +78, the eyes at about -38.
"""

import numpy as np

from . import field
from .field import blend, cover, ellipse, ellipsoid, smooth, union

# tissue: (T1-like, T2-like) signal
SIGNAL = {
    "air": (8, 8), "fat": (1180, 720), "muscle": (420, 190), "bone": (40, 35), "marrow": (640, 330),
    "csf": (170, 1250), "grey": (490, 600), "white": (790, 390), "deep": (600, 470),
    "vitreous": (190, 1300), "blood": (60, 50), "mucosa": (480, 800),
}


def folds(rng, shape, wavelength):
    """A field whose zero lines are the sulci: its value is about the distance to them, in pixels."""
    n = field.blobs(rng, shape, wavelength)
    gradient = np.sqrt(sum(g**2 for g in np.gradient(n, axis=(-2, -1)))) + 0.045
    return np.abs(n) / gradient


def inner(x, y, z):
    """Signed distance to the inside of the skull."""
    brain = ellipsoid(x, y, z, (0, 0, 4), (69, 84, 72))
    frontal = ellipsoid(x, y, z, (0, -18, 2), (58, 64, 62))
    back = ellipsoid(x, y, z, (0, 46, -32), (54, 40, 40))
    temporal = np.minimum(ellipsoid(x, y, z, (46, -8, -30), (24, 42, 26)), ellipsoid(x, y, z, (-46, -8, -30), (24, 42, 26)))
    return union(union(union(brain, frontal, 8), back, 10), temporal, 10)


def tissues_at(x, y, z, sulcus, texture, which):
    """Signal of one cut. `sulcus` is the distance in mm to the nearest fold on this cut."""
    tone = {name: values[which] for name, values in SIGNAL.items()}
    soft = (x[0, 1] - x[0, 0]) * 1.3
    skull = inner(x, y, z)
    head = union(skull - 12, ellipsoid(x, y, z, (0, -22, -58), (70, 80, 56)), 12)
    if z < -20:
        nose = ellipsoid(x, y, z, (0, -100, -58), (13, 20, 30))
        head = union(head, nose, 10)
        for side in (-1, 1):
            head = union(head, ellipsoid(x, y, z, (side * 80, 18, -48), (6, 16, 30), side * 0.35), 4)
    image = blend(np.full(x.shape, float(tone["air"])), tone["muscle"] * 1.1, cover(head, soft))
    image = blend(image, tone["fat"], cover(head + 2, soft) * cover(-(skull - 6.5), soft))
    if z < 0:
        thick = 5.5 - 0.5 * ((y + 16) / 11) ** 2
        temple = np.maximum(np.abs(skull - 10.5) - thick, head + 3)
        image = blend(image, tone["muscle"], cover(temple, soft) * float(smooth(z, 10, -14)))
    image = blend(image, tone["bone"], cover(skull - 6.5, soft))
    image = blend(image, tone["marrow"], cover(np.abs(skull - 3.6 - 0.4 * texture) - 1.4, soft) * smooth(z, -50, -15))
    image = blend(image, tone["csf"], cover(skull - 0.4, soft))
    image = _brain(image, x, y, z, skull, sulcus, texture, tone, soft)
    if z < -14:
        image = _face(image, x, y, z, skull, tone, soft)
    return image


def _brain(image, x, y, z, skull, sulcus, texture, tone, soft):
    depth = -skull - 1.6
    middle = np.abs(x + 0.8 * np.sin(y / 11)) - 0.6
    corpus = float(smooth(z, 34, 26) * smooth(z, -8, 2))
    middle = middle + 34 * corpus * smooth(np.abs(y + 4), 38, 30)
    silvian = np.abs(y + 6 + 0.55 * (np.abs(x) - 45) + 4 * np.sin(np.abs(x) / 6)) + np.maximum(0, 33 - np.abs(x)) * 1.2
    silvian = silvian - 1.2 + 40 * float(smooth(z, 20, 34))
    reach = np.maximum(0, depth - 23 - 5 * texture) * 0.8
    surface = np.minimum(np.minimum(depth, sulcus + reach), np.minimum(middle * 0.9, silvian))
    posterior = z < -18
    if posterior:
        cerebellum = ellipsoid(x, y, z, (0, 44, -44), (50, 34, 28))
        leaf = np.abs(np.sin((np.hypot(x * 0.75, y - 20) + 1.5 * texture) / 1.9)) * 3.0
        tent = float(smooth(z, -18, -26))
        inside = cover(cerebellum, 3) * tent
        surface = surface * (1 - inside) + np.minimum(leaf + 0.7 + np.maximum(0, -cerebellum - 12) * 0.4, -cerebellum) * inside
        gap = np.abs(cerebellum) - 0.9
        surface = np.where(tent > 0.5, np.minimum(surface, np.maximum(gap, -40)), surface)
    image = blend(image, tone["grey"] * (1 + 0.02 * texture), cover(-(surface - 0.45), soft) * cover(skull + 1.2, soft))
    image = blend(image, tone["white"] * (1 + 0.02 * texture), cover(-(surface - 3.9), soft) * cover(skull + 3.5, soft))
    for side in (-1, 1):
        for centre, radii, turn, colour in (
            ((side * 13, 12, 6), (9, 14, 11), side * 0.35, "deep"),
            ((side * 25, -6, 4), (5.5, 14, 11), side * -0.3, "grey"),
            ((side * 18, -1, 3), (5, 9, 8), side * -0.3, "deep"),
            ((side * 12, -22, 10), (6, 9, 14), side * 0.2, "grey"),
        ):
            shape = ellipsoid(x, y, z, centre, radii, turn)
            image = blend(image, tone[colour], cover(shape, soft * 1.6))
    if -8 < z < 34:
        callosum = np.maximum(np.abs(x) - 16, np.abs(np.hypot(x * 0.55, y + 4) - 35) - 3.5)
        image = blend(image, tone["white"] * 1.04, cover(callosum, 5) * corpus)
    return _ventricles(image, x, y, z, texture, tone, soft)


def _ventricles(image, x, y, z, texture, tone, soft):
    water = np.full(x.shape, 99.0)
    for side in (-1, 1):
        front = ellipsoid(x, y, z, (side * 8.5, -22, 14), (4.5, 15, 15), side * -0.32)
        body = ellipsoid(x, y, z, (side * 12, 4, 22), (6, 24, 9), side * 0.12)
        rear = ellipsoid(x, y, z, (side * 22, 34, 8), (6, 17, 13), side * 0.35)
        water = np.minimum(water, union(union(front, body, 5), rear, 6))
    third = ellipsoid(x, y, z, (0, 4, 0), (1.8, 14, 11))
    water = np.minimum(water, third)
    if z < -10:
        stem = union(ellipsoid(x, y, z, (0, 16, -42), (15, 13, 40)), ellipsoid(x, y, z, (0, 7, -42), (19, 12, 15)), 6)
        cistern = cover(np.abs(stem - 3) - 2.6, soft) * (y < 17)
        image = blend(image, tone["csf"], cistern * 0.9)
        image = blend(image, tone["white"] * 0.94 * (1 + 0.02 * texture), cover(stem, soft))
        water = np.minimum(water, ellipsoid(x, y, z, (0, 29, -42), (6.5, 4, 12)))
        image = blend(image, tone["blood"], cover(ellipse(x, y, 0, -7, 2.0, 2.0), soft))
        for side in (-1, 1):
            image = blend(image, tone["blood"], cover(ellipse(x, y, side * 13, -14, 2.4, 2.4), soft))
    image = blend(image, tone["csf"], cover(water, soft))
    if 2 < z < 20:
        for side in (-1, 1):
            plexus = ellipsoid(x, y, z, (side * 20, 30, 9), (3, 6, 5))
            image = blend(image, tone["mucosa"] * 0.9, cover(plexus, soft * 1.5))
    return image


def _face(image, x, y, z, skull, tone, soft):
    """Orbits with the eyes, nasal cavity and sinuses, ear air cells."""
    for side in (-1, 1):
        orbit = np.maximum(ellipsoid(x, y, z, (side * 31, -62, -38), (19, 30, 17), side * -0.35), -(skull - 3))
        image = blend(image, tone["fat"] * 0.92, cover(orbit, soft))
        for turn in (-1, 1):
            d, _ = field.segment(x, y, (side * 20, -44), (side * (32 + 11 * turn), -70))
            image = blend(image, tone["muscle"] * 1.15, cover(d - 1.9, soft) * cover(orbit + 1, soft))
        nerve, _ = field.segment(x, y, (side * 17, -38), (side * 31, -68))
        image = blend(image, tone["white"] * 0.8, cover(nerve - 1.9, soft) * float(smooth(abs(z + 38), 9, 4)))
        globe = ellipsoid(x, y, z, (side * 32.5, -79, -38), (12.2, 12.2, 12.2))
        image = blend(image, tone["muscle"], cover(globe, soft))
        image = blend(image, tone["vitreous"], cover(globe + 1.3, soft))
        image = blend(image, tone["grey"] * 0.8, cover(ellipsoid(x, y, z, (side * 32.8, -87, -38), (4.6, 2.4, 4.6)), soft))
        cells = np.maximum(ellipsoid(x, y, z, (side * 56, 26, -52), (15, 11, 22)), -(skull - 1.5))
        image = blend(image, tone["bone"], cover(cells, soft))
    sinus = np.maximum(ellipse(x, y, 0, -58, 13, 27, power=3), -(skull - 3)) + 30 * float(smooth(z, -26, -18))
    image = blend(image, tone["mucosa"], cover(sinus, soft))
    image = blend(image, tone["air"], cover(sinus + 1.6, soft))
    image = blend(image, tone["mucosa"], cover(np.abs(x + 1.2 * np.sin(y / 7)) - 1.1, soft) * cover(sinus, soft))
    wall = np.abs(np.abs(x) - 6.5) - 0.9
    return blend(image, tone["mucosa"], cover(wall, soft) * cover(sinus, soft))
