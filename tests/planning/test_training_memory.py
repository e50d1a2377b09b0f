"""What a step of training takes is told without running it, and is what a process then grows by."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from monai_mtunet.networks import UMC
from monai_mtunet.planning.training_memory import training_memory

from .measuring import needs_proc

CASES = [("UMC", 3, 2, 64), ("UMC", 2, 4, 256), ("MTUNet", 2, 4, 192), ("hourglass", 3, 2, 64), ("MTAN", 2, 4, 256)]


@needs_proc
def test_a_step_takes_what_was_told():
    exact = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, "-m", "tests.planning.measured_training", json.dumps(CASES)]
    root = Path(__file__).parents[2]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, env={**os.environ, **exact})
    told, grown = zip(*map(json.loads, run.stdout.splitlines()), strict=True)
    assert told == pytest.approx(grown, rel=0.15)


def test_the_network_stays_as_it_is():
    network = UMC(2, 1, {"segment": 3}, features=(4, 8)).eval()
    before = [values.clone() for values in network.state_dict().values()]
    small, large = (training_memory(network, (2, 1, size, size)) for size in (32, 64))
    assert 3 * small < large < 4.1 * small
    assert not network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(*pair) for pair in zip(before, network.state_dict().values(), strict=True))


def test_a_network_without_data_takes_the_same():
    network = UMC(3, 1, {"segment": 3}, features=(4, 8)).to(memory_format=torch.channels_last_3d)
    with torch.device("meta"):
        empty = UMC(3, 1, {"segment": 3}, features=(4, 8)).to(memory_format=torch.channels_last_3d)
    shape = (2, 1, 24, 24, 24)
    assert training_memory(empty, shape, torch.device("cpu")) == training_memory(network, shape)


def test_the_optimizers_copies_count():
    network = UMC(2, 1, {"segment": 3}, features=(4, 8))
    parameters = 4 * sum(values.numel() for values in network.parameters())
    shape = (2, 1, 32, 32)
    assert training_memory(network, shape) - training_memory(network, shape, optimizer_copies=0) == 2 * parameters
