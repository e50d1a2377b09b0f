"""Top-k accuracy that knows images without a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.exceptions import NotComputableError
from ignite.metrics import TopKCategoricalAccuracy
from torch import Tensor


class MissingAwareTopKAccuracy(TopKCategoricalAccuracy):
    """ignite's ``TopKCategoricalAccuracy`` of the images that have a label; NaN where none has.

    Args:
        k: how many of the highest logits may hold the label.
        ignore_index: the label of images without one.
        kwargs: of ignite's metric: ``output_transform``, ``device``.
    """

    def __init__(self, k: int, ignore_index: int, **kwargs: Any) -> None:
        super().__init__(k, **kwargs)
        self.ignore_index = ignore_index

    def update(self, output: Sequence[Tensor]) -> None:
        """Take up a batch: logits (B, K) and labels (B,), on every rank of as many batches."""
        prediction, labels = output
        labeled = labels != self.ignore_index
        super().update((prediction[labeled], labels[labeled]))

    def compute(self) -> float:
        """The share of labels among the k highest logits, 0..1."""
        try:
            return float(super().compute())
        except NotComputableError:
            return torch.nan
