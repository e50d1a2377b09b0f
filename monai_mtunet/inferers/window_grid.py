"""Where the windows of an image lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from monai.data.utils import dense_patch_slices
from monai.utils import ensure_tuple_rep, fall_back_tuple

__all__ = ["Box", "WindowGrid", "all_channels"]

Box = tuple[slice, ...]  # a part of an image: one slice per spatial axis, with a start and a stop


def all_channels(box: Sequence[slice]) -> tuple[slice, ...]:
    """The same box of all channels, of (C, *spatial)."""
    return (slice(None), *box)


@dataclass(frozen=True)
class WindowGrid:
    """The windows that cover an image: one grid per image, whatever part of it is predicted, and in which order.

    The places are those of MONAI's ``sliding_window_inference``. The order is one for all ways to predict: windows come
    by their place along the image's longest axis first, so that sums can be kept for a few planes only. Sums of
    floating-point numbers depend on their order, and so every way gives equal bits.

    Args:
        image_size: of the image, per spatial axis.
        window: size of the windows.
        starts: where windows start along each axis, ascending. Along an axis that is shorter than the window, the image
            lies in the window's middle, and its only start is negative or 0.

    Attributes:
        rolling_axis: the longest axis, the first of several.
    """

    image_size: tuple[int, ...]
    window: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls, image_size: Sequence[int], roi_size: Sequence[int] | int, overlap: Sequence[float] | float
    ) -> WindowGrid:
        """The grid of an image.

        Args:
            image_size: per spatial axis.
            roi_size: of the windows; not positive: the image's own.
            overlap: of neighboring windows, 0 up to 1, per axis or the same along all.

        Raises:
            ValueError: When an overlap is not in [0, 1), or ``roi_size`` has another number of axes.
        """
        dims = len(image_size)
        if isinstance(roi_size, Sequence) and len(roi_size) != dims:
            raise ValueError(
                f"roi_size {tuple(roi_size)} has {len(roi_size)} axes, the image {tuple(image_size)} {dims}."
            )
        window = fall_back_tuple(roi_size, image_size)
        overlaps = ensure_tuple_rep(overlap, dims)
        if not all(0 <= part < 1 for part in overlaps):
            raise ValueError(f"overlap must be at least 0 and below 1, got {overlap}.")
        starts = tuple(map(_starts, image_size, window, overlaps))
        return cls(tuple(image_size), tuple(window), starts)

    @property
    def rolling_axis(self) -> int:
        """See the class."""
        return self.image_size.index(max(self.image_size))

    @property
    def whole(self) -> Box:
        """The box of the whole image."""
        return tuple(slice(0, size) for size in self.image_size)

    @property
    def last(self) -> tuple[int, ...]:
        """Where the last window starts."""
        return tuple(starts[-1] for starts in self.starts)

    @property
    def padding(self) -> tuple[int, ...]:
        """What an image lacks to fill a window, as `torch.nn.functional.pad` takes it: last axis first, both sides."""
        missing = [max(length - size, 0) for size, length in zip(self.image_size, self.window, strict=True)]
        return tuple(part for lack in reversed(missing) for part in (lack // 2, lack - lack // 2))

    def count(self, region: Box) -> int:
        """How many windows touch a region."""
        total = 1
        for axis in range(len(region)):
            total *= len(self._touching(axis, region))
        return total

    def windows(self, region: Box) -> Iterator[tuple[int, ...]]:
        """The starts of the windows that touch a region, in the order of their sums."""
        order = [self.rolling_axis, *(axis for axis in range(len(region)) if axis != self.rolling_axis)]
        for starts in product(*(self._touching(axis, region) for axis in order)):
            by_axis = dict(zip(order, starts, strict=True))
            yield tuple(by_axis[axis] for axis in range(len(region)))

    def needed(self, region: Box) -> Box:
        """The part of the image that a region is predicted from."""
        spans = []
        for axis, size in enumerate(self.image_size):
            starts = self._touching(axis, region)
            spans.append(slice(max(starts[0], 0), min(starts[-1] + self.window[axis], size)))
        return tuple(spans)

    def _touching(self, axis: int, region: Box) -> list[int]:
        length, part = self.window[axis], region[axis]
        return [start for start in self.starts[axis] if start < part.stop and start + length > part.start]


def _starts(size: int, length: int, overlap: float) -> tuple[int, ...]:
    if size <= length:
        return (-((length - size) // 2),)
    interval = max(int(length * (1 - overlap)), 1)
    return tuple(int(place.start) for (place,) in dense_patch_slices((size,), (length,), (interval,)))
