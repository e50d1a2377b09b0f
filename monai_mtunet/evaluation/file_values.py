"""What files of predictions and targets hold, on one grid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, InvertibleTransform, LazyTrait, Transposed
from monai.utils import ImageMetaKey, MetaKeys
from numpy.typing import NDArray
from torch import Tensor

from ..files import open_image
from ..inferers.slabs import slabs
from ..inferers.window_grid import Box, all_channels
from ..tasks import SavedAs, Task
from ..transforms.grids import check_same_grid
from ..transforms.load.label_map import as_label_map
from .label_steps import label_steps

__all__ = ["FileValues"]

_COPIES = 6  # of the files' values, float32, while they are read and compared


class FileValues:
    """Reads predictions, and targets of the same grid, as metrics take them.

    Intensities are compared in the units that the network knows: where a bundle scales each image by its own range,
    both are scaled by that of the target.

    Args:
        spatial_dims: 2 or 3.
        preprocessing: the bundle's, of which what scales intensities is taken; None where files are in its units.
        map_labels: whether files of targets hold what the preprocessing makes class numbers of (`label_steps`).
    """

    def __init__(self, spatial_dims: int, preprocessing: Compose | None = None, map_labels: bool = False) -> None:
        self.spatial_dims = spatial_dims
        self.preprocessing = preprocessing
        self.map_labels = map_labels
        steps = [] if preprocessing is None else preprocessing.flatten().transforms
        # Spatial ones are lazy in MONAI, and undone in files.
        undone: list[Any] = [step for step in steps if isinstance(step, InvertibleTransform)]
        self._scaling = [step for step in undone if not isinstance(step, LazyTrait | Transposed)]

    def read(self, task: Task, prediction: Path, target: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """Read a prediction and its target.

        Args:
            task: whose they are.
            prediction: its file.
            target: its file, or one per channel; of tasks of whole images the numbers, too.

        Returns:
            The prediction (1, C, *spatial), or (1, C), as a network's that is measured alike; and the prepared target.

        Raises:
            OSError: When a file cannot be read.
            ValueError: When they differ in size or place, or hold what this task cannot have.
        """
        if not task.is_dense:
            return task.undo_postprocess(_vector(task, prediction))[None], task.prepare_target(_target(task, target))
        predicted, expected = self._open([str(prediction)]), self._open(target)
        _check_same_place(predicted, expected)
        return self._pair(task, predicted.read(), expected.read())

    def fits(self, task: Task, prediction: Path) -> bool:
        """Whether a prediction and its target are compared as a whole in the memory that is free now."""
        return not task.is_dense or self._needed(task, self._open([str(prediction)])) <= _free()

    def parts(self, task: Task, prediction: Path, target: Sequence[Any]) -> Iterator[tuple[Tensor, Tensor]]:
        """As `read`, in parts along the first axis that fit into the memory that is free now.

        Raises:
            OSError: When a file cannot be read.
            ValueError: When they differ in size or place, hold what this task cannot have, or cannot be read in parts.
        """
        predicted, expected = self._open([str(prediction)]), self._open(target)
        _check_same_place(predicted, expected)
        size = predicted.shape[1:]
        for slab in slabs(size, _free() / 2, self._needed(task, predicted) / prod(size)):
            box = (slab, *(slice(0, length) for length in size[1:]))
            yield self._pair(task, predicted.read(box), expected.read(box))

    def check_memory(self, task: Task, prediction: Path) -> None:
        """Before the work: what is killed for memory says nothing.

        Raises:
            ValueError: When it does not fit.
        """
        if not self.fits(task, prediction):
            needed = self._needed(task, self._open([str(prediction)]))
            raise ValueError(
                f"Measuring {prediction} takes {needed / 1e9:.3g} GB, since its metrics are of the whole image, and "
                f"{_free() / 1e9:.3g} GB of memory are free: take a larger machine, or fewer --tasks at a time."
            )

    def _needed(self, task: Task, values: _Values) -> float:
        return prod(values.shape[1:]) * 4 * (2 * task.channels + _COPIES)

    def _pair(self, task: Task, predicted: MetaTensor, expected: MetaTensor) -> tuple[Tensor, Tensor]:
        if task.target_classes:
            expected = _classes(task, expected)
        if task.class_of_label:
            predicted = _classes(task, predicted)
        steps = None if self.preprocessing is None else label_steps(self.preprocessing, task.name)
        if steps is not None and self.map_labels:
            mapped: Any = steps({task.name: expected})
            expected = mapped[task.name]
        values, wanted = self._scaled(task, predicted.as_tensor(), expected)
        with _telling_of(steps if not self.map_labels else None):
            return task.undo_postprocess(values)[None], task.prepare_target(task.target_of_values(wanted)[None])

    def _open(self, files: Sequence[str]) -> _Values:
        if len(files) == 1 and files[0].lower().endswith(".npy"):
            values = np.load(files[0], mmap_mode="r")  # whose axes are told by their number alone
            values = values[None] if values.ndim == self.spatial_dims else values
            return _Values(files[0], values.shape, None, lambda box: values[all_channels(box)])
        image = open_image(files)
        return _Values(files[0], image.shape, image.affine, image.read)

    def _scaled(self, task: Task, predicted: Tensor, expected: MetaTensor) -> tuple[Tensor, Tensor]:
        if task.saved_as is not SavedAs.PICTURE or not self._scaling:
            return predicted, expected.as_tensor()
        scaled: Any = Compose(self._scaling)({"image": expected})["image"]
        corner = scaled[tuple([slice(None)] + [slice(1)] * self.spatial_dims)]
        # Scaling is linear: where 0 and 1 lie says all.
        zero, one = (Compose(self._scaling).inverse({"image": corner * 0 + value})["image"] for value in (0, 1))
        return (predicted - zero.as_tensor()) / (one - zero).as_tensor(), scaled.as_tensor()


@contextmanager
def _telling_of(steps: Compose | None) -> Iterator[None]:
    """Name what makes class numbers of targets that are refused."""
    try:
        yield
    except ValueError as error:
        if steps is None:
            raise
        names = ", ".join(type(step).__name__ for step in steps.transforms)
        raise ValueError(f"{error} The bundle does so by {names}: evaluate with --map-labels.") from error


@dataclass(frozen=True)
class _Values:
    """What a file holds, read when asked."""

    file: str
    shape: tuple[int, ...]
    affine: NDArray[np.float64] | None
    of_box: Callable[[Box], NDArray[Any]]

    def read(self, box: Box | None = None) -> MetaTensor:
        """All, or a box of it."""
        whole = tuple(slice(0, size) for size in self.shape[1:])
        return self._with_place(torch.from_numpy(_signed(self.of_box(box or whole))))

    def place(self) -> MetaTensor:
        """Size and place, without values."""
        return self._with_place(torch.zeros(1, dtype=torch.uint8).expand(self.shape))

    def _with_place(self, values: Tensor) -> MetaTensor:
        meta: dict[str, Any] = {ImageMetaKey.FILENAME_OR_OBJ: self.file}
        if self.affine is not None:
            meta[MetaKeys.ORIGINAL_AFFINE] = self.affine
        return MetaTensor(values, affine=None if self.affine is None else torch.from_numpy(self.affine), meta=meta)


def _check_same_place(predicted: _Values, expected: _Values) -> None:
    if predicted.shape[1:] != expected.shape[1:]:
        raise ValueError(
            f"{predicted.file} has spatial size {predicted.shape[1:]}, its target {expected.file} "
            f"{expected.shape[1:]}: what is predicted has the image's grid; resample the target to it."
        )
    remedy = "Targets of another grid are not compared: resample them to the image's."
    check_same_grid("prediction", predicted.place(), "target", expected.place(), remedy)


def _free() -> float:
    """Bytes of memory."""
    return float(psutil.virtual_memory().available)


def _vector(task: Task, file: str | Path) -> Tensor:
    try:
        return task.from_json(json.loads(Path(file).read_text("utf-8")))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{file} is no file of {type(task).__name__} {task.name!r}: {error!r}.") from error


def _target(task: Task, target: Sequence[Any]) -> Tensor:
    """Of one image, as collated."""
    if not isinstance(target[0], str):
        return torch.tensor([target[0]]) if task.target_classes else torch.tensor([target])
    values = _vector(task, target[0])
    return values.argmax().reshape(1) if task.target_classes else values[None]


def _classes(task: Task, values: MetaTensor) -> MetaTensor:
    """A label map, of which files may hold other numbers than those of classes."""
    file = values.meta[ImageMetaKey.FILENAME_OR_OBJ]
    return MetaTensor(as_label_map(task.name, file, values.float(), task.class_of_label), meta=values.meta)


def _signed(values: Any) -> Any:
    """As torch has it, which knows few unsigned types, and takes -1 for the largest number of those."""
    wider = {1: np.int16, 2: np.int32}.get(values.dtype.itemsize, np.int64)
    return values.astype(wider) if values.dtype.kind == "u" else np.ascontiguousarray(values)
