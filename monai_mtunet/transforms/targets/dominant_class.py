"""One class per image from a label map: what most of it shows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.config import KeysCollection

from .make_target import MakeTarget

__all__ = ["DominantClassd"]


class DominantClassd(MakeTarget):
    """The class that covers most voxels of a label map, as the target of a `ClassificationTask`.

    Any segmentation data set so becomes one for classification, to train a trunk before it learns to segment.

    Place it after the label maps are loaded and mapped to classes. A class is ``(1,)``, int64: its number, of equally
    frequent ones the first, or ``missing``. What a random crop shows may be of another class than the image.

    Args:
        keys: keys of the label maps ``(1, *spatial)``, integers, in 2D and 3D. They stay.
        new_keys: where to put the classes, one per key: the name of the task.
        labels: the labels that are classes, in the order of the task's classes: the background is usually none of
            them, so that class 0 is label 1.
        missing: the class of an image that has none of these labels.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When there is no label, or one comes twice; of a sample, when there is not one channel.

    Example:
        >>> sample = {"segment": torch.tensor([[[0, 0, 0, 2, 2, 1, 255]]])}
        >>> DominantClassd("segment", "classify", labels=[1, 2])(sample)["classify"]
        tensor([1])
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        labels: Sequence[int],
        missing: int = -1,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, new_keys, allow_missing_keys)
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"labels must hold the label of each class once, got {list(labels)}.")
        self.labels = tuple(labels)
        self.missing = missing

    def make(self, source: torch.Tensor) -> torch.Tensor:
        """The class of a label map."""
        if len(source) != 1:
            raise ValueError(f"A label map has one channel, with class numbers; got shape {tuple(source.shape)}.")
        labels = torch.as_tensor(source)
        counts = [int((labels == label).sum()) for label in self.labels]
        most = max(counts)
        return torch.tensor([counts.index(most) if most else self.missing])
