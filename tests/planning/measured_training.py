"""What a process grows by while a network learns, beside what was told; run with cases as JSON."""

import gc
import json
import sys
from pathlib import Path

import torch
from torch import nn

from monai_mtunet.losses import MissingAwareRegressionLoss, MissingAwareSegmentationLoss, MultiTaskLoss
from monai_mtunet.planning.training_memory import training_memory

from .measured_memory import NETWORKS, resident

LOSS = {"denoise": MissingAwareRegressionLoss("mse"), "segment": MissingAwareSegmentationLoss()}


def step(network: nn.Module, optimizer: torch.optim.Optimizer, shape: tuple[int, ...]) -> None:
    images = torch.rand(shape)
    targets = {"denoise": torch.rand(shape), "segment": torch.randint(0, 3, shape)}
    optimizer.zero_grad()
    MultiTaskLoss(LOSS)(network(images), targets).backward()
    optimizer.step()


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for case in json.loads(sys.argv[1]):
        print(json.dumps(told_and_grown(*case)), flush=True)


def told_and_grown(name: str, dims: int, batch: int, size: int) -> tuple[int, int]:
    network = NETWORKS[name](dims).to(memory_format=torch.channels_last if dims == 2 else torch.channels_last_3d)
    optimizer = torch.optim.Adam(network.parameters())
    shape = (batch, 1, *[size] * dims)
    told = training_memory(network, shape)
    step(network, optimizer, (batch, 1, *[32] * dims))  # what is loaded once, gradients and Adam's moments
    gc.collect()
    held = 4 * sum(4 * values.numel() for values in network.parameters())
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = resident("VmRSS")
    for _ in range(2):
        step(network, optimizer, shape)
    return told, resident("VmHWM") - before + held


if __name__ == "__main__":
    main()
