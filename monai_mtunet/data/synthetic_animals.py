"""The synthetic data set of animals: its datalist, and the transform that draws a sample from its seed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ensure_tuple_rep

from .acquisition import draw_acquisition
from .animal_scene import draw_animal
from .synthetic import synthetic_datalist

__all__ = ["ANIMAL_CLASSES", "ANIMAL_PALETTE", "ANIMAL_SPECIES", "LoadSyntheticAnimald", "synthetic_animals_datalist"]

# Named as in Oxford-IIIT Pet, for which this stands in.
ANIMAL_CLASSES = ("background", "pet")
ANIMAL_PALETTE = ((0, 0, 0), (230, 159, 0))
ANIMAL_SPECIES = ("cat", "dog")  # of striped and of checked coat


def synthetic_animals_datalist(
    count: int, section: str = "train", seed: int = 0, species: Sequence[int] = (0, 1)
) -> list[dict[str, int]]:
    """List the seeds of a synthetic data set of animals, one per sample, with the species to draw.

    The auxiliary-task study trains on cats and dogs and measures by dogs alone; ``species=[1]`` makes such a section.

    Args:
        count: number of samples, up to a million.
        section: "train", "val" or "test", which never overlap (`synthetic_datalist`).
        seed: which data set, 0 .. 1000.
        species: numbers in `ANIMAL_SPECIES`, which take turns.

    Returns:
        ``[{"seed": ..., "species": ...}, ...]``, to be drawn by `LoadSyntheticAnimald`.

    Raises:
        ValueError: When an argument is out of its range.

    Example:
        >>> synthetic_animals_datalist(2, "test", species=[1])
        [{'seed': 2, 'species': 1}, {'seed': 5, 'species': 1}]
    """
    if not species or not set(species) <= set(range(len(ANIMAL_SPECIES))):
        raise ValueError(f"species must be some of 0 ({ANIMAL_SPECIES[0]}) and 1 ({ANIMAL_SPECIES[1]}), got {species}.")
    samples = synthetic_datalist(count, section, seed)
    return [{**sample, "species": species[i % len(species)]} for i, sample in enumerate(samples)]


class LoadSyntheticAnimald(Transform):
    """Draw an animal from its seed: what `LoadSampled` is for files.

    Adds to a sample:

    - image, a MetaTensor ``(C, *spatial)``, float32: RGB on the 0-255 scale, or a one-channel volume as a scanner
      would give it, with slices 1 to 2 mm apart (the affine tells) and intensities in a unit of its own;
    - classes, a MetaTensor ``(1, *spatial)``, int16, indices of `ANIMAL_CLASSES`;
    - the species, a number in `ANIMAL_SPECIES`;
    - the box of the head, ``[top, left, bottom, right]`` in voxels, of volumes ``[x, y, z]`` of its start, then of
      its stop, as `PaintBoxd` takes it.

    What is drawn is told in `monai_mtunet.data.animal_scene`. A target that a sample holds None for stays so.

    Args:
        spatial_dims: 2 or 3.
        spatial_size: size in voxels, one number or one per axis. Default: 64 in 2D, 48 in 3D.
        image_key: where to put the image.
        label_key: where to put the classes.
        class_key: where to put the species.
        box_key: where to put the box.
        seed_key: where the seed is. It stays there.
        species_key: where the species to draw is; without it the seed decides. It stays there.

    Raises:
        ValueError: When ``spatial_dims`` is neither 2 nor 3.

    Example:
        >>> sample = LoadSyntheticAnimald()({"seed": 1, "species": 0})
        >>> sample["image"].shape, sample["classify"], len(sample["box"])
        (torch.Size([3, 64, 64]), 0, 4)
    """

    def __init__(
        self,
        spatial_dims: int = 2,
        spatial_size: int | Sequence[int] | None = None,
        image_key: str = "image",
        label_key: str = "segment",
        class_key: str = "classify",
        box_key: str = "box",
        seed_key: str = "seed",
        species_key: str = "species",
    ) -> None:
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}.")
        self.spatial_size = ensure_tuple_rep(spatial_size or {2: 64, 3: 48}[spatial_dims], spatial_dims)
        self.image_key, self.label_key, self.class_key, self.box_key = image_key, label_key, class_key, box_key
        self.seed_key, self.species_key = seed_key, species_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the image and its targets to the sample."""
        sample = dict(data)
        seed = int(sample[self.seed_key])
        spacing, channels, unit, affine = draw_acquisition(seed, len(self.spatial_size))
        scene = draw_animal(seed, self.spatial_size, channels, spacing, sample.get(self.species_key))
        # Savers name their files after `filename_or_obj`.
        meta = {"filename_or_obj": f"animal_{seed:06d}"}
        targets = {
            self.image_key: MetaTensor(torch.from_numpy(scene.image) * unit, affine=affine, meta=dict(meta)),
            self.label_key: MetaTensor(torch.from_numpy(scene.labels), affine=affine, meta=dict(meta)),
            self.class_key: scene.species,
            self.box_key: scene.head_box.tolist(),
        }
        # None: unlabeled on purpose, see `keep_labels`
        return sample | {key: value for key, value in targets.items() if sample.get(key, key) is not None}
