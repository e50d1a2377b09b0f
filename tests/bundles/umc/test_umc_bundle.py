"""The UMC bundle: what it has beside all bundles, its overlays and overrides."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import run
from PIL import Image

from monai_mtunet.bundle import check_overrides
from monai_mtunet.data import LoadSyntheticd

from ..bundle_suite import BundleSuite
from ..left_by_a_run import checkpoint, measured, network
from .umc_bundle import SMALL_VOLUME, UMC


class TestUMC(BundleSuite):
    bundle = UMC
    metrics = ("segment_miou", "denoise_psnr", "denoise_ssim")
    written = ("denoise.png", "segment.png", "panel.png")
    overlays = (["volume"], ["hippocampus"], ["sstem"], ["camvid"], ["cityscapes"])

    def test_evaluation_measures_the_noisy_image(self, evaluated: Path) -> None:
        # 10 log10(255^2 / 30^2) = 18.59 dB, were the noise not a sample of it.
        assert measured(evaluated)["denoise_psnr_input"] == pytest.approx(18.59, abs=0.2)

    def test_images_and_class_maps_are_of_the_images_size(self, predictions: Path) -> None:
        assert Image.open(predictions / "synthetic_000002_denoise.png").size == (40, 32)
        labels = Image.open(predictions / "synthetic_000002_segment.png")
        assert labels.size == (40, 32)
        assert labels.mode == "P"
        assert np.asarray(labels).max() < 5


def test_a_network_of_one_task_predicts_that_task(tmp_path: Path) -> None:
    UMC.train(tmp_path, "unet")
    UMC.predict(tmp_path, "unet")
    tasks = {file.stem.rpartition("_")[2] for file in (tmp_path / "predictions").iterdir()}
    assert tasks == {"segment", "panel"}


def test_volumes_in_their_own_units_from_training_to_nifti(tmp_path: Path) -> None:
    UMC.train(tmp_path, "volume", **SMALL_VOLUME, max_epochs=12, noise_sigma=0.02)
    UMC.predict(tmp_path, "volume", **SMALL_VOLUME)
    sample = LoadSyntheticd(spatial_dims=3, spatial_size=16)({"seed": 2})
    for task in ("denoise", "segment"):
        image = nib.load(tmp_path / "predictions" / f"synthetic_000002_{task}.nii.gz")
        np.testing.assert_allclose(image.affine, sample["image"].affine, atol=1e-5)
        assert image.shape == (16, 16, 16)

    phantom = LoadSyntheticd(spatial_dims=3, spatial_size=16)({"seed": 1})["image"]
    affine = np.array([[0, -2.0, 0, 5], [1.5, 0, 0, -7], [0, 0, 1, 3], [0, 0, 0, 1]])  # not the canonical axes
    (tmp_path / "mine").mkdir()
    nib.save(nib.Nifti1Image(phantom[0].numpy(), affine), tmp_path / "mine" / "case01.nii.gz")
    UMC.run(
        tmp_path / "own", "inference", "volume", "files", features=[4, 8, 16], input_dir=str(tmp_path / "mine"),
        ckpt_path=str(tmp_path / "checkpoints" / "best.pt"),
    )  # fmt: skip
    denoised = nib.load(tmp_path / "own" / "predictions" / "case01_denoise.nii.gz")
    segmented = nib.load(tmp_path / "own" / "predictions" / "case01_segment.nii.gz")
    for image in (denoised, segmented):
        np.testing.assert_allclose(image.affine, affine, atol=1e-5)
    # Left in network units, it would be 3.5 standard deviations off.
    error = np.abs(denoised.get_fdata() - phantom[0].numpy()).mean()
    assert error < 1.5 * phantom.numpy().std()
    assert segmented.get_data_dtype() == np.uint8
    assert np.asarray(segmented.dataobj).max() < 5


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["coarse_to_fine"], {}),
        (["denoise_then_segment"], {}),
        ([], {"network_def#connectivity": "causal", "noise_sigma": 60}),
        ([], {"only": ["denoise"], "key_metric_name": "denoise_psnr"}),
        ([], {"weights": {"denoise": 0.1}}),
    ],
)
def test_overlays_and_overrides_train(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    UMC.train(tmp_path, *overlays, **overrides)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


def test_noise_sigma_reaches_the_data() -> None:
    for sigma in (15, 60):
        noise = UMC.parsed("train", noise_sigma=sigma).get_parsed_content("degrade")[0]
        image = torch.zeros(3, 64, 64)
        assert noise({"image": image})["image"].std() == pytest.approx(sigma, rel=0.05)


def test_denoiser_trained_apart_stays_as_it_was(tmp_path: Path) -> None:
    UMC.train(tmp_path / "denoiser", "unet", only="denoise", key_metric_name="denoise_psnr")
    apart = tmp_path / "denoiser" / "checkpoints" / "best.pt"
    UMC.train(tmp_path / "chain", "denoise_then_segment", "denoiser_frozen", denoiser_ckpt=str(apart))
    chain = network(tmp_path / "chain")
    for name, value in network(tmp_path / "denoiser", "best").items():
        assert torch.equal(chain[f"networks.0.{name}"], value), name


def test_classical_denoiser_before_a_network_trained_on_clean_images(tmp_path: Path) -> None:
    UMC.train(tmp_path, "unet", only="segment", noise_sigma=0)
    # After "evaluate", whose checkpoint loader it gives the second network.
    UMC.run(
        tmp_path, "train", "evaluate", "classical", **UMC.small, ckpt_path=str(tmp_path / "checkpoints" / "best.pt")
    )
    metrics = measured(tmp_path)
    assert metrics["denoise_psnr"] > metrics["denoise_psnr_input"] + 1
    assert "segment_miou" in metrics


def test_overlays_may_be_yaml(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(
        "max_epochs: 1\nfeatures: [4, 8]\ntasks#1#palette: null\ntrain#trainer#amp: false\n"
        "train_data: $monai_mtunet.data.synthetic_datalist(2, 'train')  # two samples\n"
        "val_data: $monai_mtunet.data.synthetic_datalist(1, 'val')\n"
    )
    files = [*UMC.configs("train"), str(overlay)]
    check_overrides(["--config_file", str(files)])
    run(config_file=files, **UMC.files, output_dir=str(tmp_path / "out"), **{"load#0#spatial_size": 16})
    assert checkpoint(tmp_path / "out")["trainer"]["iteration"] == 1


CONFIG = ["--config_file", str(UMC.folder / "train.json")]


@pytest.mark.parametrize(
    "name",
    ["noise_sigma", "max_epochs", "train#trainer#max_epochs", "train::trainer::max_epochs", "tasks#1#dice",
     "network_def#dropout", "logging_file"],
)  # fmt: skip
def test_known_overrides_pass(name: str) -> None:
    check_overrides([*CONFIG, f"--{name}", "1"])
    check_overrides([*CONFIG, f"--{name}=1"])


@pytest.mark.parametrize(
    ("name", "hint"), [("noise_sgma", "Did you mean --noise_sigma"), ("trainer#max_epoch", "names nothing")]
)
def test_mistyped_overrides_are_noticed(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        check_overrides([*CONFIG, f"--{name}", "1"])


def test_an_overlay_whose_item_nothing_refers_to_is_noticed(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.json"
    files = ["--config_file", str([str(UMC.folder / "train.json"), str(overlay)])]
    overlay.write_text('{"noise_sgma": 60, "classes": 2, "tasks#1#classes": "$[str(i) for i in range(@classes)]"}')
    with pytest.raises(ValueError, match=r"mine.json adds \['noise_sgma'\], to which nothing.*Correct the"):
        check_overrides(files)
    overlay.write_text('{"noise_sigma": 60, "validate#dataset#cache_rate": 0, "+load": []}')
    check_overrides(files)


@pytest.mark.parametrize("name", ["OUTPUT_DIR", "load ", "output_dirs", "max_epoch"])
def test_an_overlay_for_inference_with_a_mistyped_item_is_noticed(tmp_path: Path, name: str) -> None:
    overlay = tmp_path / "mine.json"
    files = ["--config_file", str([str(UMC.folder / "inference.json"), str(overlay)])]
    overlay.write_text(json.dumps({name: 1}))
    with pytest.raises(ValueError, match=rf"mine.json adds '{name}', .* Did you mean '{name.lower()[:6].strip()}"):
        check_overrides(files)
    overlay.write_text('{"max_epochs": 3, "patients": ["a"], "denoiser_ckpt": "x.pt"}')  # of training, or one's own
    check_overrides(files)
