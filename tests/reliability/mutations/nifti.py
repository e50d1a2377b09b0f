"""NIfTI files with headers that claim something else, and values that are none."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.random import Generator

from .any_file import Mutation, flipped

_HEADER, _DIM, _DATATYPE, _PIXDIM, _OFFSET, _SLOPE = 348, 40, 70, 76, 108, 112


def _patched(patch: Callable[[bytearray, Generator], None]) -> Mutation:
    """Change the header's bytes, under the compression if there is one."""

    def mutate(path: Path, rng: Generator) -> None:
        compressed = path.name.endswith(".gz")
        content = bytearray(gzip.decompress(path.read_bytes()) if compressed else path.read_bytes())
        patch(content, rng)
        path.write_bytes(gzip.compress(bytes(content)) if compressed else bytes(content))

    return mutate


def _pick(rng: Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _claimed_shape(content: bytearray, rng: Generator) -> None:
    sizes = _pick(rng, (32767,) * 3, (0, 10, 8), (-5, 10, 8), (1, 1, 1), (12, 10, 9), (30000, 30000, 2), (12, 10, 4))
    struct.pack_into("<3h", content, _DIM + 2, *sizes)


def _claimed_axes(content: bytearray, rng: Generator) -> None:
    struct.pack_into("<h", content, _DIM, _pick(rng, 0, 1, 2, 4, 7, 8, -3, 1000))


def _claimed_type(content: bytearray, rng: Generator) -> None:
    struct.pack_into("<h", content, _DATATYPE, _pick(rng, 0, 1, 2, 4, 8, 32, 64, 128, 256, 768, 1024, 1536, 9999))


def _spacing(content: bytearray, rng: Generator) -> None:
    struct.pack_into("<3f", content, _PIXDIM + 4, *(_pick(rng, 0.0, -1.0, np.nan, np.inf, 1e-30, 1e30) for _ in "xyz"))


def _affine(content: bytearray, rng: Generator) -> None:
    for row in range(3):
        value = _pick(rng, 0.0, np.nan, np.inf, -3.0, 1e20)
        struct.pack_into(
            "<4f", content, 280 + 16 * row, value, *(rng.normal() if rng.integers(2) else value for _ in "yzt")
        )


def _offset(content: bytearray, rng: Generator) -> None:
    struct.pack_into("<f", content, _OFFSET, _pick(rng, 0.0, 16.0, -352.0, 1e9, np.nan, 400.0))


def _slope(content: bytearray, rng: Generator) -> None:
    struct.pack_into(
        "<2f", content, _SLOPE, _pick(rng, np.nan, np.inf, 1e38, -1.0, 1e-30), _pick(rng, 0.0, np.inf, 5.0)
    )


def _flipped_header(path: Path, rng: Generator) -> None:
    patch: Mutation = lambda unpacked, generator: flipped(unpacked, generator, 0, _HEADER)  # noqa: E731
    _unpacked(path, rng, patch)


def _unpacked(path: Path, rng: Generator, mutate: Mutation) -> None:
    if not path.name.endswith(".gz"):
        mutate(path, rng)
        return
    path.write_bytes(gzip.decompress(path.read_bytes()))
    mutate(path, rng)
    path.write_bytes(gzip.compress(path.read_bytes()))


def _saved(change: Callable[[np.ndarray[Any, Any], Generator], np.ndarray[Any, Any]]) -> Mutation:
    """Save other values, by nibabel itself."""

    def mutate(path: Path, rng: Generator) -> None:
        image: Any = nib.load(path)
        array = np.array(image.dataobj)
        nib.save(nib.Nifti1Image(change(array, rng), image.affine), path)

    return mutate


def _some_not_finite(array: np.ndarray[Any, Any], rng: Generator) -> np.ndarray[Any, Any]:
    array = array.astype(np.float32)
    array.flat[rng.integers(0, array.size, int(rng.integers(1, 30)))] = _pick(rng, np.nan, np.inf, -np.inf)
    return array


def _none_finite(array: np.ndarray[Any, Any], rng: Generator) -> np.ndarray[Any, Any]:
    return np.full(array.shape, _pick(rng, np.nan, np.inf), np.float32)


def _of_a_type(array: np.ndarray[Any, Any], rng: Generator) -> np.ndarray[Any, Any]:
    name = _pick(rng, "complex64", "float64", "uint16", "int16", "int8", "uint32", "int32", "float32", "rgb")
    if name == "rgb":
        return np.zeros(array.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    return array.clip(0, 120).astype(name)


def _of_a_shape(array: np.ndarray[Any, Any], rng: Generator) -> np.ndarray[Any, Any]:
    return _pick(
        rng, array[:1], array[..., 0], array[:1, :1, :1], array[0, 0], array[..., None], array[..., None, None],
        np.stack([array] * 3, -1), np.stack([array] * 2, -1)[..., None, :], array[:, :, :-1], array[:0],
    )  # fmt: skip


def _huge_values(array: np.ndarray[Any, Any], rng: Generator) -> np.ndarray[Any, Any]:
    array = array.astype(np.float64)
    array.flat[int(rng.integers(array.size))] = _pick(rng, 1e38, 1e300, -1e39, 3e38)
    return array


def _constant(array: np.ndarray[Any, Any], rng: Generator) -> np.ndarray[Any, Any]:
    return np.full_like(array, _pick(rng, 0, 1, 100))


NIFTI: dict[str, Mutation] = {
    "flipped bits in the header": _flipped_header,
    "claimed shape": _patched(_claimed_shape),
    "claimed number of axes": _patched(_claimed_axes),
    "claimed type": _patched(_claimed_type),
    "spacing": _patched(_spacing),
    "affine": _patched(_affine),
    "offset of the values": _patched(_offset),
    "slope and intercept": _patched(_slope),
    "some values not finite": _saved(_some_not_finite),
    "no value finite": _saved(_none_finite),
    "another type": _saved(_of_a_type),
    "another shape": _saved(_of_a_shape),
    "huge values": _saved(_huge_values),
    "constant": _saved(_constant),
}
