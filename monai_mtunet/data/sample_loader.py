"""MONAI's data loader, for samples whose sizes may differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

import torch
from monai.data import DataLoader, Dataset, list_data_collate

__all__ = ["SampleLoader"]


class SampleLoader(DataLoader):
    """MONAI's ``DataLoader``. The same arguments; samples of several sizes are batched apart, or refused clearly.

    In validation whole images are measured, and they may differ in size: with ``by_size`` a batch ends where the next
    image has another size. Samples keep their order, and where all are of one size, batches are as ever. Of a data set
    that is cached whole the sizes are known. Of another, a batch that turns out to hold several sizes is taken apart
    when it is loaded, so that there is no ``len`` beforehand: engines take the batches that come. In training every
    batch is of one size, which crops and padding see to. Without ``by_size`` the error names the files.

    Args:
        dataset: gives samples with an ``"image"`` (C, *spatial).
        batch_size: at most so many samples in a batch.
        by_size: whether batches are of one size each, as their samples come.
        args: further ones of MONAI's ``DataLoader``, by keyword.

    Raises:
        ValueError: When samples of one batch differ in size, without ``by_size``.

    Example:
        >>> loader = SampleLoader(dataset, batch_size=8, by_size=True)
    """

    def __init__(self, dataset: Dataset, batch_size: int = 1, by_size: bool = False, **args: Any) -> None:
        is_cached = getattr(dataset, "cache_num", 0) >= len(dataset)
        self.takes_apart = by_size and batch_size > 1 and not is_cached
        if by_size and batch_size > 1 and is_cached:
            args["batch_sampler"] = _BatchesOfOneSize(dataset, batch_size)
        else:
            args["batch_size"] = batch_size
        super().__init__(dataset, collate_fn=collate_by_size if self.takes_apart else collate_samples, **args)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Yield batches."""
        batches = super().__iter__()
        return chain.from_iterable(batches) if self.takes_apart else batches

    def __len__(self) -> int:
        """Count the batches.

        Raises:
            TypeError: When batches are taken apart, so that only loading tells how many there are.
        """
        if self.takes_apart:
            raise TypeError("How many batches there are shows when they are loaded: the data set is not cached whole.")
        return super().__len__()


def collate_samples(samples: Sequence[Mapping[str, Any]]) -> Any:
    """Make a batch of samples.

    Raises:
        ValueError: When their images differ in size.
    """
    images: dict[tuple[int, ...], torch.Tensor] = {}  # the first of each size
    for sample in _flat(samples):
        if "image" in sample:
            images.setdefault(tuple(sample["image"].shape), sample["image"])
    if len(images) > 1:
        named = "; ".join(_describe(image) for image in list(images.values())[:4])
        raise ValueError(
            f"The images of a batch differ in size: {named}{' ...' if len(images) > 4 else ''}. Bring them to one in "
            '"augment": {"_target_": "PadSampled", "tasks": "@active_tasks", "spatial_size": SIZE}, then '
            '{"_target_": "RandSpatialCropd", "keys": "$@active_tasks.spatial_keys", "roi_size": SIZE, '
            '"random_size": false}; or set batch_size to 1.'
        )
    return list_data_collate(samples)


def collate_by_size(samples: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Make batches of consecutive samples of one size."""
    return [list_data_collate(list(alike)) for _, alike in groupby(samples, lambda sample: sample["image"].shape)]


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


def _flat(samples: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """Samples, also where crops made several of one."""
    for sample in samples:
        yield from [sample] if isinstance(sample, Mapping) else sample


def _describe(image: torch.Tensor) -> str:
    file = getattr(image, "meta", {}).get("filename_or_obj", "in memory")
    return f"{file}, {' x '.join(map(str, image.shape[1:]))}"
