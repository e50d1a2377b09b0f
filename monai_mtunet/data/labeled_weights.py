"""How often to take labeled and unlabeled samples, where few have labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["labeled_weights"]


def labeled_weights(
    datalist: Sequence[Mapping[str, Any]], keys: str | Sequence[str] = "segment", share: float = 0.5
) -> list[float]:
    """Weights for torch's ``WeightedRandomSampler``, by which a share of what it takes has labels.

    Taken evenly, 4 labeled samples of 161 would be in one batch of ten. Of labeled samples each is taken as often as
    the others, and so is each of the unlabeled ones.

    Args:
        datalist: the training samples, for example from :func:`~monai_mtunet.data.keep_labels`.
        keys: the labels; a sample is labeled where it has one of them, present and not None. Where no sample names a
            label, the loader makes them, as of synthetic scenes, and only None says that there is none.
        share: labeled part of what is taken, within 0..1. At 1 only labeled samples are taken, at 0 only unlabeled
            ones. Where all samples are labeled, or none is, they are taken evenly.

    Returns:
        a weight per sample; they sum to 1.

    Raises:
        ValueError: When the share is out of range, or there is no sample.

    Example:
        >>> labeled_weights([{"segment": "a.nii"}, {"segment": None}, {}], share=0.5)
        [0.5, 0.25, 0.25]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"The labeled share must be within 0..1, got {share}.")
    if not datalist:
        raise ValueError("There is no sample to draw.")
    keys = [keys] if isinstance(keys, str) else keys
    named = any(sample.get(key) is not None for sample in datalist for key in keys)
    absent = None if named else "made by the loader"
    labeled = [any(sample.get(key, absent) is not None for key in keys) for sample in datalist]
    count = sum(labeled)
    if count in (0, len(datalist)):
        return [1 / len(datalist)] * len(datalist)
    return [share / count if has else (1 - share) / (len(datalist) - count) for has in labeled]
