"""Volumes to one spacing, so that a voxel has the same length in all of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.transforms import Spacingd
from monai.utils import convert_data_type

from ..declared_tasks import DeclaredTasks
from ..sample_description import check_same_size

__all__ = ["SpaceSampled"]


class SpaceSampled(Spacingd):
    """Bring an image and all its targets to a spacing: the image linearly, targets by their nearest voxel.

    In between labels there is none, and a mean with NaN would lose more than the missing voxel. It is MONAI's
    ``Spacingd``, inverse included, so that predictions are saved on the file's own grid, except that targets keep their
    type: MONAI makes floats of labels. All voxels outside the image continue its edge, of which there is half a voxel
    at most. What has that spacing already stays as it is, bit for bit. Targets that a sample lacks are passed by.

    Distances in voxels do not fit afterwards; make them of the resampled labels.

    Args:
        tasks: the declared tasks.
        spacing: length of a voxel along each axis, in the unit of the files; what is not positive stays as it is.
        image_key: key of the image.

    Example:
        >>> load = [LoadSampled(tasks=tasks), SpaceSampled(tasks, [0.8, 0.8, 2.5])]
    """

    def __init__(self, tasks: DeclaredTasks, spacing: Sequence[float], image_key: str = "image") -> None:
        # Of all declared tasks, since targets may still be made of those that are not trained.
        targets = tasks.declared.spatial_names
        modes = ["bilinear", *["nearest"] * len(targets)]
        super().__init__(
            (image_key, *targets), pixdim=spacing, mode=modes, padding_mode="border", allow_missing_keys=True
        )

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """Resample a sample.

        Raises:
            ValueError: When a target has another size than the image: it would be moved in silence.
        """
        for key in self.keys[1:]:
            if key in data and self.keys[0] in data:
                check_same_size(self.keys[0], data[self.keys[0]], key, data[key])
        sample: dict[Hashable, Any] = super().__call__(dict(data), lazy)
        for key in self.keys[1:]:
            if key in sample:
                sample[key] = convert_data_type(sample[key], dtype=data[key].dtype)[0]
        return sample
