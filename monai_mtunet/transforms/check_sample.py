"""Check, right after loading, that a sample is what the configuration says."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ensure_tuple

__all__ = ["CheckSampled"]


class CheckSampled(MapTransform):
    """Check the sizes, dimensions, channels and class numbers of a loaded sample, and change nothing.

    Place it after the labels are mapped to classes and before anything random, so that it runs once per sample where
    there is a cache, and a mistake shows as an error that names the file rather than as a crash in a loss.

    Args:
        spatial_dims: 2 or 3, as the network's.
        label_classes: number of classes of every label key: its values must be 0 .. classes - 1 or ``ignore_index``.
        target_keys: keys of the other targets, which only have to match the image's size.
        image_key: key of the image.
        in_channels: channels of the image, as the network's. Default: not checked.
        ignore_index: label of voxels that do not count.
        allow_missing_keys: don't raise exception if key is missing.
        image_classes: number of classes of every key that holds one label for the whole image. It may be among the
            target keys as well.
        image_ignore_index: label of images that have none.

    Example:
        >>> check = CheckSampled(spatial_dims=2, label_classes={"segment": 11}, in_channels=3)
    """

    def __init__(
        self,
        spatial_dims: int,
        label_classes: Mapping[str, int] | None = None,
        target_keys: KeysCollection = (),
        image_key: str = "image",
        in_channels: int | None = None,
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
        image_classes: Mapping[str, int] | None = None,
        image_ignore_index: int = -1,
    ) -> None:
        self.label_classes = dict(label_classes or {})
        self.image_classes = dict(image_classes or {})
        dense_keys = (*self.label_classes, *ensure_tuple(target_keys))
        super().__init__((image_key, *dense_keys, *self.image_classes), allow_missing_keys)
        self.spatial_dims = spatial_dims
        self.image_key = image_key
        self.in_channels = in_channels
        self.ignore_index = ignore_index
        self.image_ignore_index = image_ignore_index

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample as it is.

        Raises:
            ValueError: When the image has other dimensions or channels than configured, a target another size than
                the image, a label map another number of channels than one or a value that is no class, or an image
                another label than one class.
        """
        sample = dict(data)
        image = sample[self.image_key]
        self._check_image(image)
        for key in self.key_iterator(sample):
            target = sample[key]
            if key in self.image_classes:
                self._check_image_label(key, target, image)
                continue
            if target.shape[1:] != image.shape[1:]:
                raise ValueError(
                    f"{_describe(self.image_key, image)} and {_describe(key, target)} differ in size. A sample's "
                    "files must belong together and have the same size: check the data list, or resample one of them."
                )
            if key in self.label_classes:
                self._check_labels(key, target)
        return sample

    def _check_image(self, image: torch.Tensor) -> None:
        dims = image.ndim - 1
        if dims != self.spatial_dims:
            remedy = "add the bundle's overlay for volumes, or " if dims == 3 else ""
            raise ValueError(
                f"{_describe(self.image_key, image)} has {dims} spatial dimensions, but spatial_dims is "
                f"{self.spatial_dims}: {remedy}set spatial_dims to {dims}."
            )
        if self.in_channels not in (None, len(image)):
            raise ValueError(
                f"{_describe(self.image_key, image)} has {len(image)} channels, but in_channels is {self.in_channels}: "
                "convert the image (the reader of LoadSampled can), or build the network for its channels."
            )

    def _check_labels(self, key: Hashable, labels: torch.Tensor) -> None:
        classes = self.label_classes[str(key)]
        if len(labels) != 1:
            raise ValueError(
                f"{_describe(key, labels)} has {len(labels)} channels, but a label map has one, with class numbers: "
                "convert colors or one-hot channels first."
            )
        wrong = labels[((labels < 0) | (labels >= classes)) & (labels != self.ignore_index)]
        if len(wrong):
            raise ValueError(
                f"{_describe(key, labels)} holds {sorted(set(wrong.tolist()))[:10]}, but its {classes} classes are "
                f"0..{classes - 1} and {self.ignore_index} is ignored: map the labels first (MapLabelValued), or "
                "change the number of classes."
            )

    def _check_image_label(self, key: Hashable, label: Any, image: torch.Tensor) -> None:
        classes = self.image_classes[str(key)]
        values = torch.as_tensor(label).flatten().tolist()
        if len(values) != 1 or values[0] not in (*range(classes), self.image_ignore_index):
            raise ValueError(
                f"{key} of {_describe(self.image_key, image)} is {values}, but it must be one of its {classes} "
                f"classes, 0..{classes - 1}, or {self.image_ignore_index} for none: correct the data list, or change "
                "the number of classes."
            )


def _describe(key: Hashable, values: torch.Tensor) -> str:
    """Name a value for the user: its key, file and size."""
    file = getattr(values, "meta", {}).get("filename_or_obj", "in memory")
    return f"{key} ({file}, {' x '.join(map(str, values.shape[1:]))})"
