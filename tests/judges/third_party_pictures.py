"""Images of five classes that a small convolutional network can separate, generated from a fixed seed."""

import numpy as np
from PIL import Image

CLASSES = ["ash", "birch", "cedar", "elm", "fir"]
SIDE = 32
TRAIN, TEST = 24, 6
SEED = 20_261_201
# Mean and standard deviation of each channel on the 0..1 scale.
MEAN, STD = 0.5, 0.25
# Colour of each class, and direction and period of its stripes.
KINDS = [
    ((200, 60, 60), 0.0, 8),
    ((60, 190, 70), 1.57, 8),
    ((70, 80, 210), 0.8, 5),
    ((190, 180, 60), 2.4, 5),
    ((160, 70, 190), 0.0, 3),
]


def picture(label, rng):
    colour, angle, period = KINDS[label]
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    phase, turn = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.04)
    stripes = np.sin(2 * np.pi * (x * np.cos(angle + turn) + y * np.sin(angle + turn)) / period + phase)
    base = np.array(colour) + rng.normal(0, 5, 3)
    pixels = base * (0.75 + 0.3 * stripes[..., None]) + rng.normal(0, 5, (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def write(folder):
    """Writes `train/CLASS/*.png`, `test/CLASS/*.png` and `labels.txt` below `folder`."""
    rng = np.random.default_rng(SEED)
    for split, count in (("train", TRAIN), ("test", TEST)):
        for label, name in enumerate(CLASSES):
            place = folder / split / name
            place.mkdir(parents=True)
            for index in range(count):
                picture(label, rng).save(place / f"{index:03}.png")
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in CLASSES))


def read(folder, split, mean=MEAN, std=STD):
    """Prepared images `[n, 3, SIDE, SIDE]` and their labels, ordered by class and file name."""
    arrays, labels = [], []
    for label, name in enumerate(CLASSES):
        for path in sorted((folder / split / name).glob("*.png")):
            arrays.append(np.asarray(Image.open(path), dtype=np.float32).transpose(2, 0, 1) / np.float32(255))
            labels.append(label)
    return ((np.stack(arrays) - np.float32(mean)) / np.float32(std)).astype(np.float32), np.array(labels)
