"""Golden values of the augmentation: results of torchvision and Pillow on small images.

Needs torchvision 0.24 (torch 2.9) and Pillow 12 or later. Run as

    python tests/judges/augment.py > crates/tailfold-data/testdata/augment.json

An image is `[height, width, channels, values]`; a case is `[operation, magnitude, fill, image, values]`.
"""

import json

import numpy as np
import torchvision.transforms.functional as F
from PIL import Image, ImageFilter
from torchvision.transforms import AutoAugment, AutoAugmentPolicy, InterpolationMode, RandAugment
from torchvision.transforms.autoaugment import _apply_op


def images():
    """Noise without square shapes, a dark ramp, a flat image, and one with few values for the histogram operations."""
    random = np.random.RandomState(7)
    noise = random.randint(0, 256, (6, 9, 3)).astype(np.uint8)
    ramp = (40 + np.arange(8 * 5) * 2 % 97).astype(np.uint8).reshape(8, 5)
    flat = np.full((4, 5, 3), 77, np.uint8)
    few = random.choice([3, 90, 91, 200], (18, 20), p=[0.1, 0.6, 0.1, 0.2]).astype(np.uint8)
    return [noise, ramp, flat, few]


def picture(array):
    return Image.fromarray(array)


def values(image):
    return np.asarray(image).flatten().tolist()


def operations():
    for name, signs, bins in [
        ("ShearX", [1, -1], [3, 9]),
        ("ShearY", [1, -1], [3, 9]),
        ("TranslateX", [1, -1], [2, 5, 9]),
        ("TranslateY", [1, -1], [2, 5, 9]),
        ("Rotate", [1, -1], [1, 4, 9]),
        ("Brightness", [1, -1], [2, 5, 9]),
        ("Color", [1, -1], [2, 5, 9]),
        ("Contrast", [1, -1], [2, 5, 9]),
        ("Sharpness", [1, -1], [2, 5, 9]),
        ("Posterize", [1], [2, 5, 9]),
        ("Solarize", [1], [2, 5, 9]),
        ("AutoContrast", [1], [0]),
        ("Equalize", [1], [0]),
        ("Invert", [1], [0]),
    ]:
        for bin in bins:
            for sign in signs:
                yield name, bin, sign


def cases():
    for index, array in enumerate(images()):
        image = picture(array)
        for name, bin, sign in operations():
            # Small images get all operations, the large image only the histogram operations.
            if index == 3 and name not in ("AutoContrast", "Equalize"):
                continue
            space = AutoAugment(AutoAugmentPolicy.CIFAR10)._augmentation_space(10, array.shape[:2])
            magnitudes, _ = space[name]
            magnitude = sign * float(magnitudes[bin] if magnitudes.ndim > 0 else 0.0)
            fill = 128 if bin % 2 else 0
            colours = [float(fill)] * (3 if array.ndim == 3 else 1)
            out = _apply_op(image, name, magnitude, InterpolationMode.NEAREST, colours)
            yield [name, magnitude, fill, index, values(out)]
    for index, array in enumerate(images()[:3]):
        image = picture(array)
        for factor in [-0.5, -0.1, -0.037, 0.004, 0.1, 0.5]:
            yield ["hue", factor, 0, index, values(F.adjust_hue(image, factor))]
        for factor in [0.0, 0.6, 1.0, 1.37]:
            yield ["brightness", factor, 0, index, values(F.adjust_brightness(image, factor))]
            yield ["contrast", factor, 0, index, values(F.adjust_contrast(image, factor))]
            yield ["saturation", factor, 0, index, values(F.adjust_saturation(image, factor))]
        for radius in [0.1, 0.45, 1.0, 1.7, 2.0]:
            yield ["blur", radius, 0, index, values(image.filter(ImageFilter.GaussianBlur(radius)))]


def space(augment, bins, size):
    return {
        name: [[float(m) for m in magnitudes.reshape(-1)], bool(signed)]
        for name, (magnitudes, signed) in augment._augmentation_space(bins, size).items()
    }


# Every colour of a coarse grid with its hue turned by 0.3 checks the colour model over the whole cube.
cube = np.stack(np.meshgrid(*[np.arange(0, 256, 51)] * 3, indexing="ij"), -1).astype(np.uint8).reshape(12, 18, 3)

print(
    json.dumps(
        {
            "images": [
                [a.shape[0], a.shape[1], 3 if a.ndim == 3 else 1, a.flatten().tolist()] for a in images()
            ],
            "cases": list(cases()),
            "cube": [0.3, values(F.adjust_hue(picture(cube), 0.3))],
            "cifar10": AutoAugment(AutoAugmentPolicy.CIFAR10).policies,
            "auto_augment": space(AutoAugment(AutoAugmentPolicy.CIFAR10), 10, (24, 32)),
            "rand_augment": space(RandAugment(), 31, (224, 200)),
        },
        separators=(",", ":"),
    )
)
