"""How errors name a value of a sample."""

from __future__ import annotations

from collections.abc import Hashable

import torch

__all__ = ["check_same_size", "describe", "file_of"]


def describe(key: Hashable, values: torch.Tensor) -> str:
    """Name a value for the user: its key, file and size."""
    return f"{key} ({file_of(values)}, {' x '.join(map(str, values.shape[1:]))})"


def file_of(values: torch.Tensor) -> str:
    """The file of a value, or "in memory"."""
    return str(getattr(values, "meta", {}).get("filename_or_obj", "in memory"))


def check_same_size(image_key: Hashable, image: torch.Tensor, key: Hashable, target: torch.Tensor) -> None:
    """Check that a target (C, *spatial) has its image's size.

    Raises:
        ValueError: When it has another; it names both files.
    """
    if target.shape[1:] != image.shape[1:]:
        raise ValueError(
            f"{describe(image_key, image)} and {describe(key, target)} differ in size. A sample's "
            "files must belong together and have the same size: check the data list, or resample one of them "
            "(ResampleSampled does, where files say where they lie)."
        )
