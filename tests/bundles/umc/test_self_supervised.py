"""Denoising without clean references, by the overlays: what training sees, and that they run to the end."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.data import Dataset

from monai_mtunet.data import LoadSyntheticd

from ..bundle_under_test import needs_data
from ..left_by_a_run import measured
from .umc_bundle import SMALL_VOLUME, UMC

NOISE_2D = {"mean": [0.0] * 3, "std": [1.0] * 3, "augment": []}


def samples(section: str, *names: str, **overrides: Any) -> Dataset:
    parser = UMC.parsed("train", *names, **UMC.small, **overrides)
    data = parser.get_parsed_content("train_data" if section == "train" else "val_data")
    return Dataset(data, parser.get_parsed_content(f"{section}#preprocessing"))


def clean(section: str, index: int) -> torch.Tensor:
    seed = 3 * index + ("train", "validate").index(section)
    return LoadSyntheticd(spatial_size=32)({"seed": seed})["image"].as_tensor()


def test_blind_spots_see_one_noisy_image_and_no_clean_one() -> None:
    dataset = samples("train", "blind_spot", **NOISE_2D)
    for index in range(len(dataset)):
        sample, other = dataset[index], dataset[index]
        spots = sample["denoise"].isfinite()
        assert spots.float().mean() == pytest.approx(0.02, abs=0.01)
        noise = (sample["denoise"] - clean("train", index))[spots]
        assert noise.std() == pytest.approx(30, rel=0.4)
        both = (spots | other["denoise"].isfinite()).logical_not()
        assert torch.equal(sample["image"][both], other["image"][both])  # the same acquisition in every epoch
        assert not torch.equal(spots, other["denoise"].isfinite())  # with other spots


def test_noisy_pairs_are_two_acquisitions_of_one_scene() -> None:
    sample = samples("train", "noise2noise", **NOISE_2D)[0]
    noise = torch.stack([(sample[key] - clean("train", 0)).flatten() for key in ("image", "denoise")])
    assert noise.std(dim=1).tolist() == pytest.approx([30, 30], rel=0.1)
    assert torch.corrcoef(noise)[0, 1].abs() < 0.1


@pytest.mark.parametrize("overlay", ["blind_spot", "noise2noise"])
def test_validation_keeps_the_clean_target_and_hides_nothing(overlay: str) -> None:
    sample = samples("validate", overlay, **NOISE_2D)[0]
    assert torch.equal(sample["denoise"].as_tensor(), clean("validate", 0))
    assert torch.equal(sample["image"], samples("validate", **NOISE_2D)[0]["image"])  # as supervised training has it


@pytest.mark.parametrize(
    "overlays", [["noise2noise"], ["noisy_once"], ["few_labels", "blind_spot"], ["volume", "blind_spot"]]
)
def test_overlays_train_evaluate_and_predict(tmp_path: Path, overlays: list[str]) -> None:
    size = SMALL_VOLUME if "volume" in overlays else {}
    UMC.train(tmp_path, *overlays, **size)
    UMC.evaluate(tmp_path, *overlays, **size)
    assert measured(tmp_path)["denoise_psnr_input"] > 10
    UMC.predict(tmp_path, *overlays, **size)
    assert len(list((tmp_path / "predictions").glob("*_denoise.*"))) == 1


def test_images_that_are_noisy_already_are_measured_by_their_own_voxels(tmp_path: Path) -> None:
    UMC.train(tmp_path, "noisy_images")
    UMC.evaluate(tmp_path, "noisy_images")
    metrics = measured(tmp_path)
    assert {name for name in metrics if name.startswith("denoise")} == {"denoise_noisy_mse"}
    assert metrics["denoise_noisy_mse"] > 0
    UMC.predict(tmp_path, "noisy_images")
    assert len(list((tmp_path / "predictions").glob("*_denoise.*"))) == 1


@needs_data("hippocampus", "Task04_Hippocampus")
@pytest.mark.parametrize("overlay", ["blind_spot", pytest.param("noise2noise", marks=pytest.mark.slow)])
def test_real_volumes_with_padding(tmp_path: Path, overlay: str) -> None:
    lists = UMC.parsed("train", "hippocampus")
    small = {
        "features": [4, 8],
        "max_epochs": 1,
        "train_data": f"{lists['train_data']}[:4]",
        "val_data": f"{lists['val_data']}[:2]",
    }
    UMC.run(tmp_path, "train", "hippocampus", overlay, **small)
    UMC.run(tmp_path, "train", "hippocampus", overlay, "evaluate", **small)
    assert measured(tmp_path)["denoise_psnr_input"] > 10


@needs_data("sstem_vnc")
def test_a_real_noisy_stack(tmp_path: Path) -> None:
    crop = {"_target_": "CenterSpatialCropd", "roi_size": [64, 64, 20]}
    load = UMC.parsed("train", "sstem")["load"]
    shapes = {"features": [4, 8, 8], "strides": [[2, 2, 1], [2, 2, 1]]}
    small = {
        **shapes,
        "patch_size": [32, 32, 8],
        "crops_per_epoch": 4,
        "max_epochs": 2,
        "load": [*load, {**crop, "keys": ["image", "segment"]}],
    }
    UMC.run(tmp_path, "train", "sstem", **small)
    UMC.run(tmp_path, "train", "sstem", "evaluate", **small)
    metrics = measured(tmp_path)
    assert {name for name in metrics if name.startswith("denoise")} == {
        "denoise_noisy_mse"
    }  # no PSNR without reference
    assert 0 < metrics["denoise_noisy_mse"] < 1
    assert 0 < metrics["segment_miou"] < 1
    # Of the untouched stack there is nothing to measure the denoising with.
    UMC.run(tmp_path, "train", "sstem", "evaluate", **small, val_self_supervision=[])
    assert math.isnan(measured(tmp_path)["denoise_noisy_mse"])
    UMC.run(tmp_path, "inference", "sstem", **shapes, load=[*load, {**crop, "keys": "image"}])
    assert len(list((tmp_path / "predictions").glob("vnc_bottom_left_*"))) == 3
