"""Check of targets that hold class numbers."""

from __future__ import annotations

import torch
from torch import Tensor


def check_class_numbers(target: Tensor, task: str, classes: int, ignore_index: int) -> Tensor:
    """Check that every number is a class or missing.

    Args:
        target: class numbers, of any shape and type.
        task: the task's name, for the error message.
        classes: how many classes there are.
        ignore_index: what marks a missing label.

    Returns:
        The same as int64.

    Raises:
        ValueError: When a number is not whole, or neither one of 0..classes-1 nor ``ignore_index``.

    Example:
        >>> check_class_numbers(torch.tensor([0.0, 2.0]), "segment", classes=3, ignore_index=255)
        tensor([0, 2])
    """
    labels = target.long()
    if target.is_floating_point() and not torch.equal(labels.to(target.dtype), target):
        values = target[labels != target].unique()[:10].tolist()
        raise ValueError(
            f"Task {task!r}: labels must be whole numbers, got {values}. "
            f"Resample label maps by nearest neighbor; what is missing has the label {ignore_index}."
        )
    wrong = ((labels < 0) | (labels >= classes)) & (labels != ignore_index)
    if wrong.any():
        raise ValueError(
            f"Task {task!r}: label(s) {labels[wrong].unique().tolist()[:10]} are neither one of its "
            f"{classes} classes (0..{classes - 1}) nor ignore_index = {ignore_index}. "
            "Declare what the files hold (labels), the classes and the ignore_index of these data, or map the labels "
            "(MapLabelValued)."
        )
    return labels
