"""Computes PyTorch's golden values of the networks for `tests/it/networks/golden.rs`.

    python tests/judges/torch_networks.py

Needs torch, torchvision and timm; written with torch 2.9.0, torchvision 0.24.0 and timm 1.0.31. They are too large for the
environment of the other checks, so run this by hand when a network changes, and paste its numbers into the test.

Every weight is a hash of its PyTorch name and its index, so that the test can make the same weights without this script.
"""

import numpy as np
import timm
import torch
import torchvision

CLASSES = 7
# Channels, height and width: neither square nor the usual size of the networks.
INPUT = (3, 64, 48)


def noise(name, count):
    """`count` f32 numbers in -1..1, from the upper 24 bits of SplitMix64 with the FNV-1a hash of `name` as seed."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)


def weights(name, shape):
    """Convolutions and classifier with He's variance; BatchNorm statistics and scales near their initial values."""
    values = noise(name, int(np.prod(shape)))
    if len(shape) > 1:
        centre, spread = 0.0, np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith("running_var"):
        centre, spread = 1.0, 0.5
    elif name.endswith("weight"):
        centre, spread = 0.75, 0.25
    else:
        centre, spread = 0.0, 0.25
    return torch.from_numpy((np.float32(centre) + np.float32(spread) * values).reshape(shape))


def filled(model):
    state = model.state_dict()
    for key, value in state.items():
        if not key.endswith("num_batches_tracked"):
            state[key] = weights(key, tuple(value.shape))
    model.load_state_dict(state)
    return model


def gradients(model, images):
    """Mean square of the logits with the batch's statistics, and the Euclidean length of its gradient over all parameters."""
    loss = model(images).square().mean()
    loss.backward()
    return torch.stack([loss, sum(p.grad.square().sum() for p in model.parameters()).sqrt()]).detach()


def relative(single, double):
    return f"{float((single - double).abs().max() / double.abs().max()):.1e}"


def golden(name, model, published):
    whole = sum(p.numel() for p in model(num_classes=1000).parameters())
    assert whole == published, (name, whole)
    print(f"{name}: {whole} parameters with 1000 classes")
    images = torch.from_numpy(noise("images", 2 * int(np.prod(INPUT))).reshape(2, *INPUT))
    inference = filled(model(num_classes=CLASSES)).eval()
    training = [filled(model(num_classes=CLASSES)).train() for _ in range(2)]
    for module in training[0].modules(), training[1].modules():
        for dropout in (m for m in module if isinstance(m, torch.nn.Dropout)):
            dropout.p = 0.0
    with torch.no_grad():
        single, double = inference(images), inference.double()(images.double())
    print(f"logits, f32 within {relative(single, double)} of f64:")
    print(", ".join(f"{v:.6}" for v in double.flatten().tolist()))
    single, double = gradients(training[0], images), gradients(training[1].double(), images.double())
    print(f"loss and gradient, f32 within {relative(single, double)} of f64:")
    print(", ".join(f"{v:.6}" for v in double.tolist()), flush=True)


NETWORKS = {
    "resnet50": (torchvision.models.resnet50, 25_557_032),
    "resnext50": (torchvision.models.resnext50_32x4d, 25_028_904),
    "resnet152": (torchvision.models.resnet152, 60_192_808),
    "mobilenet-v2": (torchvision.models.mobilenet_v2, 3_504_872),
    "efficientnet-lite0": (lambda **kw: timm.create_model("tf_efficientnet_lite0", **kw), 4_652_008),
}

if __name__ == "__main__":
    for name, (model, published) in NETWORKS.items():
        golden(name, model, published)
