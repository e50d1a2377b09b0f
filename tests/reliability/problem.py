"""The problem that bad inputs are mixed into: two good samples, a tiny network, and the overlays for them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from monai.bundle import ConfigParser
from numpy.typing import NDArray
from PIL import Image

from monai_mtunet.engines import TaskPreprocessing

ROOT = Path(__file__).parents[2]
UMC = ROOT / "bundles" / "umc"
SIZE = {2: (16, 18), 3: (12, 10, 8)}
CLASSES = 3
Array = NDArray[Any]


def values(dims: int, seed: int) -> tuple[Array, Array]:
    """A noisy image on 0-255, (H, W, 3) or (X, Y, Z), and its labels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(SIZE[dims], np.uint8)
    for number in range(1, CLASSES):
        corner = [int(rng.integers(0, size // 2)) for size in labels.shape]
        labels[tuple(slice(start, start + size // 2) for start, size in zip(corner, labels.shape, strict=True))] = (
            number
        )
    shape = labels.shape if dims == 3 else (*labels.shape, 3)
    image = 60.0 * (labels if dims == 3 else labels[..., None]) + rng.uniform(20, 80, shape)
    return (image.astype(np.float32) if dims == 3 else image.astype(np.uint8)), labels


def write(path: Path, array: Array) -> Path:
    """Write values in the kind of file that the name says."""
    if ".nii" in path.name:
        nib.save(nib.Nifti1Image(array, np.diag([1.0, 1.5, 2.0, 1.0])), path)
    else:
        kind = {".tif": {"compression": None}, ".jpg": {"quality": 95}}.get(path.suffix, {})
        Image.fromarray(array).save(path, **kind)
    return path


def sample(folder: Path, name: str, dims: int, seed: int, ending: str = "") -> dict[str, str]:
    """A sample in files: PNG or NIfTI, the image of another ending if said."""
    usual = ".png" if dims == 2 else ".nii.gz"
    image, labels = values(dims, seed)
    return {
        "image": str(write(folder / f"{name}{ending or usual}", image)),
        "segment": str(write(folder / f"{name}_labels{usual}", labels)),
    }


def overlay(folder: Path, dims: int, train: Any, val: Any) -> dict[str, Any]:
    """What a user's own overlay says."""
    common = {
        "output_dir": str(folder / "out"), "features": [4, 4], "batch_size": 2, "max_epochs": 1, "cache_rate": 0.0,
        "train_data": train, "val_data": val,
        "tasks#1#classes": ["background", "one", "two"], "tasks#1#palette": None,
    }  # fmt: skip
    if dims == 2:
        return common | {"load": [{"_target_": "LoadSampled", "tasks": "@active_tasks"}]}
    return common | {
        "spatial_dims": 3, "image_channels": 1, "noise_sigma": 0.1, "mean": [0.5], "std": [0.25],
        "tasks#0#data_range": [0, 1],
        "load": [
            {"_target_": "LoadSampled", "tasks": "@active_tasks"},
            {"_target_": "ScaleVolumeRanged", "keys": "image"},
        ],
    }  # fmt: skip


def checkpoint(folder: Path, dims: int) -> Path:
    """A network as it is before training, as training would save it."""
    network = parsed(dims).get_parsed_content("network")
    torch.save({"network": network.state_dict()}, folder / "network.pt")
    return folder / "network.pt"


@cache
def parsed(dims: int) -> ConfigParser:
    """The training's configuration, without data."""
    config = ConfigParser()
    config.read_config(str(UMC / "train.json"))
    config.update(overlay(Path("nowhere"), dims, [], []))
    return config


def preprocessing(dims: int) -> TaskPreprocessing:
    """From an entry of the data list to a checked sample, without what is random, noisy or scaled."""
    tasks = parsed(dims).get_parsed_content("active_tasks")
    load = [parsed(dims).get_parsed_content("load#0")]
    return TaskPreprocessing(tasks, dims, parsed(dims)["image_channels"], load)


def write_json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
