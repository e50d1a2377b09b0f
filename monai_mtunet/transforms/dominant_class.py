"""One class per image from a label map: what most of it shows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from monai.utils import ensure_tuple_rep

__all__ = ["DominantClass", "DominantClassd"]


class DominantClass(Transform):
    """The class that covers most voxels of a label map, as the target of a `ClassificationTask`.

    Any segmentation data set so becomes one for classification, to train a trunk before it learns to segment.

    Args:
        labels: the labels that are classes, in the order of the task's classes: the background is usually none of
            them, so that class 0 is label 1.
        missing: the class of an image that has none of these labels.

    Raises:
        ValueError: When there is no label, or one comes twice.

    Example:
        >>> DominantClass(labels=[1, 2])(torch.tensor([[[0, 0, 0, 2, 2, 1, 255]]]))
        tensor([1])
    """

    def __init__(self, labels: Sequence[int], missing: int = -1) -> None:
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"labels must hold the label of each class once, got {list(labels)}.")
        self.labels = tuple(labels)
        self.missing = missing

    def __call__(self, img: torch.Tensor) -> torch.Tensor:
        """Find the class.

        Args:
            img: ``(1, *spatial)``, integers, in 2D and 3D.

        Returns:
            ``(1,)``, int64: the class's number, of equally frequent ones the first, or ``missing``.

        Raises:
            ValueError: When there is not one channel.
        """
        if len(img) != 1:
            raise ValueError(f"A label map has one channel, with class numbers; got shape {tuple(img.shape)}.")
        labels = torch.as_tensor(img)
        counts = [int((labels == label).sum()) for label in self.labels]
        most = max(counts)
        return torch.tensor([counts.index(most) if most else self.missing])


class DominantClassd(MapTransform):
    """Dictionary-based version of `DominantClass`.

    Place it after the label maps are loaded and mapped to classes, and before `FillMissingTargetsd`, which fills what
    a sample without a label map then lacks. What a random crop shows may be of another class than the image.

    Args:
        keys: keys of the label maps. They stay.
        new_keys: where to put the classes, one per key: the name of the task.
        labels: see `DominantClass`.
        missing: see `DominantClass`.
        allow_missing_keys: don't raise exception if key is missing.

    Example:
        >>> derive = DominantClassd("segment", "classify", labels=[1, 2, 3, 4])
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        labels: Sequence[int],
        missing: int = -1,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.new_keys = ensure_tuple_rep(new_keys, len(self.keys))
        self.find = DominantClass(labels, missing)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the classes to a sample."""
        sample = dict(data)
        for key, new_key in self.key_iterator(sample, self.new_keys):
            if sample[key] is not None:  # unlabeled on purpose, see `keep_labels`
                sample[new_key] = self.find(sample[key])
        return sample
