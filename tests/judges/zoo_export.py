"""Exports networks of torchvision and timm to ONNX with both exporters of PyTorch.

    python tests/judges/zoo_export.py --photos ../shared/data/photos --out target/zoo [--only resnet18] [--small]

The weights are random, from a fixed seed. The statistics of batch normalization come from photos, and the last layer is
fitted to photos, so that activations and logits have the ranges of a trained network. The folder gets, for each network
and exporter, `ARCH-EXPORTER.onnx` and ONNX Runtime's logits of eight photos, `ARCH-EXPORTER.npy [8, classes]`; the prepared
photos `inputs-SIZE.npy [8, 3, SIZE, SIZE]`; and `zoo.json`, which describes each file.

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

# Number of photos for the fit of batch normalization and the last layer; the first PHOTOS of them are scored.
FITTED = 32
# Number of principal directions of the features that the last layer reads.
DIRECTIONS = 6
# Number of classes with large logits, and the scale of the logits of all other classes.
LOUD, QUIET = 12, 0.3
# Standard deviation of the logits over photos and the LOUD classes.
SPREAD = 3.0


def prepared(paths, size):
    """Inputs `[n, 3, size, size]` with torchvision's preprocessing: bilinear resize, centre crop, mean and std."""
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
    """Sets the statistics of every batch normalization from `images`, with dropout off."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    model(images)
    model.eval()


def fit_head(model, images):
    """Makes a last layer that reads the directions in which the features of `images` vary most.

    A random last layer gives equal weight to directions without variance, so rounding errors would decide the class.
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
    # Few classes get large logits, as in a trained network. Else hundredths of a logit would decide.
    loud = torch.full([CLASSES, 1], QUIET)
    loud[torch.randperm(CLASSES)[:LOUD]] = 1.0
    weight = (loud * torch.randn(CLASSES, len(chosen))) @ chosen
    logits = (features - middle) @ weight.T
    weight = weight * (SPREAD / float(logits[:, loud[:, 0] == 1.0].std()))
    head.weight.copy_(weight.reshape(head.weight.shape))
    if head.bias is not None:
        head.bias.copy_(-(weight @ middle))
        if head.weight.dim() == 4:
            # SqueezeNet has a ReLU after its last layer, which would remove negative logits.
            head.bias.add_(4 * SPREAD)


def exported(model, example, exporter, path):
    """Exports `model` to `path` by `exporter`; EXPORTS in zoo_networks.py describes the exporters."""
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
    """ONNX Runtime's logits; a fixed batch makes several runs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    step = entry.shape[0] if isinstance(entry.shape[0], int) else len(inputs)
    return np.concatenate([session.run(None, {entry.name: inputs[i : i + step]})[0] for i in range(0, len(inputs), step)])


def export(name, exporters, paths, out):
    """Exports network `name` by each exporter; yields the row of `zoo.json` for each file."""
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
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos; the first ones are used")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", help="names of networks (default: all)")
    parser.add_argument("--small", action="store_true", help="the subset that CI runs")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    arguments.out.mkdir(parents=True, exist_ok=True)
    paths = sorted(arguments.photos.glob("*.jpg"))
    wanted = arguments.only or (SMALL if arguments.small else list(EXPORTS))
    # A list of images without class names calls its classes by their numbers.
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
