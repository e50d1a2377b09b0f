"""The declared tasks as one object, which answers for all that follows from them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import overload

import torch
from ignite.metrics import Metric
from torch import Tensor, nn

from .derived import DerivedTask
from .saved_as import SavedAs
from .task import Task
from .task_names import check_unique, known_names

__all__ = ["TaskList"]


class TaskList(Sequence[Task]):
    """The tasks of a network, in declaration order, and what channels, losses, metrics, keys and checks follow.

    A bundle declares ``"tasks"`` as a plain list and makes this of it once; the network, the losses, transforms and
    handlers take it from there. It is a sequence of the tasks to train. With ``only``, single-task baselines come from
    the same declaration.

    Args:
        tasks: the declared tasks.
        only: names of the tasks to train, as a list or separated by blanks; empty for all.

    Attributes:
        declared: all declared tasks, those that are not trained included; itself where ``only`` is empty.
        names: the names of the tasks.

    Raises:
        ValueError: When there is no task, two share a name, ``only`` names another, or what a derived task is made
            from is not among them.

    Example:
        >>> tasks = TaskList([RestorationTask("denoise", 3), SegmentationTask("segment", ["background", "cell"])])
        >>> tasks.out_channels
        {'denoise': 3, 'segment': 2}
        >>> TaskList(tasks, only="segment").names
        ('segment',)
    """

    def __init__(self, tasks: Sequence[Task], only: Sequence[str] | str = ()) -> None:
        names = tuple(task.name for task in tasks)
        check_unique(names)
        wanted = known_names(only, names)
        self._tasks = tuple(task for task in tasks if task.name in wanted or not wanted)
        self.names = tuple(task.name for task in self._tasks)
        # Sources of what is not trained need not be trained either.
        self.declared = self if len(self) == len(names) else TaskList(tasks)
        by_name = {task.name: task for task in self._tasks}
        for task in self._tasks:
            if isinstance(task, DerivedTask):
                task.connect(by_name)

    @overload
    def __getitem__(self, index: int) -> Task: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Task, ...]: ...
    def __getitem__(self, index: int | slice) -> Task | tuple[Task, ...]:
        """A task by its place, or several."""
        return self._tasks[index]

    def __len__(self) -> int:
        """How many tasks there are."""
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        """The tasks in declaration order."""
        return iter(self._tasks)

    def _names_where(self, holds: Callable[[Task], bool]) -> tuple[str, ...]:
        return tuple(task.name for task in self if holds(task))

    # What the network predicts.

    @property
    def predicted(self) -> tuple[Task, ...]:
        """The tasks with a head and a loss: all but the derived ones."""
        return tuple(task for task in self if not isinstance(task, DerivedTask))

    @property
    def out_channels(self) -> dict[str, int]:
        """``{name: channels}`` of the dense heads, for a network's ``out_channels``."""
        return {task.name: task.channels for task in self.predicted if task.is_dense}

    @property
    def out_features(self) -> dict[str, int]:
        """``{name: length of its vector}`` of the other heads, for a network's ``out_features``."""
        return {task.name: task.channels for task in self.predicted if not task.is_dense}

    def needed(self, wanted: Sequence[str] | str) -> tuple[str, ...]:
        """The tasks that a network has to predict for the wanted ones: derived ones need their sources.

        Args:
            wanted: names of tasks, as a list or separated by blanks.

        Returns:
            Their names in declaration order, for a network's ``keep_only``.

        Raises:
            ValueError: When a name is of none of the tasks.
        """
        names = known_names(wanted, self.names)
        sources = [
            name for task in self if isinstance(task, DerivedTask) and task.name in names for name in task.sources
        ]
        return tuple(task.name for task in self.predicted if task.name in {*names, *sources})

    def with_derived(self, predictions: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A network's predictions, and what the derived tasks make of them.

        Args:
            predictions: ``{task name: (B, C, *spatial) or (B, C)}``.

        Returns:
            The same, then the derived tasks' predictions (B, C, *spatial), on the CPU.
        """
        results = dict(predictions)
        for task in self:
            if isinstance(task, DerivedTask):
                results[task.name] = torch.stack([task.derive(sample) for sample in task.samples_of(predictions)])
        return results

    # What it learns from.

    def losses(self) -> dict[str, nn.Module]:
        """``{name: loss}`` of the tasks with a loss, for :class:`~monai_mtunet.losses.MultiTaskLoss`."""
        return {task.name: task.loss() for task in self.predicted}

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The tasks with a loss, for a weighting."""
        return tuple(task.name for task in self.predicted)

    def weights(self, weights: Mapping[str, float]) -> dict[str, float]:
        """The weights of the losses to train, of weights that are given for the declared ones.

        Args:
            weights: weight per task name; those of tasks that are not trained are left out.

        Raises:
            ValueError: When a weight is of no declared task.
        """
        unknown = sorted(set(weights) - set(self.declared.names))
        if unknown:
            raise ValueError(
                f"Weights are given for unknown task(s) {unknown}; the declared tasks are {list(self.declared.names)}."
            )
        return {name: weights[name] for name in self.loss_names if name in weights}

    # How it is measured.

    def metrics(self, spatial_dims: int, key_metric: str) -> dict[str, Metric]:
        """The metrics of all tasks by name, the key metric first, which decides the best checkpoint.

        MONAI's evaluator takes the first of ``key_val_metric`` as the key metric.

        Args:
            spatial_dims: 2 or 3.
            key_metric: name of the key metric, for example ``"segment_miou"``.

        Raises:
            ValueError: When no task has a metric of that name.
        """
        by_name = {name: metric for task in self for name, metric in task.metrics(spatial_dims).items()}
        if key_metric not in by_name:
            raise ValueError(f"No task has the key metric {key_metric!r}; there are {list(by_name)}.")
        return {key_metric: by_name.pop(key_metric), **by_name}

    def metric_cmp_fn(self, key_metric: str) -> Callable[[float, float], bool]:
        """Whether a value of the key metric beats the best so far, for the ``metric_cmp_fn`` of MONAI's evaluators.

        MONAI's default takes the highest: of an error it would keep the worst checkpoint. And NaN, which compares with
        nothing, would stay the best for good: here every number beats it, and it beats none.

        Args:
            key_metric: name of the key metric, for example ``"depth_abs"``.
        """
        return _better_of(operator.lt if key_metric in self.error_metrics else operator.gt)

    @property
    def error_metrics(self) -> frozenset[str]:
        """Names of the metrics of which less is better."""
        return frozenset(f"{task.name}_{error}" for task in self for error in task.errors)

    # What a sample holds.

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of a sample: the image and every target."""
        return ("image", *self.names)

    @property
    def dense_names(self) -> tuple[str, ...]:
        """Tasks whose targets are (C, *spatial)."""
        return self._names_where(lambda task: task.is_dense)

    @property
    def box_names(self) -> tuple[str, ...]:
        """Tasks whose targets are boxes, painted as masks while samples are augmented."""
        return self._names_where(lambda task: task.is_box)

    @property
    def spatial_names(self) -> tuple[str, ...]:
        """Tasks whose targets take part in spatial transforms: dense ones, and boxes while they are painted."""
        return self._names_where(lambda task: task.is_dense or task.is_box)

    @property
    def spatial_keys(self) -> tuple[str, ...]:
        """Keys that spatial transforms take: the image and the targets that have a place in it."""
        return ("image", *self.spatial_names)

    @property
    def intensity_keys(self) -> tuple[str, ...]:
        """Keys of intensities, which are scaled and normalized alike: the image and restoration targets."""
        return ("image", *self._names_where(lambda task: task.saved_as is SavedAs.PICTURE))

    @property
    def direction_names(self) -> tuple[str, ...]:
        """Tasks whose values are vectors in space, which flips turn."""
        return self._names_where(lambda task: task.is_direction)

    @property
    def depth_names(self) -> tuple[str, ...]:
        """Tasks whose values are divided by how many times as large an image becomes: what is larger is nearer."""
        return self._names_where(lambda task: task.zoom_exponent < 0)

    @property
    def disparity_names(self) -> tuple[str, ...]:
        """Tasks whose values are multiplied by how many times as large an image becomes."""
        return self._names_where(lambda task: task.zoom_exponent > 0)

    @property
    def label_classes(self) -> dict[str, int]:
        """``{name: number of classes}`` of the tasks whose targets are maps of class numbers."""
        return {task.name: task.target_classes for task in self if task.target_classes and task.is_dense}

    @property
    def class_of_label(self) -> dict[str, Mapping[int, int]]:
        """``{name: {number in its files: class number}}`` of the tasks whose files hold others than class numbers."""
        return {task.name: task.class_of_label for task in self if task.class_of_label}

    @property
    def image_classes(self) -> dict[str, int]:
        """``{name: number of classes}`` of the tasks whose targets are one class number per image."""
        return {task.name: task.target_classes for task in self if task.target_classes and not task.is_dense}

    @property
    def missing_values(self) -> dict[str, Tensor]:
        """``{name: a voxel without a target (C,)}``; of tasks that are not dense a sample's whole target."""
        return {task.name: task.missing_value() for task in self}

    def __repr__(self) -> str:
        return f"TaskList({list(self._tasks)!r})"


def _better_of(beats: Callable[[float, float], bool]) -> Callable[[float, float], bool]:
    return lambda value, best: not math.isnan(value) and (math.isnan(best) or beats(value, best))
