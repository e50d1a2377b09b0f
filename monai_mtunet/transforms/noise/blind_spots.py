"""Blind spots: denoising that learns from noisy images alone."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, convert_to_tensor, ensure_tuple, ensure_tuple_rep

from .repeatable import Repeatable

__all__ = ["MaskBlindSpotsd"]

SAMPLINGS = ("stratified", "uniform")
REPLACEMENTS = ("neighbor", "median", "mean")


class MaskBlindSpotsd(Repeatable, MapTransform):
    """Hide some voxels of a noisy image from the network that has to predict them.

    Krull, Buchholz and Jug, "Noise2Void: learning denoising from single noisy images", CVPR 2019. Noise that is
    independent between voxels cannot be predicted from the other voxels, but the signal can. So a network that predicts
    hidden voxels learns the signal, and afterwards denoises images of which nothing is hidden.

    The value of a hidden voxel is replaced by one from a window around it that never holds the voxel itself: a random
    neighbor (as in the paper), or the median or mean of the window (Hoeck et al., "N2V2", 2022, against
    checkerboards).

    Noise with correlation along some axis, such as lines of a scan, needs a ``structure``: the box of voxels around a
    blind spot that share its noise (Broaddus et al., "Removing structured noise with self-supervised blind-spot
    networks", ISBI 2020). All of them are hidden, and none of their values replaces another; only the spot counts.

    The target is the noisy image at the blind spots, NaN elsewhere; what it held before does not matter. Place it after
    the noise, after crops and flips, and before whatever copies or mixes voxels, such as padding by the edge or
    rotation; normalization may come before or after. In validation leave it out where there is a clean target, else
    make it ``reproducible``. Inference does not need it.

    Args:
        keys: keys of the noisy images ``(C, *spatial)`` of a floating type. Voxels that are not finite are neither
            hidden nor used.
        target_keys: where to put the targets, one per key: the name of the restoration task.
        fraction: of the voxels that are blind spots, within 0..0.5 (the paper: 0.016).
        sampling: "stratified", one voxel at a random place in every cell of a grid, whose size makes up the fraction as
            nearly as whole voxels can; or "uniform", exactly the fraction of all voxels.
        replacement: "neighbor", "median" or "mean".
        window: size of the window in voxels, odd, one number or one per axis; 1 along axes with far thicker slices.
        structure: size of the box that shares noise, likewise; 1, the default, for independent voxels.
        per_channel: whether every channel has spots of its own, where noise is independent between channels. By default
            a spot is hidden in all channels.
        reproducible: whether an image gets the same spots every time, see `Repeatable`.
        seed: with ``reproducible``: another seed gives the same image other spots.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When an argument is none of these, or the structure leaves nothing of the window.

    Example:
        >>> sample = MaskBlindSpotsd("image", "denoise")({"image": torch.rand(1, 64, 64)})
        >>> int(sample["denoise"].isfinite().sum())
        36
        >>> lines = MaskBlindSpotsd("image", "denoise", structure=(1, 9))  # noise along the last axis
    """

    def __init__(
        self,
        keys: KeysCollection,
        target_keys: KeysCollection,
        fraction: float = 0.01,
        sampling: str = "stratified",
        replacement: str = "neighbor",
        window: int | Sequence[int] = 5,
        structure: int | Sequence[int] = 1,
        per_channel: bool = False,
        reproducible: bool = False,
        seed: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        Repeatable.__init__(self, reproducible, seed)
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.target_keys = ensure_tuple_rep(target_keys, len(self.keys))
        if not 0 < fraction <= 0.5:
            raise ValueError(f"The fraction of blind spots must be within 0..0.5 and not 0, got {fraction}.")
        if sampling not in SAMPLINGS:
            raise ValueError(f"sampling must be one of {SAMPLINGS}, got {sampling!r}.")
        if replacement not in REPLACEMENTS:
            raise ValueError(f"replacement must be one of {REPLACEMENTS}, got {replacement!r}.")
        for name, sizes in (("window", window), ("structure", structure)):
            if any(size < 1 or size % 2 == 0 for size in ensure_tuple(sizes)):
                raise ValueError(f"{name} must be odd, so that it has a center, got {sizes}.")
        self.fraction = fraction
        self.sampling = sampling
        self.replacement = replacement
        self.window = window
        self.structure = structure
        self.per_channel = per_channel

    def randomize(self, data: torch.Tensor) -> None:
        """Sample the seed of an image's spots."""
        self._spot_seed = int(self.state_for(data).randint(2**31))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Hide voxels of a sample's images.

        Raises:
            TypeError: When an image holds integers.
            ValueError: When an image is so small that a voxel has no neighbor left in its window.
        """
        sample = dict(data)
        for key, target_key in self.key_iterator(sample, self.target_keys):
            noisy = convert_to_tensor(sample[key], track_meta=get_track_meta())
            sample[key], spots = self._hidden(noisy)
            sample[target_key] = noisy.float().masked_fill(~spots, torch.nan)
        return sample

    def _hidden(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The image without the hidden values, float32, and where the blind spots are."""
        if not image.is_floating_point():
            raise TypeError(f"MaskBlindSpotsd needs a floating-point image, got {image.dtype}: load it as float32.")
        values = convert_to_tensor(image, dtype=torch.float32, track_meta=False)
        self.randomize(values)
        generator = torch.Generator().manual_seed(self._spot_seed)
        groups = values.split(1) if self.per_channel else [values]
        hidden, spots = zip(*(self._hide(group, generator) for group in groups), strict=True)
        result: torch.Tensor = convert_to_dst_type(torch.cat(hidden), dst=image, dtype=torch.float32)[0]
        return result, torch.cat(spots)

    def _hide(self, values: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Hide the same voxels in all channels given."""
        size = torch.tensor(values.shape[1:])
        strides = torch.tensor([int(size[axis + 1 :].prod()) for axis in range(len(size))])
        flat = values.flatten(start_dim=1)
        usable = torch.isfinite(flat).all(dim=0).cpu()
        spots = self._sampled(size, generator)
        spots = spots[usable[spots @ strides]]
        around, replacing = self._offsets(len(size))

        hidden = (spots[:, None] + around).flatten(end_dim=1)
        hidden = hidden[((hidden >= 0) & (hidden < size)).all(dim=1)]
        sources = hidden[:, None] + replacing
        inside = ((sources >= 0) & (sources < size)).all(dim=2)
        sources = (sources @ strides).masked_fill(~inside, 0)
        allowed = inside & usable[sources]
        if not allowed.any(dim=1).all():
            raise ValueError(
                f"A window of {self.window} leaves a voxel of an image of size {tuple(size.tolist())} without a "
                f"neighbor to replace it (structure {self.structure}): enlarge the window or the image."
            )

        result, is_spot = flat.clone(), torch.zeros_like(flat, dtype=torch.bool)
        result[:, hidden @ strides] = self._replace(flat, sources, allowed, generator)
        result = torch.where(usable.to(flat.device), result, flat)
        is_spot[:, spots @ strides] = True
        return result.view_as(values), is_spot.view_as(values)

    def _sampled(self, size: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Positions of the spots, (count, axes)."""
        if self.sampling == "uniform":
            count = max(1, round(self.fraction * int(size.prod())))
            chosen = torch.randperm(int(size.prod()), generator=generator)[:count]
            return torch.stack(torch.unravel_index(chosen, tuple(size.tolist())), dim=1)
        cells = self._cells(size.tolist())
        starts = [torch.arange(0, length, cell) for length, cell in zip(size.tolist(), cells, strict=True)]
        corners = torch.stack(torch.meshgrid(*starts, indexing="ij"), dim=-1).flatten(end_dim=-2)
        spots = corners + (torch.rand(corners.shape, generator=generator) * torch.tensor(cells)).long()
        # Cells that the border cuts lose the spots beyond it, so that every voxel is as likely as any other.
        return spots[(spots < size).all(dim=1)]

    def _cells(self, size: list[int]) -> list[int]:
        """Size of the grid's cells, of 1 / fraction voxels as nearly as may be, thin axes first."""
        voxels, cells = 1 / self.fraction, [1] * len(size)
        for axes_left, axis in zip(range(len(size), 0, -1), np.argsort(size, kind="stable"), strict=True):
            cells[axis] = max(1, min(size[axis], round(voxels ** (1 / axes_left))))
            voxels /= cells[axis]
        return cells

    def _offsets(self, dims: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What is hidden around a spot, and where a hidden voxel's replacement may come from."""
        structure = [size // 2 for size in ensure_tuple_rep(self.structure, dims)]
        window = [size // 2 for size in ensure_tuple_rep(self.window, dims)]
        around = _box(structure)
        # Twice as far as the structure reaches: a voxel at one end must not be replaced by one at the other.
        shared = torch.tensor([2 * half for half in structure])
        replacing = _box(window)
        replacing = replacing[(replacing.abs() > shared).any(dim=1)]
        if not len(replacing):
            raise ValueError(
                f"A structure of {self.structure} leaves nothing of a window of {self.window}: along some axis the "
                "window must exceed twice the structure (any window above 1 does where the structure is 1)."
            )
        return around, replacing

    def _replace(
        self, flat: torch.Tensor, sources: torch.Tensor, allowed: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Values for the hidden voxels, (channels, hidden)."""
        if self.replacement == "neighbor":
            chosen = torch.rand(sources.shape, generator=generator).masked_fill(~allowed, -1).argmax(dim=1)
            return flat[:, sources.gather(1, chosen[:, None])[:, 0]]
        neighbors = flat[:, sources].masked_fill(~allowed.to(flat.device), torch.nan)
        return neighbors.nanmedian(dim=2).values if self.replacement == "median" else neighbors.nanmean(dim=2)


def _box(halves: Sequence[int]) -> torch.Tensor:
    """Offsets of all voxels of a box, (voxels, axes)."""
    return torch.tensor(list(itertools.product(*(range(-half, half + 1) for half in halves))))
