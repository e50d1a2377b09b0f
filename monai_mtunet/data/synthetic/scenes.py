"""The kinds of synthetic scenes that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .animals import paint_animal
from .geometry import paint_geometry
from .instances import paint_touching_objects
from .shapes import paint_shapes

__all__ = ["SCENES", "Scene"]


@dataclass(frozen=True)
class Scene:
    """One kind of scenes: who paints it, and what `LoadSyntheticd` has to know of it.

    Attributes:
        paint: function of a seed and a spatial size, and by name of the options. It returns the image and the targets
            under their keys; arrays are ``(C, *spatial)``, the image is float32 on the 0-255 scale, RGB. If there are
            volumes of the scene, it takes ``channels`` and ``spacing`` too, the edge lengths of a voxel.
        default_size: by number of spatial dimensions, of which a scene has no others.
        prefix: what the names of its samples begin with.
        targets: keys of what it returns beside the image.
        options: names of what else it takes.
    """

    paint: Callable[..., Mapping[str, Any]]
    default_size: Mapping[int, int | tuple[int, ...]]
    prefix: str
    targets: tuple[str, ...]
    options: tuple[str, ...] = ()


SCENES = {
    "shapes": Scene(paint_shapes, {2: 96, 3: 48}, "synthetic", ("segment",), options=("one_class",)),
    "animals": Scene(paint_animal, {2: 64, 3: 48}, "animal", ("segment", "classify", "box"), options=("species",)),
    "geometry": Scene(paint_geometry, {2: (64, 128)}, "geometry", ("segment", "depth", "normals", "instances")),
    "instances": Scene(paint_touching_objects, {2: 96, 3: 48}, "instances", ("segment", "instances")),
}
