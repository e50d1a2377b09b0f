"""Load the files of a sample, in the package's axis order, with errors that name the file."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import ImageReader
from monai.transforms import MapTransform
from monai.utils import ensure_tuple

from ..declared_tasks import DeclaredTasks
from .label_map import as_label_map
from .read_image import ReadImage

__all__ = ["LoadSampled"]


class LoadSampled(MapTransform):
    """Load images, regression targets and label maps from their files, channel first.

    It is MONAI's ``LoadImage`` with four differences. 2D images are ``(C, H, W)`` as displayed, of all formats, where
    MONAI gives ``(C, W, H)`` (volumes are ``(C, X, Y, Z)`` and keep their affine in both). Label maps become integers,
    and only if they hold nothing else, since a cast would turn NaN into class 0 and 1.5 into class 1; 1.00001, which
    scaled headers give, is 1. Where a task declares the ``labels`` of its files, these become class numbers. And
    whatever a reader raises for a damaged file, the error names the file.

    Several files of one key are the channels of one image, in their order: ``["t1.nii.gz", "t2.nii.gz"]``.

    What is a tensor or an array already, such as a painted target, is passed by. A target that a sample lacks on
    purpose is left out, for `FillMissingTargetsd` to fill: its path is None (``null`` in a JSON list), or its file does
    not exist and its key is among ``optional_files``.

    Args:
        keys: keys of the files; by default the image's and those of the dense ``tasks``. Images and regression targets
            become float32 with the values of the file, so 0-255 for 8-bit images.
        label_keys: those of ``keys`` that are label maps, stored as integers or as integer-valued floats. They become
            int16, which holds every class number and the ignore index, and costs a cache little. By default those of
            ``tasks``.
        tasks: the declared tasks, whose targets are loaded where a sample has them, those that are not trained
            included: other targets may be made of them.
        reader: reader to try first for its file types, such as ``PictureReader("RGB")``. Default: ``PictureReader()``.
        allow_missing_keys: don't raise exception if key is missing. With ``tasks`` none is raised anyway.
        optional_files: those of ``keys`` whose file may be missing.

    Raises:
        ValueError: When there are neither keys nor tasks, or a label key or an optional one is not among the keys.

    Example:
        >>> load = LoadSampled(tasks=TaskList([SegmentationTask("segment", ["road", "car"])]))
        >>> load({"image": "train/0001TP_006690.jpg", "segment": "trainannot/0001TP_006690.png"})
    """

    def __init__(
        self,
        keys: KeysCollection | None = None,
        label_keys: KeysCollection | None = None,
        tasks: DeclaredTasks | None = None,
        reader: ImageReader | None = None,
        allow_missing_keys: bool = False,
        optional_files: KeysCollection = (),
    ) -> None:
        if keys is None:
            if tasks is None:
                raise ValueError("Give the keys to load, or the tasks.")
            keys = ("image", *tasks.declared.dense_names)
        super().__init__(keys, allow_missing_keys or tasks is not None)
        if label_keys is None:
            label_keys = () if tasks is None else [key for key in tasks.declared.label_classes if key in self.keys]
        self.label_keys = frozenset(ensure_tuple(label_keys))
        self.class_of_label = {} if tasks is None else tasks.declared.class_of_label
        self.optional_files = frozenset(ensure_tuple(optional_files))
        for name, some in (("label_keys", self.label_keys), ("optional_files", self.optional_files)):
            if not some <= set(self.keys):
                raise ValueError(f"{name} {sorted(map(str, some))} must be among the keys {self.keys}.")
        self.reader = reader
        self.read = ReadImage(reader)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the paths of a sample by what their files hold.

        Raises:
            FileNotFoundError: When a file does not exist.
            OSError: When a file cannot be read.
            ValueError: When a label map holds anything but whole numbers, or a number that is none of its
                task's ``labels``; when files of one key differ in size or place.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            path = sample[key]
            if isinstance(path, (torch.Tensor, np.ndarray)):
                continue  # painted, not loaded
            del sample[key]
            if path is not None and not (key in self.optional_files and _missing(path)):
                values = self.read(key, path)
                if key in self.label_keys:
                    values = as_label_map(key, path, values, self.class_of_label.get(str(key), {}))
                sample[key] = values
        return sample


def _missing(path: Any) -> list[str]:
    """Those of the files that do not exist."""
    return [str(file) for file in ensure_tuple(path) if not Path(file).expanduser().exists()]
