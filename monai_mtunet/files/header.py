"""What a file says besides its values, as far as another like it needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEADER_KEY", "Header", "Kind", "Legend"]

Legend = Mapping[int, tuple[str, Sequence[int]]]
"""Name and RGB of each number in a label map."""

HEADER_KEY = "file_header"
"""Key of meta data that holds a header as a string, which collation and caches leave alone."""


class Kind(str, Enum):
    """What the prediction of an image is written as."""

    NIFTI = "NIfTI"
    NRRD = "NRRD"
    MHA = "MHA"
    TIFF = "TIFF"
    ZARR = "OME-Zarr"
    NPY = "npy"
    PICTURE = "picture"


@dataclass(frozen=True)
class Header:
    """What a file says besides its values.

    Args:
        kind: what a prediction is written as.
        spatial_dims: 2 or 3.
        dtype: of the values, as NumPy names it.
        axes: the stored axes' names, as in `StoredAxes`.
        affine: 4 x 4, from indices in the package's order to places; None where the file says none.
        spacing: length of a voxel along each spatial axis, in the package's order.
        unit: of ``spacing`` and ``affine``: "nm", "um", "mm", "cm", "m" or "angstrom".
        variant: what kind of the kind: ".nii.gz", "imagej", "ome" or "0.4".
        ending: of the file's name.
        spaces: NIfTI's codes of qform and sform, which say what space ``affine`` leads to: 1 the scanner's, 2 that of
            another file, 3 and 4 standard brains; 0 where that one does not say the affine.
        dpi: pixels per inch that a picture is printed with, along x and y; None where it says none.
    """

    kind: Kind
    spatial_dims: int
    dtype: str
    axes: str = ""
    affine: tuple[tuple[float, ...], ...] | None = None
    spacing: tuple[float, ...] | None = None
    unit: str | None = None
    variant: str = ""
    ending: str = ""
    spaces: tuple[int, int] = (0, 2)
    dpi: tuple[float, float] | None = None

    @classmethod
    def without_file(cls, spatial_dims: int) -> Header:
        """That of an image of no file: a picture, or a volume as NIfTI."""
        return cls(Kind.PICTURE if spatial_dims == 2 else Kind.NIFTI, spatial_dims, "float32")

    def placed(self, affine: NDArray[np.float64]) -> Header:
        """The same, lying elsewhere."""
        return replace(self, affine=rows(affine), spacing=spacing_of(affine, self.spatial_dims))

    def to_json(self) -> str:
        """As a string."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Header:
        """The way back."""
        values = json.loads(text)
        affine, spacing = values["affine"], values["spacing"]
        values["kind"], values["spaces"] = Kind(values["kind"]), tuple(values["spaces"])
        values["affine"] = None if affine is None else tuple(tuple(row) for row in affine)
        values["spacing"] = None if spacing is None else tuple(spacing)
        values["dpi"] = None if values["dpi"] is None else tuple(values["dpi"])
        return cls(**values)

    @classmethod
    def of_meta(cls, meta: Mapping[str, Any]) -> Header | None:
        """That of a loaded image; None where it was loaded from no file."""
        return cls.from_json(meta[HEADER_KEY]) if HEADER_KEY in meta else None


def rows(affine: Any) -> tuple[tuple[float, ...], ...]:
    """A matrix as tuples."""
    return tuple(tuple(float(value) for value in row) for row in np.asarray(affine))


def spacing_of(affine: NDArray[np.float64], spatial_dims: int) -> tuple[float, ...]:
    """Lengths of voxels along the axes."""
    return tuple(float(length) for length in np.linalg.norm(affine[:3, :spatial_dims], axis=0))


def rows_first(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine of axes (Y, X) for one of (X, Y), and back."""
    return affine[:, [1, 0, 2, 3]]
