"""The synthetic data set of depth: the transform that draws a geometric scene from its seed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ensure_tuple_rep

from .geometric_scene import draw_geometric_scene

__all__ = ["GEOMETRY_CLASSES", "GEOMETRY_PALETTE", "LoadSyntheticGeometryd"]

GEOMETRY_CLASSES = ("sky", "ground", "wall", "box", "ball", "pillar")
GEOMETRY_PALETTE = ((86, 180, 233), (90, 90, 90), (204, 121, 167), (213, 94, 0), (240, 228, 66), (0, 114, 178))


class LoadSyntheticGeometryd(Transform):
    """Draw a scene with depth, normals and instances from its seed: what `LoadSampled` is for files.

    Adds to a sample, as MetaTensors:

    - image ``(3, H, W)``, float32, on the 0-255 scale;
    - classes ``(1, H, W)``, int16, indices of `GEOMETRY_CLASSES`;
    - depth ``(1, H, W)``, float32, in meters along the viewing direction, NaN in the sky. The ground at the foot of
      the image is the nearest, so taller images start nearer: 60 scenes span 3.4 to 25.5 m at 64 x 128, 1.9 to 25.5 m
      at 64 x 64 and 1.0 to 25.5 m at 128 x 64;
    - normals ``(3, H, W)``, float32, unit vectors towards the camera, NaN in the sky. Their axes are the camera's:
      x right, y down, z forward, so a flip of the image's columns negates component 0;
    - instances ``(1, H, W)``, int16, 0 for sky, ground and wall and a number for every box, ball and pillar.

    The camera is that of `monai_mtunet.data.geometric_scene.scene_intrinsics`. A target that a sample holds None for
    stays so.

    Args:
        spatial_size: ``(H, W)`` in pixels, or one number for both.
        image_key: where to put the image.
        label_key: where to put the classes.
        depth_key: where to put the depth.
        normals_key: where to put the normals.
        instances_key: where to put the instances.
        seed_key: where the seed is, from `synthetic_datalist`. It stays there.

    Example:
        >>> sample = LoadSyntheticGeometryd(spatial_size=(64, 128))({"seed": 1})
        >>> sample["depth"].shape, sample["normals"].shape
        (torch.Size([1, 64, 128]), torch.Size([3, 64, 128]))
    """

    def __init__(
        self,
        spatial_size: int | Sequence[int] = (64, 128),
        image_key: str = "image",
        label_key: str = "segment",
        depth_key: str = "depth",
        normals_key: str = "normals",
        instances_key: str = "instances",
        seed_key: str = "seed",
    ) -> None:
        self.spatial_size = ensure_tuple_rep(spatial_size, 2)
        self.keys = (image_key, label_key, depth_key, normals_key, instances_key)  # in GeometricScene's order
        self.seed_key = seed_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add what the camera sees to the sample."""
        sample = dict(data)
        seed = int(sample[self.seed_key])
        for key, values in zip(self.keys, draw_geometric_scene(seed, self.spatial_size), strict=True):
            if sample.get(key, key) is not None:  # None: unlabeled on purpose, see `keep_labels`
                # Savers name their files after `filename_or_obj`.
                sample[key] = MetaTensor(torch.from_numpy(values), meta={"filename_or_obj": f"geometry_{seed:06d}"})
        return sample
