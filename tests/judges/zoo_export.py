"""Exports networks of torchvision and timm to ONNX, by both exporters of PyTorch, as other people's files come.

    python tests/judges/zoo_export.py --photos ../shared/data/photos --out target/zoo [--only resnet18] [--small]

Weights are random, from a written seed. The statistics of batch normalization come from photos and the last layer is
fitted to them, so that activations and logits have the ranges of a trained network. Beside each file
`ARCH-EXPORTER.onnx` lie ONNX Runtime's logits of eight photos, `ARCH-EXPORTER.npy [8, classes]`; the prepared photos
are `inputs-SIZE.npy [8, 3, SIZE, SIZE]`, and `zoo.json` says how each was made.

Needs requirements-zoo.txt: PyTorch is too large for the environment of the other checks.
"""

import argparse
import json
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from zoo_networks import CLASSES, EXPORTS, MEAN, PHOTOS, SMALL, STD, build, short_side

# Photos that batch normalization and the last layer are fitted on; the first PHOTOS of them are scored.
FITTED = 32
# Directions of the features that the last layer looks at.
DIRECTIONS = 6
# Classes that stand out, and the scale of the logits of all others beside them.
LOUD, QUIET = 12, 0.3
# Standard deviation of the logits over photos and the classes that stand out.
SPREAD = 3.0


def prepared(paths, size):
    """`[n, 3, size, size]` as torchvision prepares it: short side, bilinear; centre crop, half to even; mean and std."""
    arrays = []
    for path in paths:
        image = Image.open(path).convert("RGB")
        width, height = image.size
        short = short_side(size)
        scaled = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
        image = image.resize(scaled, Image.Resampling.BILINEAR)
        left, top = round((scaled[0] - size) / 2.0), round((scaled[1] - size) / 2.0)
        pixels = np.asarray(image.crop((left, top, left + size, top + size)), dtype=np.float32) / 255
        arrays.append(((pixels - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1))
    return torch.from_numpy(np.stack(arrays).astype(np.float32))


def fit_norms(model, images):
    """Takes the statistics of every batch normalization from `images`, with dropout off."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    model(images)
    model.eval()


def fit_head(model, images):
    """Makes a last layer that looks at the directions in which the features of `images` differ most.

    A random one would weigh all directions alike, most of which hardly differ between photos: then any rounding decides.
    """
    heads = [
        module
        for module in model.modules()
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d))
        and CLASSES == (module.out_features if isinstance(module, torch.nn.Linear) else module.out_channels)
    ]
    head, seen = heads[-1], []
    hook = head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    model(images)
    hook.remove()
    features = seen[0] if seen[0].dim() == 2 else seen[0].mean(dim=(2, 3))
    middle = features.mean(dim=0)
    _, lengths, directions = torch.linalg.svd(features - middle, full_matrices=False)
    chosen = directions[:DIRECTIONS] / lengths[:DIRECTIONS, None].sqrt()
    # Few classes stand out, as in a trained network: a thousand alike would be decided by hundredths of a logit.
    loud = torch.full([CLASSES, 1], QUIET)
    loud[torch.randperm(CLASSES)[:LOUD]] = 1.0
    weight = (loud * torch.randn(CLASSES, len(chosen))) @ chosen
    logits = (features - middle) @ weight.T
    weight = weight * (SPREAD / float(logits[:, loud[:, 0] == 1.0].std()))
    head.weight.copy_(weight.reshape(head.weight.shape))
    if head.bias is not None:
        head.bias.copy_(-(weight @ middle))
        if head.weight.dim() == 4:
            # SqueezeNet has a ReLU behind its last layer: what is below zero would be lost.
            head.bias.add_(4 * SPREAD)


def exported(model, example, exporter, path):
    """Writes `model` as `exporter` does: see EXPORTERS in zoo_networks.py."""
    names = dict(input_names=["input"], output_names=["logits"])
    if exporter.startswith("dynamo"):
        batch = torch.export.Dim("batch")
        options = dict(dynamo=True, external_data=exporter == "dynamo-external", verbose=False, **names)
        if exporter != "dynamo-fixed":
            options["dynamic_shapes"] = ({0: batch},)
        else:
            example = example[:1]
        torch.onnx.export(model, (example,), str(path), **options)
        return
    opset = {"torchscript": 17, "torchscript-11": 11, "torchscript-unfolded": 13}[exporter]
    options = dict(opset_version=opset, dynamo=False, dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}})
    if exporter == "torchscript-unfolded":
        options |= dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    torch.onnx.export(model, (example,), str(path), **options, **names)


def scored(path, inputs):
    """ONNX Runtime's logits, one image at a time where the batch is fixed."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    step = entry.shape[0] if isinstance(entry.shape[0], int) else len(inputs)
    return np.concatenate([session.run(None, {entry.name: inputs[i : i + step]})[0] for i in range(0, len(inputs), step)])


def export(name, exporters, paths, out):
    """Exports network `name` by each exporter; yields what `zoo.json` says of each file."""
    model, size, seed = build(name)
    images = prepared(paths[:FITTED], size)
    inputs = images[:PHOTOS].numpy()
    np.save(out / f"inputs-{size}.npy", inputs)
    with torch.no_grad():
        fit_norms(model, images)
        fit_head(model, images)
        expected = model(images[:PHOTOS]).numpy()
        for exporter in exporters:
            path = out / f"{name}-{exporter}.onnx"
            started = time.monotonic()
            try:
                exported(model, images[:2], exporter, path)
                found = scored(path, inputs)
            except Exception as error:
                traceback.print_exc()
                print(f"FAIL {path.stem}: {type(error).__name__}: {str(error)[:200]}", flush=True)
                continue
            np.save(path.with_suffix(".npy"), found)
            off = float(np.abs(found.reshape(expected.shape) - expected).max() / np.abs(expected).max())
            graph = onnx.load(path, load_external_data=False)
            row = {
                "file": path.name,
                "architecture": name,
                "exporter": exporter,
                "size": size,
                "resize": f"{short_side(size)}:bilinear",
                "seed": seed,
                "opset": graph.opset_import[0].version,
                "operators": sorted({node.op_type for node in graph.graph.node}),
                "weights": sum(parameter.numel() for parameter in model.parameters()),
                "decisions": found.reshape(PHOTOS, -1).argmax(axis=1).tolist(),
                "from_pytorch": off,
            }
            print(f"ok {path.stem}: {time.monotonic() - started:.0f} s, {len(graph.graph.node)} nodes, from PyTorch {off:.1e}, "
                  f"decisions {sorted(set(row['decisions']))}", flush=True)
            yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos, of which the first are taken")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", help="networks; all without it")
    parser.add_argument("--small", action="store_true", help="the subset that CI runs")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    arguments.out.mkdir(parents=True, exist_ok=True)
    paths = sorted(arguments.photos.glob("*.jpg"))
    wanted = arguments.only or (SMALL if arguments.small else list(EXPORTS))
    # The names that a list of images without a file of names gives its classes.
    (arguments.out / "labels.txt").write_text("".join(f"{i}\n" for i in range(CLASSES)))
    listing = arguments.out / "zoo.json"
    rows = {row["file"]: row for row in json.loads(listing.read_text())} if listing.is_file() else {}
    failed = 0
    for name in wanted:
        exporters = SMALL[name] if arguments.small else EXPORTS[name]
        made = list(export(name, exporters, paths, arguments.out))
        failed += len(exporters) - len(made)
        rows |= {row["file"]: row for row in made}
        listing.write_text(json.dumps(sorted(rows.values(), key=lambda row: row["file"]), indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
