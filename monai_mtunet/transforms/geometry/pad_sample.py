"""Padding whose new voxels are the edge in the image, and missing in targets."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.transforms import BorderPad, Padd, SpatialPad

from ..declared_tasks import DeclaredTasks, missing_fills

__all__ = ["PadSampled"]


class PadSampled(Padd):
    """Pad an image and all its targets: the image continues by its edge, and targets are missing there.

    MONAI's ``SpatialPad`` or ``BorderPad`` does it, with another value for each target: ``ignore_index`` of labels,
    NaN of all else, and never class 0 or depth 0. Targets that a sample lacks are passed by. It can be inverted.

    Args:
        tasks: the declared tasks.
        spatial_size: size to reach in voxels, per axis; larger samples stay as they are.
        border: instead of it, how many voxels to add on every side; one number, or as MONAI's ``BorderPad`` takes them.
        image_key: key of the image.

    Raises:
        ValueError: When neither a size nor a border is given, or both.

    Example:
        >>> tasks = TaskList([SegmentationTask("segment", ["background", "cell"])])
        >>> sample = {"image": torch.ones(1, 1, 2), "segment": torch.ones(1, 1, 2, dtype=torch.int16)}
        >>> PadSampled(tasks, spatial_size=[1, 4])(sample)["segment"]
        metatensor([[[255,   1,   1, 255]]], dtype=torch.int16)
    """

    def __init__(
        self,
        tasks: DeclaredTasks,
        spatial_size: Sequence[int] | int | None = None,
        border: Sequence[int] | int = 0,
        image_key: str = "image",
    ) -> None:
        if (spatial_size is None) == (border == 0):
            raise ValueError(f"Give either spatial_size or border, got {spatial_size} and {border}.")
        padder = BorderPad(border) if spatial_size is None else SpatialPad(spatial_size)
        # Of all declared tasks, since targets may still be made of those that are not trained.
        self.fills = missing_fills(tasks.declared)
        modes = ["edge", *["constant"] * len(self.fills)]
        super().__init__((image_key, *self.fills), padder, modes, allow_missing_keys=True)

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """Pad a sample."""
        sample = dict(data)
        for key, mode in self.key_iterator(sample, self.mode):
            value: dict[str, Any] = {"value": self.fills[key]} if key in self.fills else {}
            sample[key] = self.padder(sample[key], mode=mode, lazy=self.lazy if lazy is None else lazy, **value)
        return sample
