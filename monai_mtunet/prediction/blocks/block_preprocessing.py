"""A bundle's preprocessing, of a part of an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import (
    Compose,
    MapTransform,
    NormalizeIntensityd,
    ScaleIntensityRanged,
    SelectItemsd,
    ThresholdIntensityd,
)
from numpy.typing import NDArray
from torch import Tensor

from ...data import LoadSyntheticd
from ...files.image import Image
from ...inferers.window_grid import Box
from ...transforms import BoxOfMaskd, CheckSampled, LoadSampled, PaintBoxd, ScaleVolumeRanged
from ...transforms.load.mark_non_finite import MarkNonFinited
from .exact_percentiles import exact_percentiles

__all__ = ["BlockPreprocessing", "WholeImageNeededError"]

# What makes of each voxel a voxel, by rules that other voxels have no part in.
_VOXEL_WISE = (CheckSampled, MarkNonFinited, ScaleIntensityRanged, SelectItemsd, ThresholdIntensityd)


class WholeImageNeededError(ValueError):
    """A step cannot be done block by block; the message names it and the reason."""


class BlockPreprocessing:
    """The same steps as for a whole image, applied to parts that are read when they are needed.

    Steps that treat every voxel by itself are applied to parts as they are. Those that depend on the whole image by
    its percentiles are measured in a first pass (`measure`), exactly. All others are refused: what resamples, turns,
    crops or pads moves voxels across blocks, and what is unknown might.

    Args:
        preprocessing: the bundle's transforms, the first of which is `LoadSampled`, or follows `LoadSyntheticd`.
        image: the image to be predicted.

    Raises:
        WholeImageNeededError: When a step is of another kind.
        ValueError: When the image has not the network's dimensions or channels.
    """

    def __init__(self, preprocessing: Compose, image: Image) -> None:
        # What paints samples of the default data leaves files to the next step.
        first, *others = [step for step in preprocessing.flatten().transforms if not isinstance(step, LoadSyntheticd)]
        steps = [step for step in others if _sees_image(step)]
        if not isinstance(first, LoadSampled) or first.reader is not None:
            raise WholeImageNeededError(
                f"{image.path} cannot be predicted block by block: it is read by {_name(first)}, which reads whole "
                "files. Give more --memory, or use LoadSampled without a reader."
            )
        for step in steps:
            if not (isinstance(step, ScaleVolumeRanged) or _is_voxel_wise(step)):
                raise WholeImageNeededError(
                    f"{image.path} cannot be predicted block by block: {_name(step)} may move or mix voxels across "
                    f"blocks. Give more --memory, or apply it to the files beforehand and leave it out."
                )
        described = MetaTensor(torch.zeros(()).expand(image.shape), meta={"filename_or_obj": str(image.path)})
        for step in steps:
            if isinstance(step, CheckSampled):
                step.check_image(described)
        self.image = image
        self._steps: list[Any] = steps

    @property
    def is_measured(self) -> bool:
        """Whether nothing is left for `measure`."""
        return not any(isinstance(step, ScaleVolumeRanged) and step.ranges is None for step in self._steps)

    def measure(self, parts: Sequence[Box]) -> list[list[list[float]]]:
        """The first pass: what the steps need to know of the whole image.

        Args:
            parts: boxes that make up the image, each small enough for memory.

        Returns:
            Per step that scales by percentiles the lowest and highest values per channel, for `set_ranges`.
        """
        ranges: list[list[list[float]]] = []
        for index, step in enumerate(self._steps):
            if isinstance(step, ScaleVolumeRanged):
                found = self._ranges_before(index, step, parts)
                self._steps[index] = step.with_ranges(found)
                ranges.append(found)
        return ranges

    def set_ranges(self, ranges: Sequence[Sequence[Sequence[float]]]) -> None:
        """Take up what `measure` found in an earlier run."""
        scaling = [index for index, step in enumerate(self._steps) if isinstance(step, ScaleVolumeRanged)]
        for index, found in zip(scaling, ranges, strict=True):
            self._steps[index] = self._steps[index].with_ranges(found)

    def read(self, box: Box) -> Tensor:
        """A part of the image (C, *box), as the network takes it but for voxels that are not finite: they are NaN."""
        return self._applied(box, self._steps)

    def undo(self, values: Tensor) -> Tensor:
        """Intensities of a part, (C, *box) in the network's input scale, in the file's own."""
        for step in reversed(self._steps):
            if isinstance(step, ScaleVolumeRanged):
                values = step.unscaled(values)
        return values

    def _applied(self, box: Box, steps: Sequence[Any]) -> Tensor:
        sample: Mapping[Any, Any] = {"image": torch.from_numpy(self.image.read(box).astype(np.float32))}
        for step in steps:
            sample = step(sample)
        image: Tensor = sample["image"]
        return image

    def _ranges_before(self, index: int, step: ScaleVolumeRanged, parts: Sequence[Box]) -> list[list[float]]:
        """Percentiles of what reaches a step, per channel or of all."""
        channels = range(self.image.shape[0]) if step.channel_wise else [slice(None)]
        found = []
        for channel in channels:

            def values(channel: int | slice = channel) -> Iterator[NDArray[np.float32]]:
                for part in parts:
                    yield self._applied(part, self._steps[:index])[channel].numpy()

            limits = exact_percentiles(values, (*step.percentiles, 0, 100))
            if limits is None:
                raise ValueError(f"{self.image.path} has a channel without a finite voxel: it cannot be scaled.")
            found.append(step.range_of(*limits.tolist()))
        return found


def _sees_image(step: Any) -> bool:
    """Whether a step is of the image, or of targets alone, which are not there."""
    if isinstance(step, BoxOfMaskd | PaintBoxd):
        return False
    return not isinstance(step, MapTransform) or "image" in step.keys


def _is_voxel_wise(step: Any) -> bool:
    if isinstance(step, NormalizeIntensityd):  # which measures the image where it is not told
        return step.normalizer.subtrahend is not None and step.normalizer.divisor is not None
    return isinstance(step, _VOXEL_WISE)


def _name(step: Any) -> str:
    return type(step).__name__
