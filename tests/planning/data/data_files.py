"""Small images and targets of every kind, as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import tifffile
from PIL import Image
from scipy.ndimage import gaussian_filter

COLORS = np.array([[128, 64, 128], [0, 0, 142], [220, 20, 60]], dtype=np.uint8)


def scene(seed: int, size: tuple[int, ...] = (40, 48)) -> np.ndarray:
    """Smooth values in 0..1."""
    values = gaussian_filter(np.random.default_rng(seed).normal(size=size), 4)
    return (values - values.min()) / np.ptp(values)


def label_map(seed: int, numbers: int = 3, size: tuple[int, ...] = (40, 48)) -> np.ndarray:
    """Areas of numbers from 0 on, which have nothing to do with `scene`."""
    return np.floor(scene(seed + 100, size) * numbers * 0.999).astype(np.uint8)


def noisy(seed: int) -> np.ndarray:
    """The scene in 8 bits, with noise of half its standard deviation and more."""
    values = scene(seed) + np.random.default_rng(seed + 50).normal(0, 0.2, (40, 48))
    return (values.clip(0, 1) * 255).astype(np.uint8)


def save(path: Path, values: np.ndarray) -> str:
    """Write NIfTI, npy, or a picture, of which colors are the last axis."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith((".nii", ".nii.gz")):
        nib.save(nib.Nifti1Image(values, np.eye(4)), path)
    elif path.suffix == ".npy":
        np.save(path, values)
    elif values.dtype == np.float32:
        tifffile.imwrite(path, values, photometric="rgb")
    else:
        Image.fromarray(values).save(path)
    return str(path)


def volume(path: Path, channels: int = 1, labels: bool = False) -> str:
    """A volume of 6 x 5 x 4 voxels."""
    shape = (6, 5, 4) if channels == 1 else (6, 5, 4, channels)
    values = np.random.default_rng(0).integers(0, 3 if labels else 900, shape)
    return save(path, values.astype(np.uint8 if labels else np.int16))


def write_json(path: Path, content: Any) -> Path:
    """Write it, and the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
