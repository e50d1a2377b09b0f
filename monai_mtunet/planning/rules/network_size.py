"""How large patches, batches and networks are, for the memory and the time given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from .choice import Choice, listed
from .grid import Grid

__all__ = ["LEAST_STEPS", "NetworkSize", "choose_size", "pooling"]

LEAST_STEPS = 1000
"""Steps of training below which a smaller network learns more."""

_FIRST_FEATURES = (32, 16, 8)
_MOST_FEATURES = {2: 512, 3: 320}
_LEAST_LENGTH = 4  # of the smallest map, in voxels along each axis
_MOST_POOLINGS = 5
_ANISOTROPIC = 2.0  # a voxel this much longer along an axis is not pooled along it
_LEAST_VOXELS = {2: 192**2, 3: 48**3}  # of a patch: context, before features are given up
_MOST_VOXELS = {2: 1024**2, 3: 160**3}
_BATCHES = {2: (4, 8), 3: (4, 8)}  # least, for batch normalization, and most
_STEPS_BEFORE_BATCH = 4 * LEAST_STEPS  # steps are worth more than larger batches


class NetworkSize(NamedTuple):
    """What decides how much memory and time a step takes.

    Args:
        patch: voxels per axis.
        batch: patches per step.
        features: channels of each level; empty where the bundle decides.
        strides: of each pooling, per axis; empty likewise.
    """

    patch: tuple[int, ...]
    batch: int
    features: tuple[int, ...] = ()
    strides: tuple[tuple[int, ...], ...] = ()

    @property
    def divisor(self) -> tuple[int, ...]:
        """Voxels of which the smallest map has one, per axis."""
        return tuple(prod(along) for along in zip(*self.strides, strict=True)) or (1,) * len(self.patch)


def pooling(size: Sequence[int], spacing: Sequence[float]) -> tuple[tuple[int, ...], ...]:
    """How a network pools patches of a size: by 2 along axes where voxels are short and maps still long.

    Args:
        size: voxels per axis.
        spacing: length of a voxel along each.

    Returns:
        Strides of each level, at least of one.
    """
    lengths, voxels = list(map(float, size)), list(spacing)
    strides: list[tuple[int, ...]] = []
    while len(strides) < _MOST_POOLINGS:
        long = [length >= 2 * _LEAST_LENGTH for length in lengths]
        if not any(long):
            break
        finest = min(voxel for voxel, pooled in zip(voxels, long, strict=True) if pooled)
        step = tuple(
            2 if pooled and voxel < _ANISOTROPIC * finest else 1 for voxel, pooled in zip(voxels, long, strict=True)
        )
        strides.append(step)
        lengths = [length / by for length, by in zip(lengths, step, strict=True)]
        voxels = [voxel * by for voxel, by in zip(voxels, step, strict=True)]
    return tuple(strides) or ((1,) * len(lengths),)


def choose_size(
    grid: Grid,
    memory_of: Callable[[NetworkSize], float],
    seconds_of: Callable[[NetworkSize], float],
    memory: float,
    seconds: float,
    sized: bool = True,
) -> tuple[NetworkSize, list[Choice]]:
    """Choose the largest network, then the largest patch, that memory and time allow.

    Patches begin as large as nine of ten images are, rounded down to what pools without remainder: of larger ones the
    outer voxels would be padding, and what networks do at an image's border would not be learned. They are halved along
    their longest axis until they fit, but not below 48^3 voxels or 192^2 pixels; then features are halved, from 32 at
    the finest level on. nnU-Net keeps 32 whatever the time, which a GPU has; with the same hours on a CPU a narrow
    network takes more steps, and learns more. The batch is filled up where that leaves steps enough.

    Args:
        grid: the images.
        memory_of: bytes that training takes with a size.
        seconds_of: seconds that a step takes with it.
        memory: bytes that there are.
        seconds: that there are, for all steps.
        sized: whether features and strides can be chosen; otherwise they are the bundle's.

    Raises:
        ValueError: When not even the smallest fits into the memory.
    """
    least, most = _BATCHES[grid.spatial_dims]
    why_not: list[str] = []
    candidates = list(_candidates(grid, sized, least))
    for size in candidates:
        if (needed := memory_of(size)) > memory:
            why_not = ["memory"] * (not why_not) + why_not
        elif seconds_of(size) * LEAST_STEPS > seconds and size is not candidates[-1]:
            why_not = why_not + ["time"] * ("time" not in why_not)
        else:
            break
    else:
        raise ValueError(
            f"Even patches of {listed(size.patch)} in batches of {size.batch} take {needed / 2**20:.0f} MiB, and "
            f"{memory / 2**20:.0f} MiB are given: give more (--memory), or take a smaller bundle."
        )
    while size.batch < most:
        larger = size._replace(batch=size.batch * 2)
        if memory_of(larger) > memory or seconds_of(larger) * _STEPS_BEFORE_BATCH > seconds:
            break
        size = larger
    return size, _reasons(size, grid, memory_of(size), memory, seconds_of(size), why_not)


def _candidates(grid: Grid, sized: bool, batch: int) -> Iterator[NetworkSize]:
    """The largest first; of each width the patches from the largest to the smallest."""
    most = _MOST_FEATURES[grid.spatial_dims]
    for first in _FIRST_FEATURES if sized else (0,):
        for rough in _patches(grid):
            strides = pooling(rough, grid.spacing)
            divisor = [prod(along) for along in zip(*strides, strict=True)]
            patch = tuple(max(1, length // step) * step for length, step in zip(rough, divisor, strict=True))
            features = tuple(min(first * 2**level, most) for level in range(len(strides) + 1))
            yield NetworkSize(patch, batch, features, strides) if sized else NetworkSize(patch, batch)


def _patches(grid: Grid) -> Iterator[tuple[int, ...]]:
    """From the usual image, or the largest cube, on; the axis that is longest in space is halved."""
    dims, patch = grid.spatial_dims, list(grid.usual)
    while prod(patch) > _MOST_VOXELS[dims]:
        _halve(patch, grid.spacing)
    yield tuple(patch)
    while prod(patch) / 2 >= _LEAST_VOXELS[dims]:
        _halve(patch, grid.spacing)
        yield tuple(patch)


def _halve(patch: list[int], spacing: Sequence[float]) -> None:
    longest = max(range(len(patch)), key=lambda axis: patch[axis] * spacing[axis])
    patch[longest] = max(1, patch[longest] // 2)


def _reasons(
    size: NetworkSize, grid: Grid, needed: float, memory: float, seconds: float, why_not: Sequence[str]
) -> list[Choice]:
    limited = (
        f"as large as {' and '.join(why_not)} allow{'s' * (len(why_not) == 1)}"
        if why_not
        else "nothing larger is needed"
    )
    of_image = f"of images of {listed(grid.median)} in the median, nine of ten at least {listed(grid.usual)}"
    choices = [
        Choice("patch", listed(size.patch), f"{of_image}; {limited}"),
        Choice(
            "batch", str(size.batch),
            f"a step takes {needed / 2**20:.0f} of {memory / 2**20:.0f} MiB, and about {seconds:.2g} s here",
        ),
    ]  # fmt: skip
    if size.features:
        reason = f"{limited}: at the finest level the widest of {_FIRST_FEATURES} of which {LEAST_STEPS} steps fit"
        choices.append(Choice("features", str(list(size.features)), reason))
        why = "pooled until maps have 4 voxels, along axes whose voxels are less than twice as long as the shortest"
        choices.append(Choice("strides", str([list(step) for step in size.strides]), why))
    return choices
