"""The page's example of one's own noisy images, some of them labeled, runs as it stands: in 2D and 3D, of any size."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from monai.bundle import run
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "bundles" / "umc"
SECTION = (ROOT / "docs" / "self_supervised.md").read_text().partition("## Images that are noisy already\n")[2]
LISTED, VOLUMES, IMAGES = re.findall(r"```json\n(.*?)```", SECTION, flags=re.DOTALL)
FILES = {"meta_file": str(BUNDLE / "metadata.json"), "logging_file": str(BUNDLE / "logging.conf")}
SIZES = {"a": (40, 34, 33), "b": (30, 44, 20), "c": (35, 36, 31), "new/d": (33, 41, 9), "new/e": (50, 38, 34)}
AFFINE = np.diag([-1.0, 2.0, 1.5, 1.0])


def write(values: NDArray[Any], file: Path) -> None:
    if file.name.endswith(".png"):
        Image.fromarray(values.astype(np.uint8)).save(file)
    else:
        nib.save(nib.Nifti1Image(values.astype(np.float32), AFFINE), file)


def configs(*names: str) -> list[str]:
    """As on the page, where `mine.json` is in the working directory."""
    return [name if name.startswith("mine") else str(BUNDLE / name) for name in names]


def commands() -> list[list[str]]:
    lists = re.findall(r"""--config_file "\[(.*?)\]"( --input_dir new)?""", SECTION.partition("\n## ")[0])
    return [[name.strip("'").removeprefix("bundles/umc/") for name in names.split(",")] for names, _ in lists]


@pytest.mark.parametrize("dims", [3, 2])
def test_the_example(dims: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ending, name = (".nii.gz", "mine") if dims == 3 else (".png", "mine_2d")
    rng = np.random.default_rng(0)
    for folder in ("data", "new"):
        Path(folder).mkdir()
    for stem, shape in SIZES.items():
        size = shape[:dims] if dims == 3 else (3 * shape[0], 3 * shape[1])
        labels = np.zeros(size, np.uint8)
        labels[tuple(slice(n // 4, n // 2) for n in size)] = 1
        folder = tmp_path if "/" in stem else tmp_path / "data"
        write(labels * 100 + 80 + rng.normal(0, 20, size), folder / f"{stem}{ending}")
        if "/" not in stem:
            write(labels, folder / f"{stem}_labels{ending}")
    Path("data/list.json").write_text(LISTED.replace(".nii.gz", ending))
    Path(f"{name}.json").write_text(VOLUMES if dims == 3 else IMAGES)

    train, *evaluate, predict = [names for names in commands() if f"{name}.json" in names]
    small: dict[str, Any] = {**FILES, "features": [4, 8]}
    run(config_file=configs(*train), **small, max_epochs=2)
    for names in evaluate:
        run(config_file=configs(*names), **small)
    run(config_file=configs(*predict), **small, input_dir="new")

    with open(f"outputs/{name}/validation/metrics.csv") as file:
        metrics = {row[0]: float(row[1]) for row in csv.reader(file)}
    assert metrics["denoise_noisy_mse"] > 0
    assert "denoise_psnr" not in metrics  # there is no clean image to measure by
    assert metrics["segment_miou"] > 0
    for stem in ("d", "e"):
        size = SIZES[f"new/{stem}"][:dims] if dims == 3 else tuple(3 * n for n in SIZES[f"new/{stem}"][:2])
        for task, dtype in (("denoise", "float32" if dims == 3 else "uint8"), ("segment", "uint8")):
            path = f"outputs/{name}/predictions/{stem}_{task}{ending}"
            saved = nib.load(path) if dims == 3 else Image.open(path)
            values = np.asarray(saved.dataobj if dims == 3 else saved)
            assert (values.shape, values.dtype.name) == (size, dtype), path
            if dims == 3:
                np.testing.assert_allclose(saved.affine, AFFINE)


def test_the_list_names_half_of_the_labels() -> None:
    assert [entry["segment"] is None for entry in json.loads(LISTED)["train"]] == [False, True]
