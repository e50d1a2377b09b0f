"""The synthetic data set of instances: the transform that draws touching objects from a seed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ensure_tuple_rep

from .acquisition import draw_acquisition
from .touching_objects import draw_touching_objects

__all__ = ["INSTANCE_CLASSES", "INSTANCE_PALETTE", "LoadSyntheticInstancesd"]

INSTANCE_CLASSES = ("background", "cell", "brick")
INSTANCE_PALETTE = ((64, 64, 64), (86, 180, 233), (213, 94, 0))


class LoadSyntheticInstancesd(Transform):
    """Draw cells and bricks, most of them touching, from a seed: what `LoadSampled` is for files.

    Adds to a sample, as MetaTensors:

    - image ``(C, *spatial)``, float32: RGB on the 0-255 scale in 2D; in 3D one channel as a scanner would give it, with
      slices 1 to 2 mm apart (the affine tells) and intensities in a unit of the volume's own;
    - classes ``(1, *spatial)``, int16, indices of `INSTANCE_CLASSES`;
    - instances ``(1, *spatial)``, int32, 0 background and 1, 2, ... for the objects, without gaps.

    A target that a sample holds None for stays so. What is drawn and why it has to be learned is told in
    `monai_mtunet.data.touching_objects`.

    Args:
        spatial_dims: 2 or 3.
        spatial_size: size in voxels, one number or one per axis. Default: 96 in 2D, 48 in 3D.
        image_key: where to put the image.
        label_key: where to put the classes.
        instances_key: where to put the instances.
        seed_key: where the seed is, from `synthetic_datalist`. It stays there.

    Raises:
        ValueError: When ``spatial_dims`` is neither 2 nor 3.

    Example:
        >>> sample = LoadSyntheticInstancesd(spatial_dims=2)({"seed": 1})
        >>> sample["image"].shape, sample["instances"].shape
        (torch.Size([3, 96, 96]), torch.Size([1, 96, 96]))
    """

    def __init__(
        self,
        spatial_dims: int = 2,
        spatial_size: int | Sequence[int] | None = None,
        image_key: str = "image",
        label_key: str = "segment",
        instances_key: str = "instances",
        seed_key: str = "seed",
    ) -> None:
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}.")
        self.spatial_size = ensure_tuple_rep(spatial_size or {2: 96, 3: 48}[spatial_dims], spatial_dims)
        self.keys = (image_key, label_key, instances_key)  # in InstanceScene's order
        self.seed_key = seed_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the image, its classes and its instances to the sample."""
        sample = dict(data)
        seed = int(sample[self.seed_key])
        spacing, channels, unit, affine = draw_acquisition(seed, len(self.spatial_size))
        scene = draw_touching_objects(seed, self.spatial_size, channels, spacing)
        for key, values in zip(self.keys, scene._replace(image=scene.image * np.float32(unit)), strict=True):
            if sample.get(key, key) is None:  # unlabeled on purpose, see `keep_labels`
                continue
            # Savers name their files after `filename_or_obj`.
            meta = {"filename_or_obj": f"instances_{seed:06d}"}
            sample[key] = MetaTensor(torch.from_numpy(values), affine=affine, meta=meta)
        return sample
