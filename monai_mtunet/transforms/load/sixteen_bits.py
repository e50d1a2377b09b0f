"""Targets that are coded in the 16 bits of a PNG are checked before they are decoded."""

from __future__ import annotations

import torch

from ...files.header import Header

__all__ = ["check_sixteen_bits"]

_EIGHT_BITS = ("uint8", "int8", "bool", "1", "L", "P", "LA", "RGB", "RGBA")  # types of files, and PIL's modes


def check_sixteen_bits(values: torch.Tensor, name: str, what: str, why: str) -> None:
    """Check that codes are as they were in their file.

    Args:
        values: the codes, of any type.
        name: how to call the values; the name of their file is added.
        what: what is coded.
        why: what 8 bits do to it.

    Raises:
        ValueError: When the values come from 8 bits, are no whole numbers, or not within 0-65535.
    """
    meta = getattr(values, "meta", {})
    named = f"{name} ({meta.get('filename_or_obj', 'in memory')})"
    header = Header.of_meta(meta)
    stored = meta.get("mode", values.dtype if header is None else header.dtype)
    if stored in (*_EIGHT_BITS, torch.uint8, torch.int8, torch.bool):
        raise ValueError(
            f"{named} is stored as {stored}, but {what} is coded in 16 bits: {why}. Take the original file; converting "
            "images truncates it."
        )
    numbers = values.to(torch.float64)  # torch compares no uint16
    wrong = numbers[(numbers != numbers.round()) | (numbers < 0) | (numbers > 65535)]  # NaN is not itself
    if len(wrong):
        raise ValueError(
            f"{named} holds {wrong[0].item():.9g}, but coded {what} is whole numbers within 0-65535. Decode it once, "
            "before anything scales or resamples it."
        )
