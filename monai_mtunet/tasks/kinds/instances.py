"""Instances as a task: objects of a class told apart, made from other tasks' predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from ignite.metrics import Metric, MetricsLambda
from numpy.typing import NDArray
from torch import Tensor

from ...metrics import InstanceAveragePrecision, InstancePanopticQuality, SplitMerge
from ...metrics.joint_instance_metric import JointInstanceMetric
from ...pictures.instance_colors import instance_colors
from ...pictures.picture import Picture
from ..derived import DerivedTask
from ..saved_as import SavedAs
from ..task import Task
from .distance import DistanceTask
from .edges import EdgeTask
from .segmentation import SegmentationTask, in_metric
from .separate_instances import connected_instances, divide_region, smoothing_radius, watershed_instances

METHODS = ("watershed", "components")


class InstanceTask(DerivedTask):
    """Which object each voxel belongs to, in 2D and 3D, from a segmentation and how deep voxels are in their object.

    It has no head and no loss: instances are made where they are measured, drawn and saved, on the CPU. Of each class
    that consists of things, the predicted region is divided by a watershed of the predicted distance (see
    `watershed_instances`), or into what is connected, the baseline.

    Targets are (1, *spatial) integers: 0 for no instance, then ids, or -1 where they are not known. Ids need not be
    without gaps, and need not match.

    Metrics, of which instances count for the class that most of their voxels have: ``<name>_pq``, ``<name>_sq`` and
    ``<name>_rq`` (panoptic, segmentation and recognition quality), ``<name>_ap`` and ``<name>_ap50`` (average precision
    over the thresholds of the IoU from 0.5 to 0.95, and at 0.5), means over the things that have any; ``<name>_split``
    and ``<name>_merged``, how many objects per image are divided, and how many melt with others of their class. Of
    several things ``<name>_pq_<class>`` as well. They are NaN where no image has a target.

    It is saved as ids of 16 bits, or of 32 where there are more, which belong to one class each: that of the
    segmentation. They are numbered thing by thing (within slices, where ``slice_axis`` is given), in the order in which
    a reader meets them.

    Args:
        name: the task's name.
        segment: name of the segmentation task.
        distance: name of the distance task that says how deep voxels are in their object, as `DistanceMapd` measures
            it. Without it the watershed is of the distance to the border of the predicted region.
        edges: name of an edge task: where a boundary is probable, voxels count as less deep.
        things: names of the classes that consist of instances; by default all but the first, the background.
        method: ``"watershed"`` or ``"components"``, which needs the segmentation only.
        prominence: by how much an object's greatest depth exceeds that on the way to a deeper one, in the unit of the
            distance: less splits more.
        smoothing: standard deviation in voxels of a Gaussian on the depth.
        min_size: fewer voxels are no instance.
        slice_axis: of volumes, the spatial axis whose slices are divided each by itself, where slices are so thick that
            neighbors connect what does not belong together.

    Raises:
        TypeError: When a source is no name; when it is connected with a task of another kind.
        ValueError: When the method is another, what it does not use is given, or a number is out of its range; when
            things are no classes of the segmentation that it is connected with.

    Example:
        >>> segment = SegmentationTask("segment", classes=["background", "cell"])
        >>> distance = DistanceTask("distance", signed=False, truncate=10)
        >>> tasks = TaskList([segment, distance, InstanceTask("instances", "segment", "distance")])
    """

    errors = ("split", "merged")
    saved_as = SavedAs.IDS

    def __init__(
        self,
        name: str,
        segment: str,
        distance: str | None = None,
        edges: str | None = None,
        things: Sequence[str] | None = None,
        method: str = "watershed",
        prominence: float = 1.0,
        smoothing: float = 0.0,
        min_size: int = 0,
        slice_axis: int | None = None,
    ) -> None:
        given = [source for source in (segment, distance, edges) if source is not None]
        super().__init__(name, given)
        if method not in METHODS:
            raise ValueError(f"Task {name!r}: method must be one of {METHODS}, got {method!r}.")
        if method == "components" and len(given) > 1:
            raise ValueError(f'Task {name!r}: "components" uses neither distance nor edges: leave them out.')
        if not prominence > 0 or smoothing < 0 or min_size < 0:
            raise ValueError(
                f"Task {name!r}: prominence must be positive, smoothing and min_size not negative, got {prominence}, "
                f"{smoothing} and {min_size}."
            )
        self._names = {"segment": segment, "distance": distance, "edges": edges}
        self._things = things
        self.method = method
        self.prominence = prominence
        self.smoothing = smoothing
        self.min_size = min_size
        self.slice_axis = slice_axis

    def connect(self, tasks: Mapping[str, Task]) -> None:
        """Take up the tasks that it is made from, each of its kind."""
        super().connect(tasks)
        self.segment, self.distance, self.edges = (
            self._source(tasks, what, kind)
            for what, kind in (("segment", SegmentationTask), ("distance", DistanceTask), ("edges", EdgeTask))
        )
        if self.distance is not None and self.distance.channels != 1:
            raise ValueError(
                f"Task {self.name!r} takes one distance, {self.distance.name!r} has {self.distance.channels}."
            )
        self.measured_with = (self.segment.name,)
        classes = self.segment.classes
        self.things = tuple(classes[1:] if self._things is None else self._things)
        if not self.things or not set(self.things) <= set(classes):
            raise ValueError(f"Task {self.name!r}: things must be of the classes {list(classes)}, got {self.things}.")

    def _source(self, tasks: Mapping[str, Task], what: str, kind: type[Task]) -> Any:
        name = self._names[what]
        if name is None:
            return None
        if not isinstance(tasks[name], kind):
            raise TypeError(f"Task {self.name!r}: {what} must be a {kind.__name__}, got {tasks[name]!r}.")
        return tasks[name]

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        of_classes: dict[str, Any] = {
            "num_classes": self.segment.channels, "average": False, "ignore_index": self.segment.ignore_index
        }  # fmt: skip
        all_of_them = JointInstanceMetric(
            [InstancePanopticQuality(**of_classes), SplitMerge(**of_classes), InstanceAveragePrecision(**of_classes)],
            output_transform=self._instances_and_classes,
        )
        figures = {"pq": 0, "sq": 1, "rq": 2, "ap": 5, "ap50": 6, "split": 3, "merged": 4}
        metrics: dict[str, Metric] = {
            f"{self.name}_{what}": self._over_things(
                _nan_or_sum if what in self.errors else torch.nanmean, all_of_them, index
            )
            for what, index in figures.items()
        }
        for thing in self.things if len(self.things) > 1 else ():
            number = self.segment.classes.index(thing)
            metrics[f"{self.name}_pq_{in_metric(thing)}"] = MetricsLambda(
                lambda values, c=number: values[0, c].item(), all_of_them
            )
        return metrics

    def _over_things(self, reduce: Callable[[Tensor], Tensor], metric: Metric, index: int) -> MetricsLambda:
        """One figure of a metric that gives (F, classes), reduced over the things."""
        numbers = [self.segment.classes.index(thing) for thing in self.things]
        return MetricsLambda(lambda figures: reduce(figures[index, numbers]).item(), metric)

    def _instances_and_classes(self, output: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        predicted = output["pred"][self.segment.name].argmax(dim=1, keepdim=True)
        return output["pred"][self.name], output["label"][self.name], predicted, output["label"][self.segment.name]

    def derive(self, predictions: Mapping[str, Tensor]) -> Tensor:
        """Raw predictions of one sample -> ids (1, *spatial), int32, on the CPU: 0 for none, then 1, 2, ..."""
        sources = (self.segment, self.distance, self.edges)
        maps: list[Any] = [None if source is None else self._of(source, predictions) for source in sources]
        if self.slice_axis is None:
            return torch.from_numpy(self._divide(*maps))[None]
        planes, last = [], 0
        for index in range(maps[0].shape[self.slice_axis]):
            plane = self._divide(*(None if values is None else values.take(index, self.slice_axis) for values in maps))
            planes.append(np.where(plane > 0, plane + last, 0))
            last += int(plane.max())
        return torch.from_numpy(np.stack(planes, axis=self.slice_axis).astype(np.int32))[None]

    def divide(
        self, region: NDArray[np.bool_], depth: NDArray[Any] | None, edges: NDArray[Any] | None
    ) -> NDArray[np.int32]:
        """The instances of one connected region of a thing, by a watershed. What is elsewhere does not matter.

        Args:
            region: where it is (*spatial), its bounding box with ``reach`` voxels around it within the image.
            depth: what the distance task predicts there (*spatial), if there is one.
            edges: what the edge task predicts there, if there is one.

        Returns:
            (*spatial): 0 elsewhere, then 1, 2, ...
        """
        return divide_region(region, depth, edges, self.prominence, self.smoothing)

    @property
    def reach(self) -> int:
        """How many voxels around a connected region decide how it is divided."""
        return smoothing_radius(self.smoothing) + 1

    def _divide(self, classes: Any, depth: Any, edges: Any) -> NDArray[np.int32]:
        instances = np.zeros(classes.shape, dtype=np.int32)
        for thing in self.things:
            foreground = classes == self.segment.classes.index(thing)
            if self.method == "components":
                found = connected_instances(foreground, self.min_size)
            else:
                found = watershed_instances(foreground, depth, edges, self.prominence, self.smoothing, self.min_size)
            instances += np.where(found > 0, found + instances.max(), 0)
        return instances

    @staticmethod
    def _of(source: SegmentationTask | DistanceTask | EdgeTask, predictions: Mapping[str, Tensor]) -> Any:
        """What a source saves, (*spatial): class numbers, distances in their unit, probabilities."""
        return torch.as_tensor(source.postprocess(predictions[source.name]))[0].cpu().numpy()

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, 1, *spatial) ids -> int64, checked to be -1 (missing), 0 (none) or ids."""
        if target.shape[1] != 1:
            raise ValueError(
                f"Task {self.name!r}: instances must have one channel (B, 1, *spatial), got {tuple(target.shape)}."
            )
        if target.is_floating_point() and not torch.equal(target, target.round()):
            raise ValueError(f"Task {self.name!r}: ids must be integers; resample instances by nearest neighbor.")
        if target.min() < -1:
            raise ValueError(
                f"Task {self.name!r}: the target holds {int(target.min())}; ids are positive, 0 is none, -1 is missing."
            )
        return target.long()

    def missing_value(self) -> Tensor:
        """See :meth:`Task.missing_value`."""
        return torch.tensor([-1], dtype=torch.int32)

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Ids (1, *spatial) as they are, int32."""
        return prediction.to(torch.int32)

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Ids (1, *spatial) as they are."""
        return values.to(torch.int32)

    def draw(self, values: Tensor) -> Picture:
        """Ids (1, H, W) in colors that differ between neighbors; none is black, missing is white."""
        ids = values[0].cpu().numpy().astype(np.int64)
        # Dense numbers: ids of files may be large.
        numbers = np.unique(np.maximum(ids, 0), return_inverse=True)[1].reshape(ids.shape) + int((ids > 0).all())
        picture = instance_colors(numbers)[numbers]
        picture[ids < 0] = 255
        return picture

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`."""
        return super().metadata(spatial_dims) | {
            "format": "instances",
            "dtype": "int32",
            "channel_def": {"0": f"ids, made from {', '.join(self.sources)}"},
        }


def _nan_or_sum(values: Tensor) -> Tensor:
    return values.nansum() if values.isfinite().any() else values.new_tensor(torch.nan)
