"""What a file holds as a label map: whole numbers, and class numbers where it is told what stands for them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.utils import convert_to_dst_type

__all__ = ["as_label_map"]

_ROUNDED = 1e-3  # what scaled headers and floats leave of whole numbers
_LARGEST = 2**24  # whole numbers up to it have no gaps in float32


def as_label_map(key: Hashable, path: Any, values: torch.Tensor, class_of_label: Mapping[int, int]) -> torch.Tensor:
    """A loaded file as label map.

    Args:
        key: its key, for messages.
        path: its path, for messages.
        values: what it holds, of a floating type.
        class_of_label: of the numbers in the file their classes; empty where they are class numbers.

    Returns:
        Class numbers of the same shape, int16, or int32 where ids of instances exceed that.

    Raises:
        ValueError: When it holds anything but whole numbers, one that is not in ``class_of_label``, or, without that,
            one beyond 2^24.
    """
    labels = values.round().long()
    right = (values - labels).abs() <= _ROUNDED  # NaN, fractions and overflows all differ from their cast
    if not class_of_label:
        right &= labels.abs() <= _LARGEST
    if len(wrong := values[~right]):
        raise ValueError(
            f"{key}: {path} is not a label map, it holds {_some(wrong)}, where whole numbers up to {_LARGEST} are "
            "expected. Resample label maps by nearest neighbors only; give a regression target a task of another kind, "
            "or keep it out of label_keys."
        )
    if class_of_label:
        labels = _classes(key, path, labels, class_of_label)
    small = torch.iinfo(torch.int16)
    dtype = torch.int16 if ((labels >= small.min) & (labels <= small.max)).all() else torch.int32
    result: torch.Tensor = convert_to_dst_type(labels, dst=values, dtype=dtype)[0]
    return result


def _classes(key: Hashable, path: Any, labels: torch.Tensor, class_of_label: Mapping[int, int]) -> torch.Tensor:
    numbers = torch.tensor(sorted(class_of_label))
    labels = torch.as_tensor(labels).contiguous()
    places = torch.searchsorted(numbers, labels).clamp(max=len(numbers) - 1)
    if len(unknown := labels[numbers[places] != labels]):
        raise ValueError(
            f"{key}: {path} holds {_some(unknown)}, but the labels declared for its task are {sorted(class_of_label)}: "
            'add them to their classes in "labels", or to "ignored_labels" where they stand for none.'
        )
    return torch.tensor([class_of_label[int(number)] for number in numbers])[places]


def _some(values: torch.Tensor) -> str:
    return ", ".join(sorted({f"{value:.9g}" for value in values.unique().tolist()})[:5])
