"""Boundaries of classes and instances: the edges that an annotation knows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, ensure_tuple_rep
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

__all__ = ["LabelBoundaryd"]

MODES = ("thick", "inner")


class LabelBoundaryd(MapTransform):
    """Where voxels are near one of another label, in 2D and 3D: the target of an `EdgeTask`.

    With a thickness of 1 they share a face with it. "thick" marks both sides, so that lines are two voxels wide;
    "inner" leaves out the background, and marks both sides only where two objects touch. (These are the modes of
    ``skimage.segmentation.find_boundaries``, which knows neither thickness nor missing labels.) With instances beside
    classes, two that touch have a boundary between them, even of one class.

    The result is ``(1, *spatial)``, int16: 1 for boundaries, 0, or ``ignore_index``, with the affine of the label map.
    Voxels without a label are ``ignore_index`` in the result, and are no neighbors of another label: whether there is
    a boundary behind them is not known. Where an instance alone is missing, or a sample lacks them
    all, boundaries of classes stay and all else is ``ignore_index``. The image's border is no boundary.

    Args:
        keys: keys of the label maps ``(1, *spatial)``, integers, classes or instances. They stay; of one that is None
            nothing is made.
        new_keys: where to put the boundaries, one per key: the name of the task.
        instance_key: key of an instance map beside the classes, whose boundaries are added.
        thickness: how near in voxels, Euclidean, from 1 on; one number or one per axis. 0 along an axis looks at no
            neighbors there: ``(1, 1, 0)`` marks thick slices each by itself, of which neighbors seldom agree.
        mode: "thick" or "inner".
        background: the label that "inner" leaves out.
        ignore_index: the label of voxels that have none, here and in the result. Negative labels, as -1 in instance
            maps, are always missing.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the mode is another, or no thickness is 1 or more, or one is between 0 and 1; of a sample, when
            there is not one channel, or instances have another size.

    Example:
        >>> sample = {"segment": torch.tensor([[[0, 0, 0, 1, 1, 1, 255]]])}
        >>> LabelBoundaryd("segment", "edges")(sample)["edges"]
        tensor([[[  0,   0,   1,   1,   0,   0, 255]]], dtype=torch.int16)
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        instance_key: str | None = None,
        thickness: float | Sequence[float] = 1,
        mode: str = "thick",
        background: int = 0,
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.new_keys = ensure_tuple_rep(new_keys, len(self.keys))
        self.instance_key = instance_key
        if mode not in MODES:
            raise ValueError(f"mode must be one of {MODES}, got {mode!r}.")
        sizes = np.atleast_1d(np.asarray(thickness, float))
        if sizes.max() < 1 or ((sizes != 0) & (sizes < 1)).any():
            raise ValueError(f"thickness must be 1 or more voxels, or 0 along some axes, got {thickness}.")
        self.thickness = thickness
        self.mode = mode
        self.background = background
        self.ignore_index = ignore_index

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the boundaries to a sample."""
        sample = dict(data)
        for key, new_key in self.key_iterator(sample, self.new_keys):
            if sample[key] is None:
                continue
            edges = self._find(sample[key])
            if self.instance_key is not None:
                absent = self.allow_missing_keys and self.instance_key not in sample
                edges = self._with_instances(edges, sample[key], None if absent else sample[self.instance_key])
            sample[new_key] = convert_to_dst_type(edges[None], dst=sample[key], dtype=torch.int16)[0]
        return sample

    def _with_instances(
        self, edges: NDArray[np.int16], labels: torch.Tensor, instances: torch.Tensor | None
    ) -> NDArray[np.int16]:
        if instances is None:
            between = np.full_like(edges, self.ignore_index)
        elif instances.shape == labels.shape:
            between = self._find(instances)
        else:
            raise ValueError(f"Labels {tuple(labels.shape)} and instances {tuple(instances.shape)} differ in size.")
        # A boundary of classes is one whatever the instances are, but not the other way round.
        return np.where((edges == 1) | (edges == self.ignore_index), edges, between)

    def _find(self, values: torch.Tensor) -> NDArray[np.int16]:
        if len(values) != 1:
            raise ValueError(f"A label map has one channel, with class numbers; got shape {tuple(values.shape)}.")
        labels = torch.as_tensor(values)[0].cpu().numpy().astype(np.int64)
        missing = (labels == self.ignore_index) | (labels < 0)
        nearby = _ball(ensure_tuple_rep(self.thickness, labels.ndim))
        # Missing labels exceed no other; a reflected one is that of a voxel which is nearer still.
        highest = maximum_filter(np.where(missing, labels.min(), labels), footprint=nearby, mode="reflect")
        lowest = minimum_filter(np.where(missing, labels.max(), labels), footprint=nearby, mode="reflect")
        boundary = (highest > labels) | (lowest < labels)
        if self.mode == "inner":
            boundary &= labels != self.background
        return np.where(missing, self.ignore_index, boundary).astype(np.int16)


def _ball(radii: Sequence[float]) -> NDArray[np.bool_]:
    """The offsets within an ellipsoid of these radii in voxels; a radius of 0 allows none along its axis."""
    offsets = np.meshgrid(*(np.arange(-int(radius), int(radius) + 1) for radius in radii), indexing="ij")
    squares = [(offset / max(radius, 1)) ** 2 for offset, radius in zip(offsets, radii, strict=True)]
    return np.asarray(np.sum(squares, axis=0) <= 1 + 1e-9)
