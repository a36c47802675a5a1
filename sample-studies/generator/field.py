"""Small numeric tools for drawing phantoms: soft shapes, tubes, noise, vessel trees.

Everything works on numpy arrays of millimetre coordinates. "Coverage" is how much of a pixel a
shape fills, 0 to 1, so edges are smooth without drawing at a higher resolution.
"""

import numpy as np


def grid(columns, rows, spacing, centre=(0.0, 0.0)):
    """Millimetre coordinates (x, y) of the pixel centres of an image around `centre`."""
    x = (np.arange(columns) - (columns - 1) / 2) * spacing + centre[0]
    y = (np.arange(rows) - (rows - 1) / 2) * spacing + centre[1]
    return np.meshgrid(x, y)


def cover(distance, softness):
    """Coverage from a signed distance in mm (negative inside)."""
    return np.clip(0.5 - distance / softness, 0.0, 1.0)


def smooth(value, low, high):
    """0 below `low`, 1 above `high`, smooth between (`high` may be below `low`)."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def ellipse(x, y, cx, cy, a, b, turn=0.0, power=2.0):
    """About the signed distance to an ellipse (or superellipse), turned by `turn` radians."""
    dx, dy = x - cx, y - cy
    if turn:
        c, s = np.cos(turn), np.sin(turn)
        dx, dy = c * dx + s * dy, c * dy - s * dx
    u, v = np.abs(dx) / a, np.abs(dy) / b
    f = (u**power + v**power) ** (1 / power)
    slope = np.hypot(u ** (power - 1) / a, v ** (power - 1) / b) / np.maximum(f, 1e-6) ** (power - 1)
    return (f - 1) / np.maximum(slope, 1e-6)


def ellipsoid(x, y, z, centre, radii, turn=0.0):
    """About the signed distance to an ellipsoid turned by `turn` radians about z."""
    dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
    if turn:
        c, s = np.cos(turn), np.sin(turn)
        dx, dy = c * dx + s * dy, c * dy - s * dx
    f = np.sqrt((dx / radii[0]) ** 2 + (dy / radii[1]) ** 2 + (dz / radii[2]) ** 2)
    slope = np.sqrt((dx / radii[0] ** 2) ** 2 + (dy / radii[1] ** 2) ** 2 + (dz / radii[2] ** 2) ** 2)
    return f * (f - 1) / np.maximum(slope, 1e-6)


def segment(x, y, start, end):
    """Distance in the plane to a straight segment, and the place along it (0 to 1)."""
    ax, ay = start
    dx, dy = end[0] - ax, end[1] - ay
    t = np.clip(((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    return np.hypot(x - ax - t * dx, y - ay - t * dy), t


def segment3(x, y, z, start, end):
    """Distance in space to a straight segment."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    d = end - start
    t = np.clip(((x - start[0]) * d[0] + (y - start[1]) * d[1] + (z - start[2]) * d[2]) / max(d @ d, 1e-9), 0, 1)
    return np.sqrt((x - start[0] - t * d[0]) ** 2 + (y - start[1] - t * d[1]) ** 2 + (z - start[2] - t * d[2]) ** 2)


def blend(image, value, coverage):
    """Paint `value` over `image` where `coverage` says."""
    return image + (value - image) * coverage


def union(a, b, k):
    """Smooth union of two signed distances, rounded over `k` mm."""
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def blur(image, sigma):
    """Gaussian blur by `sigma` pixels (edges repeated)."""
    if sigma <= 0:
        return image
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(image, pad, mode="edge")
        size = image.shape[axis]
        image = sum(w * np.take(padded, range(i, i + size), axis=axis) for i, w in enumerate(kernel))
    return image


def coloured_noise(rng, shape, spectrum):
    """Noise of unit deviation whose amplitude at each frequency (cycles a pixel) is `spectrum(f)`."""
    white = np.fft.rfftn(rng.standard_normal(shape))
    axes = [np.fft.fftfreq(n) for n in shape[:-1]] + [np.fft.rfftfreq(shape[-1])]
    f = np.sqrt(sum(g**2 for g in np.meshgrid(*axes, indexing="ij")))
    weight = spectrum(np.maximum(f, 1e-9))
    weight.flat[0] = 0
    noise = np.fft.irfftn(white * weight, shape, axes=range(len(shape)))
    return noise / noise.std()


def blobs(rng, shape, wavelength):
    """Smooth noise of unit deviation with features about `wavelength` pixels wide."""
    return coloured_noise(rng, shape, lambda f: np.exp(-((f * wavelength) ** 2) * 2))


def cloud(rng, shape, slope=1.8, low=0.0):
    """Cloudy (power-law) noise of unit deviation; nothing below `low` cycles a pixel."""
    return coloured_noise(rng, shape, lambda f: np.where(f < low, 0, f**-slope))


def vessel_tree(rng, root, targets, leaf_radius, power=2.6, pull=0.35):
    """Grow a branching tree from `root` to every target; list of (start, end, radius) in mm.

    Each target, nearest first, hangs on the branch that gives a short way home; radii add up by a
    power law as in real vessels.
    """
    root = np.asarray(root, float)
    order = np.argsort(np.linalg.norm(targets - root, axis=1), kind="stable")
    nodes, parent, way = [root], [-1], [0.0]
    for target in targets[order]:
        at = np.array(nodes)
        gap = np.linalg.norm(at - target, axis=1)
        near = int(np.argmin(gap + pull * np.array(way)))
        bend = (at[near] + target) / 2 + rng.normal(0, 0.07, at.shape[1]) * gap[near]
        nodes += [bend, target]
        parent += [near, len(nodes) - 2]
        way += [way[near] + gap[near] / 2, way[near] + gap[near]]
    load = np.zeros(len(nodes))
    for i in range(len(nodes) - 1, 0, -1):
        load[i] = max(load[i], leaf_radius**power)
        load[parent[i]] += load[i]
    return [(nodes[parent[i]], nodes[i], load[i] ** (1 / power)) for i in range(1, len(nodes))]
