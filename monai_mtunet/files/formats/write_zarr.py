"""OME-Zarr as it is written: one image, or one label map that is its own group of labels."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from ..axes import StoredAxes
from ..header import Header, Legend
from ..missing_package import optional_package
from ..region_writer import RegionWriter
from ..replacing import beside
from ..units import ngff_unit

__all__ = ["ZarrWriter", "zarr_axes"]

_FORMATS = {"0.4": 2, "0.5": 3}  # of zarr, by version of OME-Zarr
_CHUNK = {2: 512, 3: 64}  # voxels along an axis


def zarr_axes(header: Header, shape: tuple[int, ...]) -> tuple[StoredAxes, list[str]]:
    """Axes of an array like that of the header, and their names in OME-Zarr."""
    spatial = "yx" if header.spatial_dims == 2 else "xyz"
    names = [name for name in header.axes if name in "tczyx"] if header.axes else list(spatial[::-1])
    if header.spatial_dims == 2 and not header.axes:
        names = ["y", "x"]
    if shape[0] > 1 and "c" not in names:
        names.insert(names.index("t") + 1 if "t" in names else 0, "c")
    sizes = dict(zip(("c", *spatial), shape, strict=True))
    stored = tuple(sizes.get(name, 1) for name in names)
    letters = "".join(name if name == "c" or name in spatial else "-" for name in names)
    return StoredAxes(letters, stored, spatial), names


class ZarrWriter(RegionWriter):
    """Writes chunks, or whole shards where blocks are given: one process per shard, no locks.

    Blocks that share a shard, as they do where they do not lie at multiples of their shape, wait for each other.

    Args:
        path: the final store.
        header: of the image that it is like.
        shape: ``(C, *spatial)``.
        dtype: of the values.
        labels: of a label map the name and the color of each number; None of an image.
        name: of the image, or of the label map in the group of labels.
        blocks: shape ``(*spatial)`` of the regions that processes write.
        resume: whether to go on with the partial store of an earlier run, if there is one.

    Raises:
        ValueError: When the partial store to resume is of another image.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        labels: Legend | None = None,
        name: str = "image",
        blocks: Sequence[int] | None = None,
        resume: bool = False,
    ) -> None:
        axes, names = zarr_axes(header, shape)
        super().__init__(path, axes, dtype)
        self.level = "0" if labels is None else f"labels/{name}/0"
        self._array: Any = None
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = beside(path)
        try:
            _create(fresh, self.level, axes, dtype, names, _chunking(axes, blocks), header.variant)
            _describe(fresh, header, names, labels, name)
            self._place(fresh, resume)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": None}

    def _place(self, fresh: Path, resume: bool) -> None:
        if not resume:
            self.discard()
        try:
            os.rename(fresh, self.partial)  # fails where another process was faster
        except OSError:
            if _described(fresh) != _described(self.partial):
                raise ValueError(
                    f"{self.partial} is the unfinished store of another image, size or type: remove it to start anew."
                ) from None

    def _write(self, index: tuple[slice | int, ...], stored: NDArray[Any]) -> None:
        if self._array is None:
            zarr = optional_package("zarr", f"Writing {self.path.name}")
            self._array = zarr.open_array(self.partial / self.level, mode="r+").with_config(
                {"write_empty_chunks": True}
            )
        # Of a shard that two blocks share, each process writes all that it has read.
        with nullcontext() if self._is_of_whole_files(index) else FileLock(self._lock):
            self._array[index] = stored

    @property
    def _lock(self) -> Path:
        return self.partial.with_name(self.partial.name + ".lock")

    def _is_of_whole_files(self, index: tuple[slice | int, ...]) -> bool:
        """Whether the chunks or shards of a region are written by it alone."""
        for part, length, size in zip(index, self._array.shards or self._array.chunks, self.axes.shape, strict=True):
            start, stop = (0, size) if isinstance(part, int) else (part.start or 0, part.stop or size)
            if start % length or (stop != size and stop % length):
                return False
        return True

    def flush(self) -> None:
        """Nothing: zarr's files are closed as they are written."""

    def _finish(self) -> None:
        self._array = None
        for unfinished in self.partial.rglob("*.partial"):  # zarr's, of a process that was killed
            unfinished.unlink()
        old = beside(self.path)
        if self.path.exists():
            os.rename(self.path, old)
        os.rename(self.partial, self.path)
        shutil.rmtree(old, ignore_errors=True)
        self._lock.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what is written."""
        shutil.rmtree(self.partial, ignore_errors=True)
        self._lock.unlink(missing_ok=True)


def _chunking(axes: StoredAxes, blocks: Sequence[int] | None) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Chunks, and the shards that hold those of one block."""
    usual = _CHUNK[len(axes.spatial)]
    chunks, shards = [], []
    for name, size in zip(axes.names, axes.shape, strict=True):
        if name not in axes.spatial:
            chunks.append(1)
            shards.append(size)
            continue
        block = size if blocks is None else min(size, blocks[axes.spatial.index(name)])
        chunks.append(min(block, usual) if blocks is None else _part_of(block, usual))
        shards.append(block)
    return tuple(chunks), None if blocks is None else tuple(shards)


def _part_of(block: int, usual: int) -> int:
    """The divisor of a block's length that is the nearest to the usual length of a chunk."""
    divisors = [length for length in range(1, block + 1) if block % length == 0]
    return min(divisors, key=lambda length: abs(np.log(length / usual)))


def _create(
    store: Path,
    level: str,
    axes: StoredAxes,
    dtype: np.dtype[Any],
    names: list[str],
    chunking: tuple[tuple[int, ...], tuple[int, ...] | None],
    version: str,
) -> None:
    zarr = optional_package("zarr", f"Writing {store.name}")
    chunks, shards = chunking
    # What Java's readers of version 2 decode.
    by_format: dict[str, Any] = {
        "chunk_key_encoding": {"name": "v2", "separator": "/"},
        "compressors": optional_package("numcodecs", f"Writing {store.name}").Blosc(),
    }
    if _FORMATS[version] == 3:
        by_format = {"dimension_names": names, "shards": shards}
    group = zarr.open_group(store, mode="w", zarr_format=_FORMATS[version])
    parent, _, last = level.rpartition("/")
    for part in parent.split("/") if parent else ():
        group = group.create_group(part)
    group.create_array(
        last,
        shape=axes.shape,
        dtype=dtype,
        chunks=chunks,
        fill_value=0,
        config={"write_empty_chunks": True},
        **by_format,
    )


def _describe(store: Path, header: Header, names: list[str], labels: Legend | None, name: str) -> None:
    zarr = optional_package("zarr", f"Writing {store.name}")
    root = zarr.open_group(store, mode="r+")
    if labels is None:
        _note(root, header.variant, {"multiscales": [_multiscale(header, names, "0", name)]})
        return
    # The group is an image as well, so that programs which know nothing of labels open it.
    _note(root, header.variant, {"multiscales": [_multiscale(header, names, f"labels/{name}/0", name)]})
    _note(root["labels"], header.variant, {"labels": [name]})
    image_label: dict[str, Any] = {"source": {"image": "../../"}}
    if header.variant == "0.4":
        image_label["version"] = header.variant
    if labels:
        image_label["colors"] = [
            {"label-value": number, "rgba": [*map(int, color), 0 if _is_background(number, name, color) else 255]}
            for number, (name, color) in labels.items()
        ]
        image_label["properties"] = [{"label-value": number, "name": name} for number, (name, _) in labels.items()]
    multiscale = _multiscale(header, names, "0", name)
    _note(root[f"labels/{name}"], header.variant, {"multiscales": [multiscale], "image-label": image_label})


def _is_background(number: int, name: str, color: Sequence[int]) -> bool:
    """Whether the image is seen below a number: 0, unless it is a class of its own, such as the road of streets."""
    return number == 0 and (name.lower() == "background" or not any(color))


def _note(group: Any, version: str, content: dict[str, Any]) -> None:
    group.attrs.update(content if version == "0.4" else {"ome": {"version": version, **content}})


def _multiscale(header: Header, names: list[str], level: str, name: str) -> dict[str, Any]:
    kinds = {"t": "time", "c": "channel"}
    axes: list[dict[str, str]] = [{"name": axis, "type": kinds.get(axis, "space")} for axis in names]
    for axis in axes:
        if header.unit is not None and axis["type"] == "space":
            axis["unit"] = ngff_unit(header.unit)
    spatial = "yx" if header.spatial_dims == 2 else "xyz"
    lengths = dict(zip(spatial, header.spacing or [1.0] * len(spatial), strict=True))
    steps: list[dict[str, Any]] = [{"type": "scale", "scale": [lengths.get(axis, 1.0) for axis in names]}]
    origin = _origin(header)
    if any(origin.values()):
        steps.append({"type": "translation", "translation": [origin.get(axis, 0.0) for axis in names]})
    result = {"name": name, "axes": axes, "datasets": [{"path": level, "coordinateTransformations": steps}]}
    return {"version": "0.4", **result} if header.variant == "0.4" else result


def _origin(header: Header) -> dict[str, float]:
    """Where the image starts, if its axes are those of space: OME-Zarr knows no rotation."""
    if header.affine is None:
        return {}
    affine = np.array(header.affine)
    axes = "yx" if header.spatial_dims == 2 else "xyz"
    scales = [affine["xyz".index(name), axis] for axis, name in enumerate(axes)]
    if not np.allclose(scales, header.spacing or ()):
        return {}
    return {name: float(affine["xyz".index(name), 3]) for name in axes}


def _described(store: Path) -> dict[str, bytes]:
    """All that the store says, without its values."""
    files = [*store.rglob("zarr.json"), *store.rglob(".z*")]
    return {str(file.relative_to(store)): file.read_bytes() for file in files}
