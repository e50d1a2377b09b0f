"""What metrics of instances share: counts per class that are summed over images and ranks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ignite.metrics import Metric
from ignite.metrics.metric import reinit__is_reduced
from numpy.typing import NDArray
from torch import Tensor

from .instance_overlap import MISSING, InstanceOverlap, instance_overlap

__all__ = ["InstanceMetric"]


class InstanceMetric(Metric):
    """Base of metrics that compare instances, image by image.

    ``update`` takes (predicted instances, true instances), both integers (B, 1, *spatial), 0 for none; -1 in the
    target is missing, and images without any other voxel are left out. With ``num_classes`` it takes (predicted
    instances, true instances, predicted classes, true classes): instances are then compared with those of their class
    only, and the class of an instance is that of most of its voxels. Maps are looked at on the CPU.

    Args:
        num_classes: number of classes, of which some (the background) may have no instances; None when there are no
            class maps.
        average: whether ``compute`` gives the mean over the classes that have a result, or the classes one by one.
        ignore_index: in maps of true classes: missing.
        kwargs: of ignite's metric: ``output_transform``, ``device``.

    Raises:
        ValueError: When ``num_classes`` is less than 1.
    """

    _state_dict_all_req_keys = ("_counts",)
    _columns: int  # how many counts there are per class

    def __init__(
        self, num_classes: int | None = None, average: bool = True, ignore_index: int = 255, **kwargs: Any
    ) -> None:
        if num_classes is not None and num_classes < 1:
            raise ValueError(f"num_classes must be 1 or more, got {num_classes}.")
        self.num_classes = num_classes
        self.average = average
        self.ignore_index = ignore_index
        super().__init__(**kwargs)

    @abstractmethod
    def _count(self, overlap: InstanceOverlap) -> Sequence[float]:
        """What is counted of one class of one image."""

    @abstractmethod
    def _figures(self, counts: Tensor) -> Tensor:
        """Counts (num_classes, K), summed over images, to figures (F, num_classes), NaN for want of any."""

    @reinit__is_reduced
    def reset(self) -> None:
        """Forget all batches."""
        self._counts = torch.zeros(self.num_classes or 1, self._columns, dtype=torch.float64, device=self._device)

    @reinit__is_reduced
    def update(self, output: Sequence[Tensor]) -> None:
        """Take up a batch.

        Raises:
            ValueError: When the number of maps, their shapes, types or values are not as the class says.
        """
        maps = [torch.as_tensor(one).detach().cpu().numpy() for one in output]
        self._check(maps)
        for image in range(len(maps[0])):
            overlap = instance_overlap([one[image, 0] for one in maps], self.ignore_index)
            if overlap.known:
                counts = [self._count(overlap.of_class(number)) for number in range(len(self._counts))]
                self._counts += torch.tensor(counts, dtype=torch.float64, device=self._device)

    def _compute(self) -> Tensor:
        """Figures (F,), or (F, num_classes) without averaging."""
        figures = self._figures(self._counts.cpu())
        return (figures.nanmean(1) if self.average else figures).float()

    def _check(self, maps: Sequence[NDArray[Any]]) -> None:
        expected = ["predicted instances", "true instances", "predicted classes", "true classes"]
        expected = expected[: 2 if self.num_classes is None else 4]
        if len(maps) != len(expected):
            raise ValueError(f"Expected {', '.join(expected)}, got {len(maps)} maps.")
        shapes = [values.shape for values in maps]
        if len(set(shapes)) > 1 or len(shapes[0]) < 3 or shapes[0][1] != 1:
            raise ValueError(f"The maps must be (B, 1, *spatial), all of one shape, got {', '.join(map(str, shapes))}.")
        for name, values in zip(expected, maps, strict=True):
            if not np.issubdtype(values.dtype, np.integer):
                raise ValueError(
                    f"The {name} are {values.dtype}, but must be integers: MONAI's Resized and others make them "
                    "floats, cast them back by CastToTyped."
                )
            lowest = MISSING if name == "true instances" else 0
            wrong = values < lowest
            if self.num_classes is not None and "classes" in name:
                wrong |= (values >= self.num_classes) & ((values != self.ignore_index) | (name != "true classes"))
            if wrong.any():
                raise ValueError(
                    f"The {name} hold {values[wrong][0]}; instances are 0 or more, -1 in the target, and classes below "
                    f"num_classes, {self.num_classes}."
                )
