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
        keys: keys to zoom, all of one spatial size.
        zoom: the factors to choose from; with ``continuous``, s is drawn between the first and the last of two.
        linear_keys: those of ``keys`` that are interpolated linearly; of them ``image_key`` continues by its edge,
            others (a clean image as target) are missing beyond it.
        depth_keys: those that are divided by s.
        disparity_keys: those that are multiplied by s.
        continuous: whether ``zoom`` is a range.
        prob: probability of zooming.
        image_key: key of the image.
        ignore_index: the label of voxels that have none.
        label_keys: those of ``keys`` that are label maps. Keys of integers are without being named; MONAI's `Resized`
            makes floats of them.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When a factor is not positive, a range has not two ends, or a key is not among ``keys``.

    Example:
        >>> zoom = RandZoomGeometryd(["image", "segment", "depth", "normals"], depth_keys="depth", zoom=(1, 1.2, 1.5))
    """

    def __init__(
        self,
        keys: KeysCollection,
        zoom: Sequence[float] = (1.0, 1.2, 1.5),
        linear_keys: KeysCollection = "image",
        depth_keys: KeysCollection = (),
        disparity_keys: KeysCollection = (),
        continuous: bool = False,
        prob: float = 1.0,
        image_key: str = "image",
        ignore_index: int = 255,
        label_keys: KeysCollection = (),
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.zoom = tuple(map(float, zoom))
        if not self.zoom or min(self.zoom) <= 0:
            raise ValueError(f"zoom must hold positive factors, got {zoom}.")
        if continuous and not (len(self.zoom) == 2 and self.zoom[0] <= self.zoom[1]):
            raise ValueError(f"With continuous, zoom must be (lowest, highest), got {zoom}.")
        some = {
            "linear_keys": linear_keys,
            "depth_keys": depth_keys,
            "disparity_keys": disparity_keys,
            "label_keys": label_keys,
        }
        for name, chosen in some.items():
            if not set(ensure_tuple(chosen)) <= set(self.keys):
                raise ValueError(f"{name} {ensure_tuple(chosen)} must be among the keys {self.keys}.")
        self.linear_keys, self.depth_keys, self.disparity_keys, self.label_keys = (
            frozenset(ensure_tuple(chosen)) for chosen in some.values()
        )
        self.continuous = continuous
        self.image_key = image_key
        self.ignore_index = ignore_index

    def randomize(self, data: Sequence[int]) -> None:
        """Draw the factor, and where a part of a sample of spatial size ``data`` starts, in voxels."""
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
        if key != self.image_key:
            is_label = key in self.label_keys or not values.is_floating_point()
            missing = self.ignore_index if is_label else torch.nan
            zoomed = zoomed.masked_fill(~_within(places, values.shape[1:]).to(values.device), missing)
        if key in self.depth_keys:
            return zoomed / self.factor
        return zoomed * self.factor if key in self.disparity_keys else zoomed


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
