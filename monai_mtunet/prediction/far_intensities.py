"""Images whose intensities are of another kind than those of training, such as 16 bits instead of 8."""

from __future__ import annotations

import logging

from monai.transforms import Compose, NormalizeIntensityd
from torch import Tensor

logger = logging.getLogger(__name__)

__all__ = ["tell_far_intensities"]

_FAR = 50.0  # standard deviations; of 8 bits none is farther than 20 where the deviation is 10 or more
_MOST = 100_000  # values that are looked at


def tell_far_intensities(file: str, preprocessing: Compose, image: Tensor) -> None:
    """Warn where most intensities are far from what the network has seen, of which its predictions mean nothing.

    Args:
        file: of the image.
        preprocessing: where it does not normalize by a mean and a deviation that are given, nothing is known.
        image: what it makes of the file, or of a part, (C, *spatial).
    """
    if not any(_is_given(step) for step in preprocessing.flatten().transforms):
        return
    values = image.detach().flatten()
    median = float(values[:: max(1, len(values) // _MOST)].abs().nanmedian())
    if median > _FAR:
        logger.warning(
            "%s: half of its intensities are more than %.0f standard deviations from the mean of training. Predictions "
            "will mean little: convert it to what the images of training are, such as 8 bits.", file, median,
        )  # fmt: skip


def _is_given(step: object) -> bool:
    return isinstance(step, NormalizeIntensityd) and "image" in step.keys and step.normalizer.subtrahend is not None
