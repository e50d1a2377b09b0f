"""Items of an overlay that follow from what the rules chose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .rules.declared import Declared
from .rules.grid import Grid
from .rules.intensities import Intensities
from .rules.network_size import NetworkSize

__all__ = ["load_slot", "slots", "train_data", "validation"]


def train_data(repeats: int) -> str:
    """The training samples of the fold, each several times an epoch."""
    call = "monai_mtunet.data.fold_datalist(@data_list, 'train', @fold, @dataset_dir)"
    return f"${repeats} * {call}" if repeats > 1 else f"${call}"


def load_slot(grid: Grid, intensities: Intensities, tasks: Sequence[Declared]) -> list[dict[str, Any]]:
    """Read files, decode targets, and bring all to the grid and the intensities."""
    own = [task for task in tasks if task.reader]
    load: list[dict[str, Any]] = []
    if own:
        keys = ["image", *(task.name for task in tasks if task not in own)]
        load = [{"_target_": "LoadSampled", "tasks": "@active_tasks", "keys": keys}]
        load += [
            {"_target_": "LoadSampled", "tasks": "@active_tasks", "keys": task.name, "label_keys": task.name,
             "reader": task.reader}
            for task in own
        ]  # fmt: skip
    else:
        load = [{"_target_": "LoadSampled", "tasks": "@active_tasks"}]
    decode = [step for task in tasks for step in task.decode]
    return [*load, *decode, *grid.steps, *([intensities.step] if intensities.step else [])]


def slots(
    noise: dict[str, Any], crops: dict[str, Any], changes: dict[str, Any], tasks: Sequence[Declared]
) -> dict[str, Any]:
    """From loaded samples to what the network takes: made targets, noise, crops, changes.

    Args:
        noise: items of slots of noise.
        crops: "augment", and "targets" and "keep" where crops need them.
        changes: "augment".
        tasks: all tasks.
    """
    made = [step for task in tasks for step in task.make]
    normalize = {
        "_target_": "NormalizeIntensityd", "keys": "$@active_tasks.intensity_keys", "subtrahend": "@mean",
        "divisor": "@std", "channel_wise": True, "allow_missing_keys": True,
    }  # fmt: skip
    unmake = [step for task in tasks for step in task.unmake]
    items: dict[str, Any] = {**noise, **{name: value for name, value in crops.items() if name == "keep"}}
    items["targets"] = [*made, *noise.get("targets", []), *crops.get("targets", [])]
    items["augment"] = [*crops["augment"], *changes.get("augment", [])]
    return items | ({"normalize": [*unmake, normalize]} if unmake else {})


def validation(grid: Grid, size: NetworkSize, tasks: Sequence[Declared]) -> dict[str, Any]:
    """Whole images where they are hardly larger than a patch, windows of the patch's size elsewhere."""
    items: dict[str, Any] = {"val_batch_size": 1} if (grid.sizes != grid.sizes[0]).any() else {}
    if any(task.has_vector for task in tasks) or (grid.sizes <= [2 * length for length in size.patch]).all():
        return items
    windows = {
        "_target_": "MultiTaskSlidingWindowInferer", "roi_size": "@roi_size", "sw_batch_size": size.batch,
        "overlap": 0.25, "mode": "gaussian", "tasks": "@active_tasks",
    }  # fmt: skip
    return {**items, "roi_size": list(size.patch), "val_inferer": windows, "val_batch_size": 1}
