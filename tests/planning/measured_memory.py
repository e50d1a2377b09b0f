"""What a process grows by while a network predicts, beside what was told; run as a script, with cases as JSON."""

import gc
import json
import sys
from pathlib import Path

import torch

from monai_mtunet.networks import MTAN, UMC, MTUNet, MultiTaskHourglass, sunet_64
from monai_mtunet.planning import inference_memory, window_for

TASKS = {"denoise": 1, "segment": 3}
NETWORKS = {
    "UMC": lambda dims: UMC(dims, 1, TASKS, features=(8, 16, 32, 64)),
    "U-Net": lambda dims: UMC(dims, 1, {"segment": 3}, features=(16, 32, 64), upsample="deconv", bias=True),
    "MTUNet": lambda dims: MTUNet(dims, 1, TASKS, features=(16, 32, 64)),
    "MTAN": lambda dims: MTAN(dims, 1, TASKS, features=(16, 32), convolutions=(2, 2)),
    "hourglass": lambda dims: MultiTaskHourglass(
        dims, 1, TASKS, "light", features=(16, 32, 32), convolutions=(2, 2, 2)
    ),
    "SUNet": lambda dims: sunet_64(dims, 1, TASKS, modules=(1, 1, 1, 1), output_stride=16),
}


def grown(network: torch.nn.Module, shape: tuple[int, ...]) -> int:
    """Bytes of resident memory at the peak, over those before."""
    with torch.inference_mode():
        network(torch.rand(min(shape[0], 2), *[shape[1]], *[32] * len(shape[2:])))  # what is loaded once
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        before = resident("VmRSS")
        network(torch.rand(shape))
        return resident("VmHWM") - before


def resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    for name, dims, batch, length, memory in json.loads(sys.argv[1]):
        torch.manual_seed(0)
        network = NETWORKS[name](dims).eval()
        if memory:
            window = window_for(network, 1, [1000] * dims, memory, batch)
            shape = (window.batch, 1, *window.size)
        else:
            shape = (batch, 1, *[length] * dims)
        print(json.dumps([inference_memory(network, shape).windows, grown(network, shape), shape]), flush=True)


if __name__ == "__main__":
    main()
