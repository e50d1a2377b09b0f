"""Zoom as a camera does: what is larger is nearer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import convert_to_dst_type, ensure_tuple
from torch import Tensor

from ..declared_tasks import DeclaredTasks, missing_fills

__all__ = ["RandZoomGeometryd"]


class RandZoomGeometryd(RandomizableTransform, MapTransform):
    """Zoom into a random part of a sample by a random factor s, to its size, and keep its geometry true.

    Seen with the same camera, what is s times as large is s times as near: depth is divided by s, and disparity in
    pixels multiplied by it. Normals, labels and all else keep their values. Images are interpolated linearly; targets
    take their nearest voxel, since in between labels there is none, between the depths on both sides of an edge
    there is nothing, and a mean with NaN would lose more than the missing voxel.

    With s < 1 the sample lies somewhere in a wider field. The image continues by its edge; targets are missing there,
    NaN or ``ignore_index``. Affines stay: a zoomed sample is nearer, not sampled more finely. It has no inverse.

    Liu, Johns and Davison, "End-to-end multi-task learning with attention", CVPR 2019, augment NYUv2 so, with s of
    1, 1.2 or 1.5 (in their code).

    Args:
        tasks: the declared tasks. Image and targets in space are zoomed, all of one spatial size.
        zoom: the factors to choose from; with ``continuous``, s is sampled between the first and the last of two.
        continuous: whether ``zoom`` is a range.
        prob: probability of zooming.
        linear_names: names of tasks whose targets are interpolated linearly as the image is, such as a clean image.
        image_key: key of the image.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When a factor is not positive, a range has not two ends, or a linear name is of no task.

    Example:
        >>> zoom = RandZoomGeometryd(TaskList([DepthTask("depth"), NormalsTask("normals")]), zoom=(1, 1.2, 1.5))
    """

    def __init__(
        self,
        tasks: DeclaredTasks,
        zoom: Sequence[float] = (1.0, 1.2, 1.5),
        continuous: bool = False,
        prob: float = 1.0,
        linear_names: KeysCollection = (),
        image_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, (image_key, *tasks.spatial_names), allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.zoom = tuple(map(float, zoom))
        if not self.zoom or min(self.zoom) <= 0:
            raise ValueError(f"zoom must hold positive factors, got {zoom}.")
        if continuous and not (len(self.zoom) == 2 and self.zoom[0] <= self.zoom[1]):
            raise ValueError(f"With continuous, zoom must be (lowest, highest), got {zoom}.")
        if not set(ensure_tuple(linear_names)) <= set(tasks.spatial_names):
            raise ValueError(f"linear_names {ensure_tuple(linear_names)} must be among {tasks.spatial_names}.")
        self.linear_keys = frozenset((image_key, *ensure_tuple(linear_names)))
        self.depth_keys, self.disparity_keys = frozenset(tasks.depth_names), frozenset(tasks.disparity_names)
        self.fills = missing_fills(tasks)
        self.continuous = continuous

    def randomize(self, data: Sequence[int]) -> None:
        """Sample the factor, and where a part of a sample of spatial size ``data`` starts, in voxels."""
        super().randomize(None)
        if self.continuous:
            self.factor = self.R.uniform(self.zoom[0], self.zoom[1])
        else:
            self.factor = self.zoom[self.R.randint(len(self.zoom))]
        self.starts = [self.R.uniform() * (size - size / self.factor) for size in data]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Zoom a sample, or do not.

        Raises:
            ValueError: When a target has another size than the image.
        """
        sample = dict(data)
        keys = list(self.key_iterator(sample))
        sizes = {tuple(sample[key].shape[1:]) for key in keys}
        if len(sizes) > 1:
            shapes = {key: tuple(sample[key].shape) for key in keys}
            raise ValueError(f"A sample is zoomed as a whole, but its spatial sizes differ: {shapes}.")
        self.randomize(sizes.pop() if sizes else ())
        if self._do_transform and self.factor != 1:
            for key in keys:
                sample[key] = convert_to_dst_type(self._zoomed(key, sample[key]), dst=sample[key])[0]
        return sample

    def _zoomed(self, key: Hashable, values: Any) -> Tensor:
        values = values.as_tensor() if isinstance(values, MetaTensor) else torch.as_tensor(values)
        # Where the centers of the new voxels are, in old voxels from the border.
        places = [
            start + (torch.arange(size, dtype=torch.float64) + 0.5) / self.factor
            for start, size in zip(self.starts, values.shape[1:], strict=True)
        ]
        zoomed = _linear(values, places) if key in self.linear_keys else _nearest(values, places)
        if key in self.fills:
            zoomed = zoomed.masked_fill(~_within(places, values.shape[1:]).to(values.device), self.fills[key])
        if key in self.depth_keys:
            return zoomed / self.factor
        return zoomed * self.factor if key in self.disparity_keys else zoomed


# F.grid_sample(padding_mode="border") does both with other digits: it rounds places to the image's precision (off by up
# to 4e-4 of 255), and of two voxels that are equally near it takes the even one.


def _nearest(values: Tensor, places: list[Tensor]) -> Tensor:
    for axis, place in enumerate(places, start=1):
        index = place.floor().long().clamp(0, values.shape[axis] - 1)
        values = values.index_select(axis, index.to(values.device))
    return values


def _linear(values: Tensor, places: list[Tensor]) -> Tensor:
    """Axis by axis, continued by the edge; NaN beside a place makes it NaN."""
    if not values.is_floating_point():
        return _linear(values.float(), places).round()
    for axis, place in enumerate(places, start=1):
        last = values.shape[axis] - 1
        position = (place - 0.5).clamp(0, last)
        lower = position.floor().long().clamp(max=max(last - 1, 0))
        weight = (position - lower).to(values).view(-1, *[1] * (values.ndim - axis - 1))
        before, after = (values.index_select(axis, i.to(values.device)) for i in (lower, (lower + 1).clamp(max=last)))
        values = torch.lerp(before, after, weight)
    return values


def _within(places: list[Tensor], size: Sequence[int]) -> Tensor:
    """(*spatial), whether a place is in the old sample."""
    inside = [(place >= 0) & (place <= n) for place, n in zip(places, size, strict=True)]
    grids = torch.meshgrid(*inside, indexing="ij")
    return torch.stack(grids).all(dim=0)
