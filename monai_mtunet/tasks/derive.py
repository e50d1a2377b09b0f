"""What a bundle derives from its list of tasks: channels, losses, metrics, post-processing.

These are the functions that configurations call at the package's root, for example
``"$monai_mtunet.out_channels(@tasks)"``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

from ignite.metrics import Metric
from torch import Tensor, nn

from .bounding_box import BoundingBoxTask
from .classification import ClassificationTask
from .task import Task


def task_names(tasks: Sequence[Task]) -> list[str]:
    """Names in declaration order.

    Args:
        tasks: the declared tasks.

    Raises:
        ValueError: When there is no task, two share a name, or what a task is made from is not among them.
    """
    names = [task.name for task in tasks]
    if not names:
        raise ValueError("Declare at least one task.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"Task names must be unique; {repeated} occur more than once.")
    for task in tasks:
        absent = [source.name for source in task.sources if source.name not in names]
        if absent:
            raise ValueError(
                f"Task {task.name!r} is made from {absent}, which are not among {names}: take them as well, or leave "
                "it out."
            )
    return names


def select_tasks(tasks: Sequence[Task], only: Sequence[str] | str = ()) -> list[Task]:
    """The tasks to train: all, or those named, in declaration order. Single-task baselines are made with it.

    Args:
        tasks: the declared tasks.
        only: names, as a list or separated by blanks; empty for all.

    Raises:
        ValueError: When a name is not among the tasks, or what a task is made from is not selected.
    """
    names = task_names(tasks)
    wanted = only.split() if isinstance(only, str) else list(only)
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise ValueError(f"Unknown task(s) {unknown}; the declared tasks are {names}.")
    selected = [task for task in tasks if task.name in wanted or not wanted]
    task_names(selected)
    return selected


def image_classes(tasks: Sequence[Task]) -> dict[str, int]:
    """``{name: number of classes}`` of the tasks that classify whole images, for checks at loading."""
    return {task.name: task.channels for task in tasks if isinstance(task, ClassificationTask)}


def label_classes(tasks: Sequence[Task]) -> dict[str, int]:
    """``{name: number of classes}`` of the tasks whose targets are maps of classes, for checks at loading."""
    return {task.name: task.channels for task in tasks if task.is_label and not task.sources}


def missing_voxels(tasks: Sequence[Task]) -> dict[str, Tensor]:
    """``{name: a voxel without a target (C,)}`` for :class:`~monai_mtunet.transforms.FillMissingTargetsd`.

    Of tasks that are not dense: a sample's whole target.
    """
    return dict(zip(task_names(tasks), (task.missing_voxel() for task in tasks), strict=True))


def out_channels(tasks: Sequence[Task]) -> dict[str, int]:
    """``{name: channels}`` of the dense tasks that are not derived, for a network's ``out_channels``."""
    task_names(tasks)
    return {task.name: task.channels for task in tasks if task.is_dense and not task.sources}


def out_features(tasks: Sequence[Task]) -> dict[str, int]:
    """``{name: length of its vector}`` of the tasks that are not dense, for a network's ``out_features``."""
    task_names(tasks)
    return {task.name: task.channels for task in tasks if not task.is_dense and not task.sources}


def spatial_names(tasks: Sequence[Task]) -> list[str]:
    """Keys that spatial transforms take beside the image: dense tasks, and boxes while they are painted as masks."""
    task_names(tasks)
    return [task.name for task in tasks if task.is_dense or isinstance(task, BoundingBoxTask)]


def task_weights(tasks: Sequence[Task], only: Sequence[str] | str, weights: Mapping[str, float]) -> dict[str, float]:
    """The weights of the tasks to train, of weights that are given for the declared ones.

    Args:
        tasks: the declared tasks.
        only: as for :func:`select_tasks`.
        weights: weight per task name; those of tasks that are not trained are left out.

    Raises:
        ValueError: When a weight is of no declared task.
    """
    names = task_names(tasks)
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise ValueError(f"Weights are given for unknown task(s) {unknown}; the declared tasks are {names}.")
    return {task.name: weights[task.name] for task in select_tasks(tasks, only) if task.name in weights}


def task_losses(tasks: Sequence[Task]) -> dict[str, nn.Module]:
    """``{name: loss}`` of the tasks that are not derived, for :class:`~monai_mtunet.losses.MultiTaskLoss`.

    Its keys are the names that a weighting takes.
    """
    task_names(tasks)
    return {task.name: task.loss() for task in tasks if not task.sources}


def task_metrics(tasks: Sequence[Task], spatial_dims: int, key_metric: str) -> dict[str, Metric]:
    """The metrics of all tasks by name, the key metric first.

    MONAI's evaluator takes the first of ``key_val_metric`` as the key metric, which decides the best checkpoint.

    Args:
        tasks: the declared tasks.
        spatial_dims: 2 or 3.
        key_metric: name of the key metric, for example ``"segment_miou"``.

    Raises:
        ValueError: When no task has a metric of that name.
    """
    task_names(tasks)
    by_name = {name: metric for task in tasks for name, metric in task.metrics(spatial_dims).items()}
    if key_metric not in by_name:
        raise ValueError(f"No task has the key metric {key_metric!r}; there are {list(by_name)}.")
    return {key_metric: by_name.pop(key_metric), **by_name}


def metric_cmp_fn(tasks: Sequence[Task], key_metric: str) -> Callable[[float, float], bool]:
    """Whether a value of the key metric beats the best so far, for the ``metric_cmp_fn`` of MONAI's evaluators.

    MONAI's default takes the highest: of an error it would keep the worst checkpoint.

    Args:
        tasks: the declared tasks.
        key_metric: name of the key metric, for example ``"depth_abs"``.
    """
    errors = {f"{task.name}_{error}" for task in tasks for error in task.errors}
    return operator.lt if key_metric in errors else operator.gt
