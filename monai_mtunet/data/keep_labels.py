"""Few labels: a datalist in which only some samples keep theirs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["keep_labels"]


def keep_labels(
    datalist: Sequence[Mapping[str, Any]],
    keys: str | Sequence[str] = "segment",
    fraction: float = 1.0,
    count: int | None = None,
    seed: int = 0,
    subject: Callable[[Mapping[str, Any]], Hashable] | None = None,
) -> list[dict[str, Any]]:
    """Keep the labels of some samples, and set those of the others to None, for semi-supervised training.

    All samples stay in the list, in order, and train the tasks that need no label. Which ones keep their labels depends
    on ``seed`` and the list alone. With the same seed, fewer labels are a part of more. A subject's samples follow each
    other, so 4 labeled samples of two per subject come from 2 subjects, as they would be annotated.

    Args:
        datalist: the training samples.
        keys: the labels to keep or drop, all those of a sample together.
        fraction: of the samples that keep their labels, within 0..1; above 0 it is one sample at least.
        count: how many samples keep their labels, instead of a fraction.
        seed: which samples.
        subject: function of a sample that tells what it belongs to, for example `hippocampus_scan`. Default: every
            sample is a subject of its own.

    Returns:
        the samples, with ``{key: None}`` in those without labels.

    Raises:
        ValueError: When the fraction or the count is out of range.

    Example:
        >>> keep_labels([{"image": "a.nii"}, {"image": "b.nii", "segment": "c.nii"}], count=0)
        [{'image': 'a.nii', 'segment': None}, {'image': 'b.nii', 'segment': None}]
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"The labeled fraction must be within 0..1, got {fraction}.")
    if count is None:
        count = max(round(fraction * len(datalist)), int(fraction > 0))
    if not 0 <= count <= len(datalist):
        raise ValueError(f"The labeled count must be within 0..{len(datalist)}, the samples there are, got {count}.")
    subjects = [index if subject is None else subject(sample) for index, sample in enumerate(datalist)]
    distinct = list(dict.fromkeys(subjects))
    rank = {distinct[chosen]: i for i, chosen in enumerate(np.random.RandomState(seed).permutation(len(distinct)))}
    order = sorted(range(len(datalist)), key=lambda index: rank[subjects[index]])
    kept = set(order[:count])
    dropped = dict.fromkeys([keys] if isinstance(keys, str) else keys)
    return [dict(sample) if index in kept else {**sample, **dropped} for index, sample in enumerate(datalist)]
