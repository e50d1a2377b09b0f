"""Small data sets in every layout and with every kind of target, as users have them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from .data.data_files import COLORS, label_map, save, scene, write_json

VOLUME = (20, 24, 16)
PICTURE = (40, 48)
COUNT = 6
DATA_SETS: dict[str, Callable[[Path], Path]] = {}


def data_set(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """Register one by its name."""
    DATA_SETS[make.__name__] = make
    return make


def write_volume(path: Path, values: np.ndarray, spacing: tuple[float, ...] = (1, 1, 1), axes: str = "RAS") -> str:
    """NIfTI with a spacing; axes "LPS" point the other way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    signs = [1 if code in "RAS" else -1 for code in axes]
    nib.save(nib.Nifti1Image(values, np.diag([*np.multiply(spacing, signs), 1.0])), path)
    return str(path)


def intensities(seed: int, size: tuple[int, ...] = VOLUME) -> np.ndarray:
    """Of an MRI: int16, smooth, with a little noise."""
    values = 800 * scene(seed, size) + np.random.default_rng(seed).normal(0, 10, size)
    return values.clip(0).astype(np.int16)


@data_set
def nnunet_raw(folder: Path) -> Path:
    """Two channels per case, a file each, and classes of which one is rare."""
    for number in range(COUNT):
        for channel in range(2):
            values = intensities(10 * number + channel)
            write_volume(folder / "imagesTr" / f"case_{number:03d}_{channel:04d}.nii.gz", values)
        write_volume(folder / "labelsTr" / f"case_{number:03d}.nii.gz", label_map(number, 3, VOLUME))
    content = {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "core": 1, "edema": 2}}
    write_json(folder / "dataset.json", {**content, "numTraining": COUNT, "file_ending": ".nii.gz"})
    return folder


@data_set
def decathlon(folder: Path) -> Path:
    """Thick slices of several thicknesses, some turned."""
    cases = []
    for number in range(COUNT):
        spacing, axes = (1.0, 1.0, 4.0 + number % 2), "LPS" if number == 3 else "RAS"
        names = {"image": f"imagesTr/a_{number}.nii.gz", "label": f"labelsTr/a_{number}.nii.gz"}
        write_volume(folder / names["image"], intensities(number), spacing, axes)
        write_volume(folder / names["label"], label_map(number, 2, VOLUME), spacing, axes)
        cases.append({key: f"./{name}" for key, name in names.items()})
    content = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "organ"}}
    write_json(folder / "dataset.json", {**content, "training": cases, "test": []})
    return folder


@data_set
def computed_tomography(folder: Path) -> Path:
    """Hounsfield units, in plain folders."""
    for number in range(COUNT):
        values = (1400 * scene(number, VOLUME) - 1000).astype(np.int16)
        write_volume(folder / "images" / f"{number}.nii.gz", values)
        write_volume(folder / "labels" / f"{number}.nii.gz", label_map(number, 2, VOLUME))
    return folder


@data_set
def table(folder: Path) -> Path:
    """A column per file, classes of images, patients, and labels of some only."""
    rows = []
    for number in range(COUNT + 2):
        save(folder / "files" / f"{number}.png", colors(number))
        label = f"files/{number}_mask.png" if number % 4 else ""
        if label:
            save(folder / label, label_map(number, 2))
        rows.append([f"files/{number}.png", label, "cat" if number % 2 else "dog", f"patient{number // 2}"])
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "mask", "species", "patient"], *rows])
    return folder / "list.csv"


@data_set
def street(folder: Path) -> Path:
    """Colored labels, depth of 16 bits, sections."""
    for section, count in (("train", COUNT), ("val", 2)):
        for number in range(count):
            seed, name = number + 10 * len(section), f"{section}{number}.png"
            save(folder / section / "images" / name, colors(seed))
            save(folder / section / "labels" / name, COLORS[label_map(seed)])
            save(folder / section / "depth" / name, (1000 + 9000 * scene(seed + 500)).astype(np.uint16))
    return folder


@data_set
def noisy_and_clean(folder: Path) -> Path:
    """A clean version of each volume."""
    for number in range(COUNT):
        clean = intensities(number).astype(np.float32)
        noise = np.random.default_rng(number).normal(0, 60, VOLUME).astype(np.float32)
        write_volume(folder / "images" / f"{number}.nii.gz", clean + noise)
        write_volume(folder / "clean" / f"{number}.nii.gz", clean)
    return folder


@data_set
def noisy_alone(folder: Path) -> Path:
    """Noisy images, and nothing else."""
    for number in range(COUNT):
        values = scene(number) + np.random.default_rng(number).normal(0, 0.1, PICTURE)
        save(folder / f"{number}.npy", values.astype(np.float32))
    return folder


@data_set
def cells(folder: Path) -> Path:
    """Objects by number."""
    from skimage.measure import label

    for number in range(COUNT):
        save(folder / "images" / f"{number}.png", (255 * scene(number)).astype(np.uint8))
        objects = label(label_map(number, 4) == 2).astype(np.uint16)
        save(folder / "instances" / f"{number}.png", objects)
    return folder


@data_set
def masks(folder: Path) -> Path:
    """Masks of 0 and 255, and a quantity."""
    for number in range(COUNT):
        save(folder / "images" / f"{number}.png", (255 * scene(number)).astype(np.uint8))
        save(folder / "masks" / f"{number}.png", 255 * label_map(number, 2))
        save(folder / "height" / f"{number}.npy", (30 + 5 * scene(number + 300)).astype(np.float32))
    return folder


def colors(seed: int) -> np.ndarray:
    """A picture in color."""
    return (255 * np.stack([scene(seed + 1000 * channel) for channel in range(3)], axis=-1)).astype(np.uint8)
