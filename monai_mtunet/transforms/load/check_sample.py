"""Check, right after loading, that a sample is what the configuration says."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import MapTransform

from ..declared_tasks import DeclaredTasks
from ..grids import check_same_grid
from ..sample_description import check_same_size, describe, file_of

__all__ = ["CheckSampled"]

_ONTO_THE_GRID = (
    'Add {"_target_": "ResampleSampled", "tasks": "@active_tasks"} at the end of "load": it brings targets onto the '
    "image's grid. If the voxels do fit and only a header is wrong, give the file the other's affine."
)

_CHANNELS = (2, 3, 4)  # of pictures; no volume is as thin


class CheckSampled(MapTransform):
    """Check the sizes, places, dimensions, channels and class numbers of a loaded sample, and change nothing.

    Place it after the labels are mapped to classes and before anything random, so that it runs once per sample where
    there is a cache, and a mistake shows as an error that names the file rather than as a crash in a loss.

    Args:
        spatial_dims: 2 or 3, as the network's.
        in_channels: channels of the image, as the network's. Default: not checked.
        tasks: the declared tasks. Dense targets must have the image's size and, where both files say it (NIfTI does,
            PNG does not), lie in its place, within 0.1 voxels; labels must be 0 .. classes - 1, or what is missing for
            their task. Default: only the image is checked.
        image_key: key of the image.
        allow_missing_keys: don't raise exception if key is missing.

    Example:
        >>> check = CheckSampled(2, in_channels=3, tasks=TaskList([SegmentationTask("segment", ["road", "car"])]))
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int | None = None,
        tasks: DeclaredTasks | None = None,
        image_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        self.label_classes = {} if tasks is None else tasks.label_classes
        self.image_classes = {} if tasks is None else tasks.image_classes
        self.missing = {} if tasks is None else tasks.missing_values
        dense_names = () if tasks is None else tasks.dense_names
        super().__init__((image_key, *dense_names, *self.image_classes), allow_missing_keys)
        self.spatial_dims = spatial_dims
        self.image_key = image_key
        self.in_channels = in_channels

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample as it is.

        Raises:
            ValueError: When the image has other dimensions or channels than configured, a target another size or
                place than the image, a label map another number of channels than one or a value that is no class, or
                an image another label than one class.
        """
        sample = dict(data)
        image = sample[self.image_key]
        self.check_image(image)
        for key in self.key_iterator(sample):
            target = sample[key]
            if key in self.image_classes:
                self._check_image_label(key, target, image)
                continue
            check_same_size(self.image_key, image, key, target)
            check_same_grid(self.image_key, image, key, target, _ONTO_THE_GRID)
            if key in self.label_classes:
                self._check_labels(key, target)
        return sample

    def check_image(self, image: torch.Tensor) -> None:
        """Check the image's dimensions and channels, for which its values are not looked at.

        Raises:
            ValueError: When they are others than configured; it names the file.
        """
        dims = image.ndim - 1
        if dims not in (2, 3):
            raise ValueError(
                f"{describe(self.image_key, image)} has {dims} spatial dimensions, but there are networks for 2 and 3: "
                "save each volume of a series as a file of its own, or its volumes as the channels of one "
                "(four dimensions, channels last)."
            )
        if dims != self.spatial_dims:
            raise ValueError(
                f"{describe(self.image_key, image)} has {dims} spatial dimensions, but spatial_dims is "
                f"{self.spatial_dims}: {_remedy_of_dims(image, dims)}."
            )
        if self.in_channels not in (None, len(image)):
            raise ValueError(
                f"{describe(self.image_key, image)} has {len(image)} channels, but in_channels is {self.in_channels}: "
                "convert the image (the reader of LoadSampled can), or build the network for its channels."
            )

    def _check_labels(self, key: Hashable, labels: torch.Tensor) -> None:
        classes, missing = self.label_classes[str(key)], int(self.missing[str(key)])
        if len(labels) != 1:
            raise ValueError(
                f"{describe(key, labels)} has {len(labels)} channels, but a label map has one, with class numbers: "
                "convert colors or one-hot channels first."
            )
        wrong = labels[((labels < 0) | (labels >= classes)) & (labels != missing)]
        if len(wrong):
            raise ValueError(
                f"{describe(key, labels)} holds {sorted(set(wrong.tolist()))[:10]}, but its {classes} classes are "
                f'0..{classes - 1} and {missing} is ignored: map them (a SegmentationTask\'s "labels", or '
                "MapLabelValued), or change the number of classes."
            )

    def _check_image_label(self, key: Hashable, label: Any, image: torch.Tensor) -> None:
        classes, missing = self.image_classes[str(key)], int(self.missing[str(key)])
        values = torch.as_tensor(label).flatten().tolist()
        if len(values) != 1 or values[0] not in (*range(classes), missing):
            raise ValueError(
                f"{key} of {describe(self.image_key, image)} is {values}, but it must be one of its {classes} "
                f"classes, 0..{classes - 1}, or {missing} for none: correct the data list, or change "
                "the number of classes."
            )


def _remedy_of_dims(image: torch.Tensor, dims: int) -> str:
    remedy = f"set spatial_dims to {dims}"
    if dims == 2:
        return remedy
    if file_of(image).lower().endswith((".npy", ".npz")) and min(image.shape[1], image.shape[-1]) in _CHANNELS:
        return (
            "three axes in a .npy are those of a volume, (X, Y, Z). Save an image of several channels as a picture or "
            f"TIFF, or each channel in a file of its own; for a volume add the bundle's overlay for volumes, or "
            f"{remedy}"
        )
    return f"add the bundle's overlay for volumes, or {remedy}"
