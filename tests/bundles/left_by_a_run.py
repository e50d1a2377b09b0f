"""Reading what a run leaves in its output folder."""

import csv
from pathlib import Path
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def checkpoint(folder: Path, name: str = "last") -> dict[str, Any]:
    state: dict[str, Any] = torch.load(folder / "checkpoints" / f"{name}.pt", weights_only=True)
    return state


def network(folder: Path, name: str = "last") -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = checkpoint(folder, name)["network"]
    return state


def measured(folder: Path, stage: str = "evaluation") -> dict[str, float]:
    """Metrics by name, of the last "validation" or of the "evaluation"."""
    with open(folder / stage / "metrics.csv") as file:
        return {name: float(value) for name, value in csv.reader(file)}


def logged(folder: Path) -> EventAccumulator:
    """TensorBoard's scalars."""
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return events


def assert_same(first: object, second: object, where: str = "checkpoint") -> None:
    """Check that two states are equal, bit for bit."""
    assert type(first) is type(second), where
    if isinstance(first, dict):
        assert list(first) == list(second), where
        for key in first:
            assert_same(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), where
        for index, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    else:
        assert first == second, where
