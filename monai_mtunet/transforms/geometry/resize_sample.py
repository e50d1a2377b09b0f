"""Resizing that mixes voxels of the image alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.transforms import Resized
from monai.utils import convert_data_type

from ..declared_tasks import DeclaredTasks
from ..sample_description import check_same_size

__all__ = ["ResizeSampled"]


class ResizeSampled(Resized):
    """Resize an image and all its targets: the image by the mean over areas, targets by their nearest voxel.

    In between labels there is none, and a mean with NaN would lose more than the missing voxel. It is MONAI's
    ``Resized``, inverse included, except that targets keep their type: MONAI makes floats of labels. Targets that a
    sample lacks are passed by.

    Depth keeps its values: an image that is resampled is not nearer. Distances in voxels do not fit afterwards; make
    them of the resized labels.

    Args:
        tasks: the declared tasks.
        spatial_size: size to reach in voxels, per axis; what is not positive stays as it is.
        image_key: key of the image.

    Example:
        >>> tasks = TaskList([SegmentationTask("segment", ["background", "cell"])])
        >>> sample = {"image": torch.rand(3, 8, 8), "segment": torch.ones(1, 8, 8, dtype=torch.int16)}
        >>> ResizeSampled(tasks, [2, 4])(sample)["segment"].dtype
        torch.int16
    """

    def __init__(self, tasks: DeclaredTasks, spatial_size: Sequence[int] | int, image_key: str = "image") -> None:
        # Of all declared tasks, since targets may still be made of those that are not trained.
        targets = tasks.declared.spatial_names
        modes = ["area", *["nearest-exact"] * len(targets)]
        super().__init__((image_key, *targets), spatial_size, mode=modes, allow_missing_keys=True)

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """Resize a sample.

        Raises:
            ValueError: When a target has another size than the image: it would be stretched to fit in silence.
        """
        for key in self.keys[1:]:
            if key in data and self.keys[0] in data:
                check_same_size(self.keys[0], data[self.keys[0]], key, data[key])
        sample: dict[Hashable, Any] = super().__call__(data, lazy)
        for key in self.keys[1:]:
            if key in sample:
                sample[key] = convert_data_type(sample[key], dtype=data[key].dtype)[0]
        return sample
