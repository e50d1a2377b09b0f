"""A look at the sizes of training samples before training starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ignite.engine import Events
from monai.engines import Workflow
from torch.utils.data import DataLoader

from .stored_size import stored_size


class SizeCheck:
    """Refuses images whose sizes still differ when they become a batch, which random batches show sooner or later.

    Where the headers of their files differ in size, the smallest and the largest images along each axis are loaded,
    transformed and made one batch, as the loader does it: a forgotten crop shows there, and one that is larger than
    some image. The check is idle where all are of one size, batches hold one image, or nothing tells the sizes.

    Args:
        data_loader: the training data; its data set's ``data`` hold files, arrays or tensors as ``"image"``.

    Raises:
        ValueError: Before training, what the loader says of samples that are no batch.
    """

    def __init__(self, data_loader: DataLoader[Any]) -> None:
        self.data_loader = data_loader

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self) -> None:
        """Check."""
        dataset: Any = self.data_loader.dataset
        data: Sequence[Any] = getattr(dataset, "data", ())
        if self.data_loader.batch_size == 1:
            return
        images = [entry.get("image") if isinstance(entry, Mapping) else None for entry in data]
        outermost = _outermost([stored_size(image) for image in images])
        if len(outermost) > 1:
            self.data_loader.collate_fn([dataset[index] for index in outermost])


def _outermost(sizes: Sequence[tuple[int, ...] | None]) -> list[int]:
    """Indices of the smallest and the largest along each axis, and one of unknown size; none where all are the same."""
    first = {size: index for index, size in reversed(list(enumerate(sizes)))}
    unknown = {first.pop(None)} if None in first else set()
    if len(first) + len(unknown) < 2 or not first:
        return []
    outermost = set(unknown)
    for dims in {len(size) for size in first if size}:
        alike = [size for size in first if size and len(size) == dims]
        for axis in range(dims):
            along = sorted(alike, key=lambda size: size[axis])
            outermost |= {first[along[0]], first[along[-1]]}
    return sorted(outermost)
