"""Times training steps of PyTorch on a fixed synthetic batch, as the program bench-train does for tailfold.

Each call times one block of steps per memory format, and prints one JSON object for the faster format. Needs torch.
"""

import argparse
import json
import math
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut without parameters (He et al., CVPR 2016, option A)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.stride = stride
        self.pad = c_out - c_in

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        if self.stride != 1 or self.pad:
            front = self.pad // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, front, self.pad - front))
        return F.relu(y + x, inplace=True)


class ResNet(nn.Module):
    """A ResNet with 6 n + 2 weighted layers and 16, 32 and 64 channels."""

    def __init__(self, depth, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        blocks, c_in = [], 16
        for stage, width in enumerate((16, 32, 64)):
            for block in range((depth - 2) // 6):
                blocks.append(Block(c_in, width, 2 if stage and not block else 1))
                c_in = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)), inplace=True)
        return self.head(self.blocks(x).mean((2, 3)))


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def block(args, memory_format, name):
    torch.manual_seed(0)
    net = ResNet(args.depth).to(args.device, memory_format=memory_format)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    x = (torch.rand(args.batch, 3, 32, 32) * 2 - 1).to(args.device, memory_format=memory_format)
    y = torch.randint(0, 10, (args.batch,)).to(args.device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(args.warmup):
        step()
    steps, loss = [], math.nan
    start, cpu = time.perf_counter(), cpu_seconds()
    for _ in range(args.steps):
        before = time.perf_counter()
        loss = step()
        steps.append(time.perf_counter() - before)
    wall = (time.perf_counter() - start) / args.steps
    cpu = (cpu_seconds() - cpu) / args.steps
    if not math.isfinite(loss):
        raise SystemExit("the loss of the last step is not finite")
    return {
        "contender": "torch",
        "version": torch.__version__,
        "depth": args.depth,
        "batch": args.batch,
        "threads": args.threads,
        "steps": args.steps,
        "device": args.device,
        "format": name,
        "images_per_s": args.batch / wall,
        "wall_s_per_step": wall,
        "median_wall_s_per_step": statistics.median(steps),
        "cpu_s_per_step": cpu,
        "loss": loss,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    # A step ends when its loss is read, which waits for a GPU.
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--format", choices=["contiguous", "channels_last", "both"], default="both")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    formats = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
    names = list(formats) if args.format == "both" else [args.format]
    results = [block(args, formats[name], name) for name in names]
    print(json.dumps(max(results, key=lambda r: r["images_per_s"])))


main()
