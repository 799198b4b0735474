"""Checks that `tailfold classify` gives the same answer for images of unusual kinds as for the plain picture they show."""

import json
import struct
import zlib

import numpy as np
from evidence import INT8
from onnx_checker import Verdict
from PIL import Image

SIDE = 28


def bomb(width, height):
    """A PNG that claims `width` x `height` pixels in a hundred bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def odd_images_are_answered(evidence):
    """Images with 16 bits, alpha, palettes, one bit, CMYK or EXIF rotation get answers; bombs and empty files give errors."""
    folder = evidence.scratch / "odd"
    folder.mkdir()
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    grey = ((x * 7 + y * 3) % 256).astype(np.uint8)
    plain = Image.fromarray(grey)
    pictures = {
        "plain.png": plain,
        "rgb.png": plain.convert("RGB"),
        "alpha.png": plain.convert("RGBA"),
        "grey-alpha.png": plain.convert("LA"),
        "palette.png": plain.convert("P"),
        "deep.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "plain.bmp": plain,
        "plain.webp": plain.convert("RGB"),
        "plain.pgm": plain,
    }
    for name, picture in pictures.items():
        picture.save(folder / name, lossless=True) if name.endswith("webp") else picture.save(folder / name)
    plain.convert("RGB").convert("CMYK").save(folder / "cmyk.jpg", quality=100, subsampling=0)
    plain.convert("RGB").save(folder / "rgb.jpg", quality=100, subsampling=0)
    turned = Image.fromarray(np.rot90(grey)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", quality=100, subsampling=0, exif=exif)
    (folder / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (folder / "bomb2.png").write_bytes(bomb(2**31 - 1, 2**31 - 1))
    (folder / "empty.png").write_bytes(b"")
    said = json.loads(
        evidence.run("tailfold", "classify", "--json", "--model", evidence.file(INT8), folder, accepted=(1,))
    )
    rows = {row["file"].rsplit("/", 1)[-1]: row for row in said["images"]}
    expected = rows["plain.png"]["top"]
    exact = [name for name in pictures if name != "plain.png"]
    for name in exact:
        if rows[name].get("top") != expected:
            raise Verdict(f"{name}: {rows[name]}, expected {expected}")
    for name in ("cmyk.jpg", "rgb.jpg", "turned.jpg"):
        top = rows[name].get("top")
        if not top or top[0]["class"] != expected[0]["class"]:
            raise Verdict(f"{name}: {rows[name]}, expected class {expected[0]['class']} first")
    for name, message in [("bomb.png", "60000"), ("bomb2.png", "cannot decode"), ("empty.png", "holds no image")]:
        if message not in rows[name].get("error", ""):
            raise Verdict(f"{name}: {rows[name]}")
    return f"{len(exact)} kinds to the bit, 3 of JPEG by the first class, 3 reported"
