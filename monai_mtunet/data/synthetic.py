"""The synthetic data set: a datalist of seeds, and the transform that draws a sample from its seed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ensure_tuple_rep

from .acquisition import draw_acquisition
from .synthetic_scene import draw_scene

__all__ = [
    "SYNTHETIC_CATEGORIES",
    "SYNTHETIC_CATEGORY_OF_LABEL",
    "SYNTHETIC_CATEGORY_PALETTE",
    "SYNTHETIC_CLASSES",
    "SYNTHETIC_LABELS",
    "SYNTHETIC_PALETTE",
    "LoadSyntheticd",
    "synthetic_datalist",
]

SYNTHETIC_CLASSES = ("canvas", "striped ball", "striped bar", "checked ball", "checked bar")
SYNTHETIC_PALETTE = ((64, 64, 64), (213, 94, 0), (240, 228, 66), (0, 114, 178), (86, 180, 233))

# Coarse to fine: a category is a texture, a class is a texture and a shape. For MapLabelValued(orig_labels=LABELS,
# target_labels=CATEGORY_OF_LABEL, dtype="int16").
SYNTHETIC_CATEGORIES = ("canvas", "striped", "checked")
SYNTHETIC_CATEGORY_PALETTE = ((64, 64, 64), (240, 130, 50), (70, 160, 175))
SYNTHETIC_LABELS = (0, 1, 2, 3, 4)
SYNTHETIC_CATEGORY_OF_LABEL = (0, 1, 1, 2, 2)

SECTIONS = ("train", "val", "test")
LARGEST_COUNT = 1_000_000  # samples of one section of one data set


def synthetic_datalist(count: int, section: str = "train", seed: int = 0) -> list[dict[str, int]]:
    """List the seeds of a synthetic data set, one per sample.

    The sections are disjoint whatever their counts, and so are data sets of different seeds: a sample's seed is
    ``3 * (1_000_000 * seed + index) + section``, so validation never sees a training scene.

    Args:
        count: number of samples, up to a million.
        section: "train", "val" or "test".
        seed: which data set, 0 .. 1000.

    Returns:
        ``[{"seed": ...}, ...]``, to be drawn by `LoadSyntheticd`.

    Raises:
        ValueError: When an argument is out of its range.

    Example:
        >>> synthetic_datalist(2, section="val")
        [{'seed': 1}, {'seed': 4}]
    """
    if section not in SECTIONS:
        raise ValueError(f"section must be one of {SECTIONS}, got {section!r}.")
    if not 1 <= count <= LARGEST_COUNT:
        raise ValueError(f"count must be within 1..{LARGEST_COUNT}, got {count}.")
    if not 0 <= seed <= 1000:
        raise ValueError(f"seed must be within 0..1000, got {seed}.")
    first = LARGEST_COUNT * seed
    return [{"seed": len(SECTIONS) * (first + i) + SECTIONS.index(section)} for i in range(count)]


class LoadSyntheticd(Transform):
    """Draw a sample from its seed: what `LoadSampled` is for files.

    2D gives RGB scenes on the 0-255 scale. 3D gives one-channel phantoms as a scanner would: slices 1 to 2 mm apart
    (the affine tells), and intensities in a unit of the volume's own, whose maximum lies anywhere from about 200 to
    200,000. What is drawn and why it has to be learned is told in `monai_mtunet.data.synthetic_scene`.

    Args:
        spatial_dims: 2 or 3.
        spatial_size: size in voxels, one number or one per axis. Default: 96 in 2D, 48 in 3D.
        image_key: where to put the image, a MetaTensor ``(C, *spatial)``, float32, with C = 3 in 2D and 1 in 3D.
        label_key: where to put the classes, a MetaTensor ``(1, *spatial)``, int16, 0 .. 4. A sample that holds None
            there stays without.
        seed_key: where the seed is. It stays there.
        one_class: whether all objects of an image are of one class, as in photographs that are to be classified.

    Raises:
        ValueError: When ``spatial_dims`` is neither 2 nor 3.

    Example:
        >>> sample = LoadSyntheticd(spatial_dims=2)({"seed": 1})
        >>> sample["image"].shape, sample["segment"].shape
        (torch.Size([3, 96, 96]), torch.Size([1, 96, 96]))
    """

    def __init__(
        self,
        spatial_dims: int = 2,
        spatial_size: int | Sequence[int] | None = None,
        image_key: str = "image",
        label_key: str = "segment",
        seed_key: str = "seed",
        one_class: bool = False,
    ) -> None:
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}.")
        self.spatial_size = ensure_tuple_rep(spatial_size or {2: 96, 3: 48}[spatial_dims], spatial_dims)
        self.image_key, self.label_key, self.seed_key = image_key, label_key, seed_key
        self.one_class = one_class

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the image and its classes to the sample."""
        sample = dict(data)
        seed = int(sample[self.seed_key])
        spacing, channels, unit, affine = draw_acquisition(seed, len(self.spatial_size))
        image, labels = draw_scene(seed, self.spatial_size, channels, spacing, self.one_class)
        for key, values in (
            (self.image_key, torch.from_numpy(image) * unit),
            (self.label_key, torch.from_numpy(labels)),
        ):
            if sample.get(key, key) is None:  # unlabeled on purpose, see `keep_labels`
                continue
            # Savers name their files after `filename_or_obj`.
            sample[key] = MetaTensor(values, affine=affine, meta={"filename_or_obj": f"synthetic_{seed:06d}"})
        return sample
