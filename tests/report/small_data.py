"""Small data sets in plain folders."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = (14, 12, 10)


def save(path: Path, values: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(values).save(path)
    else:
        nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 2.5, 1.0])), path)


def volume(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(100, 10, SIZE).astype(np.float32)


def labels(seed: int) -> NDArray[np.uint8]:
    values = np.zeros(SIZE, np.uint8)
    values[2:6, 2 + seed : 8, 3:] = 1
    values[8:12, 3:9, :5] = 2
    return values


def write_volumes(folder: Path, count: int = 4) -> None:
    """Volumes with labels and a clean copy; the last one has no labels."""
    for seed in range(count):
        save(folder / "images" / f"case{seed}.nii.gz", volume(seed))
        save(folder / "clean" / f"case{seed}.nii.gz", (100 + 20.0 * labels(seed)).astype(np.float32))
        if seed < count - 1:
            save(folder / "labels" / f"case{seed}.nii.gz", labels(seed))


def write_pictures(folder: Path, count: int = 3) -> None:
    """RGB pictures with labels."""
    for seed in range(count):
        ramp = np.add.outer(np.arange(20) * 6, np.arange(30) * 4)
        colors = np.stack([ramp, ramp[::-1], ramp // 2 + 40 * seed], axis=-1)
        save(folder / "images" / f"p{seed}.png", colors.astype(np.uint8))
        mask = np.zeros((20, 30), np.uint8)
        mask[4:12, 5:20] = 3
        save(folder / "labels" / f"p{seed}.png", mask)
