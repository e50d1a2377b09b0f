"""Instances as what is connected in a label map, for data without instances of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.config import KeysCollection
from monai.utils import convert_to_dst_type
from scipy.ndimage import generate_binary_structure, label

from .make_target import MakeTarget

__all__ = ["LabelComponentsd"]


class LabelComponentsd(MakeTarget):
    """Number the connected pieces (by faces) of the labels of a map, in 2D and 3D: the target of an `InstanceTask`.

    Of cells between membranes, and of whatever does not touch its like, these are the instances: ``(1, *spatial)``,
    int32, 0 for none, 1, 2, ... without gaps, -1 where labels are missing.

    Args:
        keys: keys of the label maps ``(1, *spatial)``, integers. They stay.
        new_keys: where to put the instances, one per key: the name of the task.
        labels: the labels that have instances, each or each list of them for itself; by default every label but 0.
        min_size: pieces of fewer voxels are no instances, 0.
        slice_axis: of volumes, the spatial axis whose slices are numbered each by itself: of thick slices neighbors
            may connect what does not belong together.
        ignore_index: the label of voxels that have none; they are -1 in the result.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: Of a sample, when a label map has not one channel.

    Example:
        >>> sample = {"segment": torch.tensor([[[1, 1, 0, 1, 2, 255]]])}
        >>> LabelComponentsd("segment", "instances")(sample)["instances"]
        tensor([[[ 1,  1,  0,  2,  3, -1]]], dtype=torch.int32)
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        labels: Sequence[int | Sequence[int]] | None = None,
        min_size: int = 0,
        slice_axis: int | None = None,
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, new_keys, allow_missing_keys)
        self.labels = labels
        self.min_size = min_size
        self.slice_axis = slice_axis
        self.ignore_index = ignore_index

    def make(self, source: torch.Tensor) -> torch.Tensor:
        """The instances of a label map."""
        if len(source) != 1:
            raise ValueError(f"A label map has one channel, with class numbers; got shape {tuple(source.shape)}.")
        values = torch.as_tensor(source)[0].cpu().numpy()
        missing = values == self.ignore_index
        every: list[int] = sorted(set(np.unique(values).tolist()) - {0, self.ignore_index})
        # scikit-image's label knows no neighborhood without one of the axes, which thick slices need.
        neighbors = generate_binary_structure(values.ndim, 1)
        if self.slice_axis is not None:
            neighbors = np.moveaxis(neighbors, self.slice_axis, 0).copy()
            neighbors[[0, 2]] = False
            neighbors = np.moveaxis(neighbors, 0, self.slice_axis)
        instances = np.zeros(values.shape, dtype=np.int32)
        for chosen in every if self.labels is None else self.labels:
            pieces, count = label(np.isin(values, chosen) & ~missing, neighbors)
            sizes = np.bincount(pieces.ravel(), minlength=count + 1)
            kept = (sizes >= self.min_size) & (np.arange(count + 1) > 0)
            numbers = np.where(kept, kept.cumsum() + instances.max(), 0)
            instances += numbers[pieces].astype(np.int32)
        instances[missing] = -1
        result: torch.Tensor = convert_to_dst_type(instances[None], dst=source, dtype=torch.int32)[0]
        return result
