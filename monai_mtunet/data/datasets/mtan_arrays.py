"""NumPy arrays with depth and normals, as NYUv2 and Cityscapes were prepared for MTAN and as most have used them since.

Liu et al., "End-to-End Multi-Task Learning with Attention", CVPR 2019; https://github.com/lorenmt/mtan.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import ensure_tuple
from numpy.typing import NDArray

from ..dataset_files import check_files, dataset_folder
from ..labels import IGNORED

__all__ = ["LoadMTANArraysd", "mtan_datalist"]

SOURCE = "https://github.com/lorenmt/mtan (the pre-processed NYUv2 and CityScapes of its README)"
SECTIONS = ("train", "val")

Array = NDArray[Any]


def mtan_datalist(
    dataset_dir: str | os.PathLike[str] | None, section: str = "train", targets: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """List the images of a section of a data set in MTAN's layout, with the targets that your tasks need.

    The layout is ``{section}/{image,label,depth,normal}/{i}.npy`` with i from 0, the same for all folders.

    Args:
        dataset_dir: folder that holds ``train`` and ``val``.
        section: "train" or "val".
        targets: for every target key of a sample, the folder to take it from. Default:
            ``{"segment": "label", "depth": "depth"}``. NYUv2 has ``normal`` too; Cityscapes has its 7 and 19 classes in
            ``label_7`` and ``label_19`` in some copies.

    Returns:
        ``[{"image": ..., "segment": ..., "depth": ...}, ...]``, absolute paths, in the order of their numbers.

    Raises:
        FileNotFoundError: When a folder is missing, an image's target, or a number between others.
        ValueError: When ``dataset_dir`` is not set, the section is unknown, or there is no image.

    Example:
        >>> frames = mtan_datalist("nyuv2", "train", {"segment": "label", "depth": "depth", "normals": "normal"})
    """
    if section not in SECTIONS:
        raise ValueError(f"section must be one of {SECTIONS}, got {section!r}.")
    folder = dataset_folder(dataset_dir, "MTAN's arrays", SOURCE)
    folders = {"image": "image", **({"segment": "label", "depth": "depth"} if targets is None else targets)}
    paths = {key: folder / section / kind for key, kind in folders.items()}
    missing = [path.name for path in paths.values() if not path.is_dir()]
    if missing:
        there = sorted(path.name for path in (folder / section).glob("*/"))
        raise FileNotFoundError(
            f"MTAN's arrays in {folder / section} have no folder {', '.join(missing)}, but {there}; copies differ in "
            f"how they name labels, so name the folder of each target in `targets`, or get the arrays from {SOURCE}."
        )

    numbers = {int(file.stem) for path in paths.values() for file in path.glob("*.npy") if file.stem.isdecimal()}
    # Up to the last number that any folder has, so that folders with different counts are noticed.
    datalist = [
        {key: str(path / f"{i}.npy") for key, path in paths.items()} for i in range(max(numbers, default=-1) + 1)
    ]
    check_files(datalist, folder, "MTAN's arrays", SOURCE)
    return datalist


class LoadMTANArraysd(MapTransform):
    """Load arrays in MTAN's layout into samples as all other loaders give them; MetaTensors that know their files.

    ============  ==========================================  ========================================================
    target        in the file                                 in the sample
    ============  ==========================================  ========================================================
    image         (H, W, 3), floats in 0..1                   (3, H, W), float32, 0..255, as 8-bit images are read
    label map     (H, W), whole numbers, -1 for none          (1, H, W), int16, 255 for none
    depth         (H, W, 1) or (H, W), floats, 0 for none     (1, H, W), float32, the same unit, NaN for none
    normals       (H, W, 3), floats, zeros for none           (3, H, W), float32, the same axes, NaN for none
    ============  ==========================================  ========================================================

    Depth is in meters in NYUv2. In MTAN's Cityscapes it is inverse, a disparity of which 0.49 is the largest; the
    camera's parameters are not there, so it stays what it is. Targets that a sample holds None for, or not at all, are
    left out, for `FillMissingTargetsd` to fill.

    Args:
        image_key: key of the image.
        label_keys: keys of label maps.
        depth_keys: keys of depth or disparity.
        normals_keys: keys of normals.

    Example:
        >>> load = LoadMTANArraysd()
        >>> sample = load(mtan_datalist("nyuv2", "train")[0])
    """

    def __init__(
        self,
        image_key: str = "image",
        label_keys: KeysCollection = "segment",
        depth_keys: KeysCollection = "depth",
        normals_keys: KeysCollection = "normals",
    ) -> None:
        self.convert = {image_key: _image}
        for keys, convert in ((label_keys, _labels), (depth_keys, _depth), (normals_keys, _normals)):
            self.convert |= dict.fromkeys(ensure_tuple(keys), convert)
        super().__init__(tuple(self.convert), allow_missing_keys=True)
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the paths of a sample by what their files hold.

        Raises:
            FileNotFoundError: When a file does not exist.
            OSError: When a file cannot be read.
            TypeError: When numbers are not of the kind that the table of the class tells.
            ValueError: When a shape or a range is another, a depth or normal map has no valid pixel, or a target has
                another size than the image.
        """
        sample = dict(data)
        size: tuple[int, ...] | None = None
        for key in self.key_iterator(sample):  # the image is the first
            path = sample.pop(key)
            if path is None:
                continue
            values = self.convert[key](f"{key} ({path})", _read(key, path))
            size = size or values.shape[1:]
            if values.shape[1:] != size:
                raise ValueError(
                    f"{key} ({path}) is {_by(values.shape[1:])} pixels, but its {self.image_key} {_by(size)}: they do "
                    "not belong together, or were resized by themselves."
                )
            sample[key] = MetaTensor(torch.from_numpy(values), meta={"filename_or_obj": str(path)})
        return sample


def _read(key: Hashable, path: str | os.PathLike[str]) -> Array:
    if not Path(path).exists():
        raise FileNotFoundError(f"{key}: {path} does not exist.")
    try:
        values: Array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise OSError(
            f"{key}: {path} cannot be read as a NumPy array; replace the file. NumPy said: {error}"
        ) from error
    return values


def _image(name: str, values: Array) -> Array:
    channels = _channels_first(name, values, 3, floating=True)
    if not (channels.min() >= -0.1 and channels.max() <= 1.1):  # NaN fails too; resizing may overshoot a little
        raise ValueError(
            f"{name} must be within 0..1, but is within {channels.min():g}..{channels.max():g}; divide 8-bit "
            "images by 255."
        )
    channels *= 255
    return channels


def _labels(name: str, values: Array) -> Array:
    channels = _channels_first(name, values, 1, floating=False)
    wrong = channels[~((channels >= -1) & (channels <= IGNORED) & (channels == np.round(channels)))]
    if wrong.size:
        raise ValueError(f"{name} must hold class numbers 0..254, and -1 for none, but holds {_some(wrong)}.")
    return np.where(channels == -1, IGNORED, channels).astype(np.int16)


def _depth(name: str, values: Array) -> Array:
    channels = _channels_first(name, values, 1, floating=True)
    wrong = channels[(channels < 0) | np.isinf(channels)]
    if wrong.size:
        raise ValueError(f"{name} must hold finite depths above 0, and 0 for none, but holds {_some(wrong)}.")
    return _with_missing(name, channels, channels == 0)


def _normals(name: str, values: Array) -> Array:
    channels = _channels_first(name, values, 3, floating=True)
    return _with_missing(name, channels, (channels == 0).all(axis=0, keepdims=True))


def _with_missing(name: str, values: Array, missing: Array) -> Array:
    values = np.where(missing, np.float32(np.nan), values)
    if np.isnan(values).all():
        raise ValueError(f"{name} has no valid pixel: all are 0 or NaN. Leave the sample out, or set its path to None.")
    return values


def _channels_first(name: str, values: Array, channels: int, floating: bool) -> Array:
    """(H, W, C), or (H, W) for one channel, to (C, H, W); float32 if it should be floating."""
    if values.ndim == 2 and channels == 1:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] != channels:
        alternative = "" if channels > 1 else " or (H, W)"
        raise ValueError(f"{name} must have the shape (H, W, {channels}){alternative}, got {values.shape}.")
    if values.dtype.kind not in ("f" if floating else "fiu"):
        raise TypeError(f"{name} must hold {'floating-point' if floating else 'whole'} numbers, got {values.dtype}.")
    values = np.moveaxis(values, 2, 0)
    return np.ascontiguousarray(values, dtype=np.float32) if floating else values


def _some(values: Array) -> str:
    return ", ".join(f"{value:g}" for value in np.unique(values)[:5])


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
