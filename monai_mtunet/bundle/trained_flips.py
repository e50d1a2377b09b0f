"""The flips of a bundle's training, as its configuration says them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser
from monai.bundle.utils import merge_kv
from monai.transforms import Compose, RandFlipd
from monai.utils import ensure_tuple

__all__ = ["Flips", "trained_flips"]

_AUGMENT = "augment"
Flips = list[int | list[int]]  # axes, those in a list together


def trained_flips(files: Sequence[str], spatial_dims: int) -> Flips | None:
    """Axes along which training flipped images: those of every ``RandFlipGeometryd`` and ``RandFlipd`` in ``augment``.

    ``augment`` is that of the ``train.json`` beside the bundle's ``inference.json``, changed by the overlays; where
    there is no such file, that of the overlays.

    Args:
        files: the bundle's ``inference.json`` and overlays, in their order.
        spatial_dims: of images, 2 or 3.

    Returns:
        Axes from 0; axes that a transform flips together are a list. Empty where training flipped none, ``None`` where
        no file has an ``augment``.

    Example:
        >>> trained_flips(["bundles/umc/inference.json", "bundles/umc/hippocampus.json"], 3)
        [0]
    """
    train = Path(files[0]).with_name("train.json")
    config = ConfigParser()
    for file in [str(train) if train.is_file() else files[0], *files[1:]]:
        for name, value in ConfigParser.load_config_file(file).items():
            with suppress(KeyError, IndexError):  # an item of a step that training has not
                merge_kv(config, name, value)
    if _AUGMENT not in config:
        return None
    axes = [
        sorted({axis % spatial_dims for axis in ensure_tuple(range(spatial_dims) if every is None else every)})
        for every in _flipped_axes(config)
    ]
    return [one[0] if len(one) == 1 else one for one in axes]


def _flipped_axes(config: ConfigParser) -> Iterator[Any]:
    """``spatial_axis`` of each flip; no other transform is made, which may need what only training has."""
    steps = config[_AUGMENT]
    names = [f"{_AUGMENT}::{index}" for index in range(len(steps))] if isinstance(steps, list) else [_AUGMENT]
    for name in names:
        step = config[name]
        if isinstance(step, str) or "Flip" in repr(step):
            for transform in _single(config.get_parsed_content(name)):
                if isinstance(transform, RandFlipd) and transform.prob > 0:
                    yield transform.flipper.spatial_axis


def _single(transforms: Any) -> Iterator[Any]:
    """All that a transform, or several, are composed of."""
    if isinstance(transforms, Compose):
        transforms = transforms.transforms
    if isinstance(transforms, Sequence):
        for transform in transforms:
            yield from _single(transform)
    else:
        yield transforms
