"""Give every sample every target, missing where it has none, so that batches can be made of any samples."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type

from ..declared_tasks import DeclaredTasks

__all__ = ["FillMissingTargetsd"]


class FillMissingTargetsd(MapTransform):
    """Fill the targets that a sample lacks with missing voxels: ignored labels, or NaN.

    What it fills has the image's size, type, affine and meta data, so it goes through augmentation, caches and
    collation as a target does; losses, metrics and panels skip it. Place it after the targets are made, and before
    anything random: `LoadSampled` leaves out what a sample lacks, and nothing is made of it.

    Targets of the whole image, such as a class or a box, are ``(C,)``. Present ones become tensors of the missing
    one's type: data lists give plain numbers, which do not collate with filled ones.

    Args:
        tasks: the declared tasks, whose targets are filled where they are absent or None.
        image_key: key of the image.

    Example:
        >>> fill = FillMissingTargetsd(TaskList([SegmentationTask("segment", ["background", "cell"])]))
        >>> fill({"image": torch.rand(3, 64, 64), "segment": None})["segment"].unique()
        tensor([255], dtype=torch.int16)
    """

    def __init__(self, tasks: DeclaredTasks, image_key: str = "image") -> None:
        super().__init__(tasks.names)
        self.dense_names = frozenset(tasks.dense_names)
        self.missing = tasks.missing_values
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Fill what the sample lacks.

        Raises:
            ValueError: When the sample has no image, whose size is needed.
        """
        sample = dict(data)
        for name, missing in self.missing.items():
            present = sample.get(name)
            if name not in self.dense_names:
                sample[name] = missing.clone() if present is None else _vector(present, missing.dtype)
            elif present is None:
                sample[name] = self._voxels(name, missing, sample)
        return sample

    def _voxels(self, name: str, missing: torch.Tensor, sample: Mapping[Hashable, Any]) -> torch.Tensor:
        image = sample.get(self.image_key)
        if image is None:
            raise ValueError(f"{name} cannot be filled: the sample has no {self.image_key!r}, only {list(sample)}.")
        size = image.shape[1:]
        target = missing.view(-1, *[1] * len(size)).expand(-1, *size).contiguous()
        result: torch.Tensor = convert_to_dst_type(target, dst=image, dtype=missing.dtype)[0]
        return result


def _vector(present: Any, dtype: torch.dtype) -> torch.Tensor:
    """A target of the whole image; a box that `PaintBoxd` painted is a mask, and stays one."""
    if isinstance(present, torch.Tensor) and present.ndim > 1:
        return present
    return torch.as_tensor(present, dtype=dtype).view(-1)
