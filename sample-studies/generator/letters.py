"""A 5 × 7 pixel alphabet for marks in the pictures, so that no font file is needed."""

import numpy as np

_ROWS = {  # seven rows of five bits, top first
    "A": "0e11111f111111", "B": "1e11111e11111e", "C": "0e11101010110e", "D": "1e11111111111e", "E": "1f10101e10101f",
    "F": "1f10101e101010", "G": "0e11101713110e", "H": "1111111f111111", "I": "0e04040404040e", "K": "11121418141211",
    "L": "1010101010101f", "M": "111b1515111111", "N": "11191513111111", "O": "0e11111111110e", "P": "1e11111e101010",
    "Q": "0e11111115120d", "R": "1e11111e141211", "S": "0f10100e01011e", "T": "1f040404040404", "U": "1111111111110e",
    "V": "11111111110a04", "W": "11111115151b11", "X": "11110a040a1111", "Y": "1111110a040404", "Z": "1f01020408101f",
    "0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e", "4": "02060a121f0202",
    "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808", "8": "0e11110e11110e", "9": "0e11110f01020c",
    " ": "00000000000000", "/": "01010204081010", ".": "000000000c0c00", "-": "0000001f000000", "+": "0004041f040400",
    "H.": "00000000000000", "z": "00001f0204081f", "m": "00001a15151515", "c": "00000e1010110e", "s": "00000f100e011e",
    "b": "10101619111e00", "p": "001e11111e1010", "°": "0c12120c000000",
}


def mask(text, zoom=1):
    """A boolean picture of a line of text, each dot `zoom` pixels wide."""
    glyphs = []
    for letter in text:
        rows = bytes.fromhex(_ROWS[letter])
        glyphs.append(np.array([[bool(row >> bit & 1) for bit in (4, 3, 2, 1, 0)] + [False] for row in rows]))
    return np.kron(np.hstack(glyphs), np.ones((zoom, zoom), bool)).astype(bool)


def stamp(image, text, row, column, value, zoom=1):
    """Write `text` into `image` in place."""
    dots = mask(text, zoom)
    image[row : row + dots.shape[0], column : column + dots.shape[1]][dots] = value
