"""Load the files of a sample, in the package's axis order, with errors that name the file."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import ImageReader, PILReader
from monai.transforms import LoadImage, MapTransform
from monai.utils import ensure_tuple

from ..declared_tasks import DeclaredTasks

__all__ = ["LoadSampled"]


class LoadSampled(MapTransform):
    """Load images, regression targets and label maps from their files, channel first.

    It is MONAI's ``LoadImage`` with three differences. 2D images are ``(C, H, W)``, where MONAI gives ``(C, W, H)``
    (volumes are ``(C, X, Y, Z)`` and keep their affine in both). Label maps become integers, and only if they
    hold nothing else, since a cast would turn NaN into class 0 and 1.5 into class 1. And whatever a reader
    raises for a damaged file, the error names the file.

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
        reader: reader to try first for its file types, e.g. one that converts images to RGB. Default:
            ``PILReader(reverse_indexing=False)``.
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
        self.optional_files = frozenset(ensure_tuple(optional_files))
        for name, some in (("label_keys", self.label_keys), ("optional_files", self.optional_files)):
            if not some <= set(self.keys):
                raise ValueError(f"{name} {sorted(map(str, some))} must be among the keys {self.keys}.")
        self.load = LoadImage(ensure_channel_first=True)
        self.load.register(reader or PILReader(reverse_indexing=False))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the paths of a sample by what their files hold.

        Raises:
            FileNotFoundError: When a file does not exist.
            OSError: When a file cannot be read.
            ValueError: When a label map holds anything but integers that fit 16 bits.
        """
        sample = dict(data)
        for key in self.key_iterator(sample):
            path = sample[key]
            if isinstance(path, (torch.Tensor, np.ndarray)):
                continue  # painted, not loaded
            del sample[key]
            if path is not None and not (key in self.optional_files and _missing(path)):
                sample[key] = self._read(key, path)
        return sample

    def _read(self, key: Hashable, path: Any) -> torch.Tensor:
        if missing := _missing(path):
            raise FileNotFoundError(f"{key}: {', '.join(missing)} does not exist.")
        try:
            values: torch.Tensor = self.load(path)
        except Exception as error:  # each format's reader has exceptions of its own
            raise OSError(
                f"{key}: {path} cannot be read. It is truncated, corrupt or not an image; replace the file. "
                f"The reader said: {type(error).__name__}: {error}"
            ) from error
        return _as_labels(key, path, values) if key in self.label_keys else values


def _missing(path: Any) -> list[str]:
    """Those of the files that do not exist."""
    return [str(file) for file in ensure_tuple(path) if not Path(file).expanduser().exists()]


def _as_labels(key: Hashable, path: Any, values: torch.Tensor) -> torch.Tensor:
    labels = values.to(torch.int16)
    wrong = values[labels != values]  # NaN, fractions and overflows all differ from their cast
    if len(wrong):
        examples = ", ".join(sorted({f"{value:g}" for value in wrong.tolist()})[:5])
        raise ValueError(
            f"{key}: {path} is not a label map, it holds {examples}, where whole numbers from -32768 to 32767 are "
            "expected. A regression target does not belong in label_keys; a resampled label map was interpolated."
        )
    return labels
