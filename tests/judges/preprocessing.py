"""Checks that the network's inputs are the pixels of the image files."""

import csv

import numpy as np
from evidence import FLOAT, INT8
from onnx_checker import Verdict
from PIL import Image

# Side of a tile in pixels, and tiles per row of the sprite, in the format of the embedded data.
TILE, COLUMNS = 28, 50
# Error of three f32 operations on numbers of magnitude up to 3.
TOLERANCE = 1e-6


def inputs_are_right(evidence):
    """Recomputes the inputs of all test images in f64 from the sprite and the card's mean and std."""
    with open(evidence.data / "test.csv", newline="") as file:
        rows = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(file)]
    with Image.open(evidence.data / "test.png") as image:
        if image.mode != "L":
            raise Verdict(f"test.png is of mode {image.mode}, expected grey (L)")
        sprite = np.asarray(image, dtype=np.float64)
    # From [row of tiles, row of pixels, tile in the row, column of pixels] to [tile, row, column].
    tiles = sprite.reshape(-1, TILE, COLUMNS, TILE).swapaxes(1, 2).reshape(-1, TILE, TILE)
    tiles = tiles[[row["tile"] for row in rows]]
    figures = []
    for name in (FLOAT, INT8):
        card = evidence.card(name, "preprocess")
        if (card["channels"], card["height"], card["width"], card.get("resize")) != (1, TILE, TILE, None):
            raise Verdict(f"{name} has the preprocessing {card}, but this check needs grey images of {TILE}x{TILE} without a resize")
        said = evidence.said(name)
        if said["labels"].tolist() != [row["label"] for row in rows]:
            raise Verdict(f"the {len(said['labels'])} labels differ from the labels in the {len(rows)} rows of test.csv")
        expected = ((tiles / 255.0 - card["mean"][0]) / card["std"][0])[:, None]
        if said["inputs"].shape != expected.shape:
            raise Verdict(f"inputs of shape {said['inputs'].shape}, expected {expected.shape}")
        difference = np.abs(said["inputs"] - expected).reshape(len(rows), -1).max(axis=1)
        if difference.max() > TOLERANCE:
            worst = f"image {difference.argmax()} is off by {difference.max():.2e}"
            raise Verdict(f"{name}: {worst}, allowed {TOLERANCE:.0e}")
        figures.append(f"{name} within {difference.max():.1e}")
    return f"{len(rows)} images: " + ", ".join(figures)
