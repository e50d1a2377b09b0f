"""How long to train, and how often to validate."""

from __future__ import annotations

from math import ceil, prod

from .choice import Choice
from .grid import Grid
from .network_size import NetworkSize
from .samples import Samples

__all__ = ["choose_schedule", "passes_over_data"]

_FOR_VALIDATION = 0.15  # of the time, and for pictures and checkpoints
_STEPS_PER_EPOCH = 25  # at least: an epoch of three steps would be mostly validation
_MOST_STEPS = 250_000  # nnU-Net's number
_FORWARD = 1 / 3  # of a step's time: no backward pass
_WINDOWS_TWICE = 2.0  # voxels computed per voxel of a validation image, with windows that overlap


def passes_over_data(images: int, size: NetworkSize, seconds_per_step: float, seconds: float) -> float:
    """How often each image is seen within the time."""
    return _steps(seconds_per_step, seconds) * size.batch / images


def choose_schedule(
    images: int,
    val_images: int,
    grid: Grid,
    size: NetworkSize,
    seconds_per_step: float,
    seconds: float,
    learning_rate: float,
) -> Samples:
    """Epochs for the time given, by measured seconds per step.

    Args:
        images: of training, in a fold.
        val_images: of validation.
        grid: the images.
        size: of patches and batches.
        seconds_per_step: as measured.
        seconds: that there are.
        learning_rate: the bundle's own.
    """
    steps = _steps(seconds_per_step, seconds)
    repeats = max(1, ceil(min(_STEPS_PER_EPOCH, steps) * size.batch / images))
    per_epoch = ceil(images * repeats / size.batch)
    epochs = max(1, steps // per_epoch)
    per_voxel = seconds_per_step * _FORWARD / (size.batch * prod(size.patch))
    validation = val_images * prod(grid.median) * per_voxel * _WINDOWS_TWICE
    every = min(epochs, max(1, round(validation / (_FOR_VALIDATION * per_epoch * seconds_per_step))))
    hours = f"{seconds / 3600:.3g} h"
    measured = f"{1 / seconds_per_step:.3g} steps per second were measured here, so {steps} steps fit into {hours}"
    choices = [
        Choice("epochs", str(epochs), f"{measured}; an epoch has {per_epoch}"),
        Choice("validation", f"every {every} epoch(s)", f"so that it takes about {_FOR_VALIDATION:.0%} of the time"),
        Choice(
            "learning rate",
            f"{learning_rate:g}",
            "the bundle's; it falls to 0 along a cosine, step by step: epochs may be few",
        ),
    ]
    if repeats > 1:
        choices.insert(0, Choice("patches per image", f"{repeats} per epoch", f"{images} images are few for an epoch"))
    falling = {
        "_target_": "torch.optim.lr_scheduler.CosineAnnealingLR", "optimizer": "@optimizer",
        "T_max": "$@max_epochs * len(@train#dataloader)",
    }  # fmt: skip
    items = {
        "max_epochs": epochs, "val_interval": f"$min({every}, @max_epochs)" if every > 1 else 1,
        "schedule_by_epoch": False, "lr_scheduler": falling,
    }  # fmt: skip
    return Samples({**items, "repeats": repeats}, choices)


def _steps(seconds_per_step: float, seconds: float) -> int:
    return max(1, min(_MOST_STEPS, int(seconds * (1 - _FOR_VALIDATION) / seconds_per_step)))
