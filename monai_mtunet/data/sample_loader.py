"""MONAI's data loader, for samples whose sizes may differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.data import DataLoader, Dataset, list_data_collate

__all__ = ["SampleLoader"]


class SampleLoader(DataLoader):
    """MONAI's ``DataLoader``. The same arguments; samples of several sizes are batched apart, or refused clearly.

    In validation whole images are measured, and they may differ in size: with ``by_size`` a batch ends where the next
    image has another size. Samples keep their order, and where all are of one size, batches are as ever. It needs the
    sizes beforehand, so only data sets that are cached whole are batched so. In training every batch is of one size,
    which crops and padding see to. Wherever sizes differ within a batch, the error names the files.

    Args:
        dataset: gives samples with an ``"image"`` (C, *spatial).
        batch_size: at most so many samples in a batch.
        by_size: whether batches of a cached data set are of one size each.
        args: further ones of MONAI's ``DataLoader``, by keyword.

    Raises:
        ValueError: When samples of one batch differ in size.

    Example:
        >>> loader = SampleLoader(dataset, batch_size=8, by_size=True)
    """

    def __init__(self, dataset: Dataset, batch_size: int = 1, by_size: bool = False, **args: Any) -> None:
        if by_size and batch_size > 1 and getattr(dataset, "cache_num", 0) >= len(dataset):
            super().__init__(
                dataset, batch_sampler=_BatchesOfOneSize(dataset, batch_size), collate_fn=collate_samples, **args
            )
        else:
            super().__init__(dataset, batch_size=batch_size, collate_fn=collate_samples, **args)


def collate_samples(samples: Sequence[Mapping[str, Any]]) -> Any:
    """Make a batch of samples.

    Raises:
        ValueError: When their images differ in size.
    """
    shapes = {tuple(sample["image"].shape) for sample in samples if "image" in sample}
    if len(shapes) > 1:
        named = "; ".join(_describe(sample["image"]) for sample in samples[:4])
        raise ValueError(
            f"The images of a batch differ in size: {named}{' ...' if len(samples) > 4 else ''}. Bring them to one in "
            '"augment": {"_target_": "PadSampled", "tasks": "@active_tasks", "spatial_size": SIZE}, then '
            '{"_target_": "RandSpatialCropd", "keys": "$@active_tasks.spatial_keys", "roi_size": SIZE, '
            '"random_size": false}; or set batch_size to 1.'
        )
    return list_data_collate(samples)


class _BatchesOfOneSize:
    """Indices of consecutive samples of one size, batch by batch."""

    def __init__(self, dataset: Dataset, batch_size: int) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self._batches: list[list[int]] | None = None

    def __iter__(self) -> Any:
        return iter(self._indices())

    def __len__(self) -> int:
        return len(self._indices())

    def _indices(self) -> list[list[int]]:
        if self._batches is None:
            self._batches, last = [], None
            for index in range(len(self.dataset)):
                size = tuple(torch.as_tensor(self.dataset[index]["image"]).shape)
                if size != last or len(self._batches[-1]) == self.batch_size:
                    self._batches.append([])
                self._batches[-1].append(index)
                last = size
        return self._batches


def _describe(image: torch.Tensor) -> str:
    file = getattr(image, "meta", {}).get("filename_or_obj", "in memory")
    return f"{file}, {' x '.join(map(str, image.shape[1:]))}"
