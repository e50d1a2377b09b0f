"""What single voxels far outside a volume's range do to the segmentation and to the restored rest of it."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from .umc_bundle import UMC

SIZE = (32, 32, 32)
LABELS = np.zeros(SIZE, np.uint8)
LABELS[6:16, 8:24, 8:24], LABELS[18:28, 4:14, 8:24] = 1, 2


def volume(seed: int, value: float = 0, *dead: int) -> NDArray[np.float32]:
    values = LABELS * 300.0 + 200 + np.random.default_rng(seed).normal(0, 40, SIZE)
    values.reshape(-1)[list(dead)] = value
    return values.astype(np.float32)


def written(values: NDArray[Any], path: Path) -> str:
    nib.save(nib.Nifti1Image(values, np.eye(4)), path)
    return str(path)


def read(folder: Path, name: str) -> NDArray[Any]:
    return np.asarray(nib.load(folder / "predictions" / f"{name}.nii.gz").dataobj)


def dice(labels: NDArray[Any]) -> float:
    parts = [(labels == label, label == LABELS) for label in (1, 2)]
    return float(np.mean([2 * (ours & true).sum() / (ours.sum() + true.sum()) for ours, true in parts]))


@pytest.mark.slow
def test_dead_voxels_do_not_touch_what_surrounds_them(tmp_path: Path) -> None:
    middle, some = 16 * (32 * 32 + 32 + 1), np.random.default_rng(9).integers(0, 32**3, 20).tolist()
    cases = {"clean": volume(4), "corner": volume(4, -32768, 0), "middle": volume(4, -32768, middle)}
    cases |= {"low": volume(4, -32768, *some), "high": volume(4, 32767, *some)}
    (tmp_path / "new").mkdir()
    for name, values in cases.items():
        written(values, tmp_path / "new" / f"{name}.nii.gz")
    samples = [
        {
            "image": written(volume(seed), tmp_path / f"{seed}.nii.gz"),
            "segment": written(LABELS, tmp_path / f"{seed}_labels.nii.gz"),
        }
        for seed in range(4)
    ]
    small = {"features": [4, 8], "patch_size": [24, 24, 24], "max_epochs": 100, "val_interval": 100, "subject": None}
    small |= {"train_data": samples[:3], "val_data": samples[3:], "learning_rate": 0.02}
    UMC.run(tmp_path, "train", "hippocampus", **small)
    UMC.run(tmp_path, "inference", "hippocampus", "files", features=[4, 8], input_dir=str(tmp_path / "new"))
    best = dice(read(tmp_path, "clean_segment"))
    assert best > 0.9
    restored = read(tmp_path, "clean_denoise")
    for name, values in cases.items():
        assert dice(read(tmp_path, f"{name}_segment")) == pytest.approx(best, abs=0.005), name
        alive = values == cases["clean"]
        difference = read(tmp_path, f"{name}_denoise")[alive] - restored[alive]
        assert np.sqrt(np.mean(difference**2)) < 15, name  # noise has a sigma of 40, and classes are 300 apart
