"""The transform that paints a synthetic sample from its seed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ensure_tuple_rep

from .scan import sample_scan
from .scenes import SCENES

__all__ = ["LoadSyntheticd"]


class LoadSyntheticd(Transform):
    """Paint a sample from its seed: what `LoadSampled` is for files.

    ===========  ====  ==================================================  ===========================  ============
    scene        dims  what is painted                                     targets                      default size
    ===========  ====  ==================================================  ===========================  ============
    shapes       2, 3  balls and bars, striped or checked                  segment                      96, in 3D 48
    animals      2, 3  a body with a head: a striped cat or a checked dog  segment, classify, box       64, in 3D 48
    geometry     2     boxes, balls and pillars before a wall              segment, depth, normals,     (64, 128)
                                                                           instances
    instances    2, 3  clusters of cells and rows of bricks                segment, instances           96, in 3D 48
    ===========  ====  ==================================================  ===========================  ============

    Images are RGB on the 0-255 scale, float32 (3, H, W). Volumes have one channel, (1, X, Y, Z), as a scanner would
    give them: slices 1 to 2 mm apart (the affine tells), and intensities in a unit of the volume's own, whose maximum
    lies anywhere from about 200 to 200,000. What targets are, and why they have to be learned, is told in
    `monai_mtunet.data.synthetic`, in the module of each scene. Image and maps are MetaTensors.

    Args:
        scene: what to paint.
        spatial_dims: 2 or 3.
        spatial_size: size in voxels, one number or one per axis. Default: see the table.
        keys: where to put the image or a target, if not under its own name: ``{"segment": "organs"}``.
        **options: of the scene, for all samples that do not hold their own. "shapes" has ``one_class``, whether all
            objects of an image are of one class, as in photographs that are to be classified. "animals" has
            ``species``, 0 cat or 1 dog; by default the seed decides.

    Raises:
        ValueError: When there is no such scene, or not of these dimensions, or it has no such target or option.

    Example:
        >>> sample = LoadSyntheticd(spatial_dims=2)({"seed": 1})
        >>> sample["image"].shape, sample["segment"].shape
        (torch.Size([3, 96, 96]), torch.Size([1, 96, 96]))
        >>> sample = LoadSyntheticd("animals")({"seed": 1, "species": 0})
        >>> sample["image"].shape, sample["classify"], len(sample["box"])
        (torch.Size([3, 64, 64]), 0, 4)
    """

    def __init__(
        self,
        scene: str = "shapes",
        spatial_dims: int = 2,
        spatial_size: int | Sequence[int] | None = None,
        keys: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}.")
        if scene not in SCENES:
            raise ValueError(f"scene must be one of {', '.join(SCENES)}, got {scene!r}.")
        self.scene, self.keys, self.options = SCENES[scene], dict(keys or {}), options
        if spatial_dims not in self.scene.default_size:
            raise ValueError(f"The scene {scene!r} has no volumes: spatial_dims must be 2, got {spatial_dims}.")
        if unknown := self.keys.keys() - {"image", *self.scene.targets}:
            raise ValueError(
                f"The scene {scene!r} has image, {', '.join(self.scene.targets)}, but keys name {sorted(unknown)}."
            )
        if unknown := options.keys() - set(self.scene.options):
            raise ValueError(
                f"The scene {scene!r} has the options {', '.join(self.scene.options) or 'none'}, got {sorted(unknown)}."
            )
        self.spatial_size = ensure_tuple_rep(spatial_size or self.scene.default_size[spatial_dims], spatial_dims)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the image and its targets to the sample, which keeps its seed. A target that it holds None for stays.

        A sample without a seed, such as a user's files, is left to `LoadSampled`.
        """
        sample = dict(data)
        if "seed" not in sample:
            return sample
        seed = int(sample["seed"])
        painted, affine = self._paint(seed, sample)
        for name, values in painted.items():
            key = self.keys.get(name, name)
            if sample.get(key, key) is None:  # unlabeled on purpose, see `keep_labels`
                continue
            if isinstance(values, np.ndarray):
                # Savers name their files after `filename_or_obj`.
                meta = {"filename_or_obj": f"{self.scene.prefix}_{seed:06d}"}
                values = MetaTensor(torch.from_numpy(values), affine=affine, meta=meta)
            sample[key] = values
        return sample

    def _paint(self, seed: int, sample: Mapping[Hashable, Any]) -> tuple[dict[str, Any], torch.Tensor | None]:
        """Image and targets, and their affine."""
        own = {name: sample[name] for name in self.scene.options if sample.get(name) is not None}
        options, spacing = self.options | own, (1.0,) * len(self.spatial_size)
        if len(self.spatial_size) == 2:
            painted = dict(self.scene.paint(seed, self.spatial_size, **options))
        else:
            spacing, unit = sample_scan(seed)
            painted = dict(self.scene.paint(seed, self.spatial_size, channels=1, spacing=spacing, **options))
            painted["image"] *= np.float32(unit)
        if 3 not in self.scene.default_size:  # what only a camera sees has no voxel size, as an image file has none
            return painted, None
        return painted, torch.diag(torch.tensor([*spacing, 1.0], dtype=torch.float64))
