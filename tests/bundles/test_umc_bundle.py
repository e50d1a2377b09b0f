"""The UMC bundle from training to files, its overlays and overrides."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

import monai_mtunet
from monai_mtunet.bundle import check_overrides

from .bundle_under_test import needs_data, saved_metrics
from .umc_bundle import BUNDLE, SMALL, UMC, configs, parsed, run_bundle

SMALL_VOLUME = SMALL | {"load#0#spatial_size": 16}


@pytest.mark.parametrize(
    ("kind", "names"),
    [("train", ["train"]), ("train", ["train", "evaluate"]), ("inference", ["inference"])],
)
def test_has_the_properties_of_a_zoo_bundle(kind: str, names: list[str], tmp_path: Path) -> None:
    workflow = ConfigWorkflow(configs(*names), workflow_type=kind, output_dir=str(tmp_path), **UMC.files)
    workflow.initialize()
    assert workflow.check_properties() == []


def test_inference_and_metadata_repeat_the_tasks_of_training() -> None:
    train, inference = parsed("train"), parsed("inference")
    for first, second in zip(train.get_parsed_content("tasks"), inference.get_parsed_content("tasks"), strict=True):
        assert type(first) is type(second)
        assert (first.name, first.channels) == (second.name, second.channels)
        assert first.metadata(spatial_dims=2) == second.metadata(spatial_dims=2)
        assert first.legend() == second.legend()
    for item in (
        "mean",
        "std",
        "features",
        "network_def#connectivity",
        "image_channels",
        "spatial_dims",
        "noise_sigma",
    ):
        assert train[item] == inference[item], item
    outputs = json.loads((BUNDLE / "metadata.json").read_text())["network_data_format"]["outputs"]
    assert next(iter(outputs)) == "pred"
    tasks = train.get_parsed_content("tasks")
    assert outputs["pred"]["num_channels"] == sum(task.channels for task in tasks)
    assert {name: outputs[name] for name in list(outputs)[1:]} == {task.name: task.metadata(2) for task in tasks}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    run_bundle(folder, "train", **SMALL)
    return folder


def test_training_leaves_checkpoints_logs_and_panels(trained: Path) -> None:
    assert {"best.pt", "last.pt"} == {file.name for file in (trained / "checkpoints").iterdir()}
    assert [file.name for file in sorted((trained / "panels").iterdir())] == ["epoch_0001.png", "epoch_0002.png"]
    events = _scalars(trained / "tensorboard")
    assert {"loss", "loss_denoise", "loss_segment", "segment_miou", "denoise_psnr", "denoise_ssim"} <= set(events)


def test_evaluation_repeats_the_validation_of_the_best_epoch(trained: Path, tmp_path: Path) -> None:
    checkpoint = torch.load(trained / "checkpoints" / "best.pt", weights_only=True)
    checkpoint["trainer"]["iteration"] = 7 * checkpoint["trainer"]["epoch_length"]  # as if it were the seventh epoch's
    torch.save(checkpoint, tmp_path / "best.pt")
    run_bundle(tmp_path, "train", "evaluate", **SMALL, ckpt_path=str(tmp_path / "best.pt"))
    metrics = saved_metrics(tmp_path)
    assert metrics["segment_miou"] == pytest.approx(checkpoint["best_metric"]["value"], abs=1e-6)
    # 10 log10(255^2 / 30^2) = 18.59 dB, were the noise not a sample of it.
    assert metrics["denoise_psnr_input"] == pytest.approx(18.59, abs=0.2)
    assert [file.name for file in (tmp_path / "evaluation").glob("*.png")] == ["epoch_0007.png"]


def test_inference_writes_a_file_per_task_and_a_panel(trained: Path, tmp_path: Path) -> None:
    run_bundle(
        tmp_path, "inference", **{"features": SMALL["features"], "load#0#spatial_size": 40},
        ckpt_path=str(trained / "checkpoints" / "best.pt"),
    )  # fmt: skip
    folder = tmp_path / "predictions"
    assert {f.name.removeprefix("synthetic_000002_") for f in folder.glob("*_000002_*")} == {
        "denoise.png", "segment.png", "panel.png",
    }  # fmt: skip
    assert Image.open(folder / "synthetic_000002_denoise.png").size == (40, 40)
    labels = Image.open(folder / "synthetic_000002_segment.png")
    assert labels.mode == "P"
    assert np.asarray(labels).max() < 5


def test_a_network_of_one_task_predicts_that_task(tmp_path: Path) -> None:
    run_bundle(tmp_path, "train", "unet", **SMALL)
    run_bundle(tmp_path, "inference", "unet", features=SMALL["features"])
    tasks = {file.stem.rpartition("_")[2] for file in (tmp_path / "predictions").iterdir()}
    assert tasks == {"segment", "panel"}


def test_volumes_from_training_to_nifti(tmp_path: Path) -> None:
    run_bundle(tmp_path, "train", "volume", **SMALL_VOLUME)
    run_bundle(
        tmp_path, "inference", "volume",
        **{key: SMALL_VOLUME[key] for key in ("val_data", "load#0#spatial_size", "features")},
    )  # fmt: skip
    denoised = nib.load(tmp_path / "predictions" / "synthetic_000001_denoise.nii.gz")
    segmented = nib.load(tmp_path / "predictions" / "synthetic_000001_segment.nii.gz")
    sample = monai_mtunet.data.LoadSyntheticd(spatial_dims=3, spatial_size=16)({"seed": 1})
    for image in (denoised, segmented):
        np.testing.assert_allclose(image.affine, sample["image"].affine, atol=1e-5)
        assert image.shape == (16, 16, 16)
    assert segmented.get_data_dtype() == np.uint8
    assert np.asarray(segmented.dataobj).max() < 5


def test_own_files_are_predicted_in_their_own_units(tmp_path: Path) -> None:
    run_bundle(tmp_path, "train", "volume", **SMALL_VOLUME | {"trainer#max_epochs": 12, "noise_sigma": 0.02})
    phantom = monai_mtunet.data.LoadSyntheticd(spatial_dims=3, spatial_size=16)({"seed": 1})["image"]
    affine = np.array([[0, -2.0, 0, 5], [1.5, 0, 0, -7], [0, 0, 1, 3], [0, 0, 0, 1]])  # not the canonical axes
    (tmp_path / "mine").mkdir()
    nib.save(nib.Nifti1Image(phantom[0].numpy(), affine), tmp_path / "mine" / "case01.nii.gz")
    run_bundle(tmp_path, "inference", "volume", "files", features=SMALL["features"], input_dir=str(tmp_path / "mine"))
    denoised = nib.load(tmp_path / "predictions" / "case01_denoise.nii.gz")
    segmented = nib.load(tmp_path / "predictions" / "case01_segment.nii.gz")
    for image in (denoised, segmented):
        np.testing.assert_allclose(image.affine, affine, atol=1e-5)
    # Left in network units, it would be 3.5 standard deviations off.
    error = np.abs(denoised.get_fdata() - phantom[0].numpy()).mean()
    assert error < 1.5 * phantom.numpy().std()
    assert np.asarray(segmented.dataobj).max() < 5


@pytest.mark.parametrize(
    ("names", "overrides"),
    [
        (["train", "coarse_to_fine"], {}),
        (["train", "unet"], {"only": "segment"}),
        (["train", "denoise_then_segment"], {}),
        (["train"], {"network_def#connectivity": "causal", "noise_sigma": 60}),
        (["train"], {"only": ["denoise"], "key_metric_name": "denoise_psnr"}),
        (["train"], {"alpha": {"denoise": 0.1}}),
    ],
)
def test_overlays_and_overrides_train(tmp_path: Path, names: list[str], overrides: dict[str, Any]) -> None:
    run_bundle(tmp_path, *names, **SMALL | {"trainer#max_epochs": 1} | overrides)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


def test_noise_sigma_reaches_the_data() -> None:
    for sigma in (15, 60):
        noise = parsed("train", noise_sigma=sigma).get_parsed_content("train_noise")[0]
        image = torch.zeros(3, 64, 64)
        assert noise({"image": image})["image"].std() == pytest.approx(sigma, rel=0.05)


def test_denoiser_trained_apart_stays_as_it_was(tmp_path: Path) -> None:
    run_bundle(tmp_path / "denoiser", "train", "unet", **SMALL, only="denoise", key_metric_name="denoise_psnr")
    checkpoint = tmp_path / "denoiser" / "checkpoints" / "best.pt"
    run_bundle(tmp_path / "chain", "train", "denoise_then_segment", "denoiser_frozen", **SMALL,
               denoiser_ckpt=str(checkpoint))  # fmt: skip
    apart = torch.load(checkpoint, weights_only=True)["network"]
    chain = torch.load(tmp_path / "chain" / "checkpoints" / "last.pt", weights_only=True)["network"]
    for name, value in apart.items():
        assert torch.equal(chain[f"networks.0.{name}"], value), name


def test_classical_denoiser_before_a_network_trained_on_clean_images(tmp_path: Path) -> None:
    run_bundle(tmp_path, "train", "unet", **SMALL, only="segment", noise_sigma=0)
    run_bundle(tmp_path, "train", "evaluate", "classical", **SMALL,
               ckpt_path=str(tmp_path / "checkpoints" / "best.pt"))  # fmt: skip
    metrics = saved_metrics(tmp_path)
    assert metrics["denoise_psnr"] > metrics["denoise_psnr_input"] + 1
    assert "segment_miou" in metrics


@pytest.fixture(scope="module")
def cityscapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three frames in the official layout."""
    folder = tmp_path_factory.mktemp("cityscapes")
    rng = np.random.default_rng(0)
    for section, count in (("train", 2), ("val", 1)):
        for index in range(count):
            files = {
                "leftImg8bit": ("leftImg8bit", rng.integers(0, 256, (64, 128, 3))),
                "gtFine": ("gtFine_labelIds", rng.integers(0, 34, (64, 128))),
                "gtCoarse": ("gtCoarse_labelIds", rng.integers(0, 34, (64, 128))),
            }
            for kind, (suffix, values) in files.items():
                path = folder / kind / section / "bonn" / f"bonn_{index:06d}_000019_{suffix}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(values.astype(np.uint8)).save(path)
    return folder


@pytest.mark.parametrize(
    ("overlay", "tasks"),
    [
        ([], {"denoise": 3, "segment": 19}),
        (["coarse_to_fine_group2"], {"coarse_class": 19, "segment": 19}),
        (["coarse_to_fine_group3"], {"coarse_category": 8, "segment": 19}),
        (["coarse_to_fine_group4"], {"coarse_category": 8, "fine_category": 8, "segment": 19}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
def test_cityscapes_and_the_groups_of_table_3(
    tmp_path: Path, cityscapes: Path, overlay: list[str], tasks: dict[str, int]
) -> None:
    small = {"features": [4, 8], "trainer#max_epochs": 1, "num_workers": 0, "augment#0#roi_size": [32, 64]}
    names = ["train", "cityscapes", *overlay]
    assert monai_mtunet.out_channels(parsed(*names).get_parsed_content("tasks")) == tasks
    run_bundle(tmp_path, *names, **small, dataset_dir=str(cityscapes), batch_size=2)
    network = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["network"]
    for name, channels in tasks.items():
        assert len(network[f"pathways.{name}.head.bias"]) == channels


@pytest.mark.parametrize(
    "overlay",
    [
        pytest.param("camvid", marks=needs_data("camvid", "val.txt")),
        pytest.param("hippocampus", marks=needs_data("hippocampus", "Task04_Hippocampus")),
    ],
)
def test_real_data_train_evaluate_and_predict(tmp_path: Path, overlay: str) -> None:
    lists = parsed("train", overlay)
    small = {
        "features": [4, 8],
        "trainer#max_epochs": 1,
        "train_data": f"{lists['train_data']}[:8]",
        "val_data": f"{lists['val_data']}[:2]",
    }
    run_bundle(tmp_path, "train", overlay, **small)
    # The target of a task that is left out keeps the size it had, and must not reach the batch.
    run_bundle(tmp_path / "unet", "train", overlay, "unet", **small, key_metric_name="segment_miou")
    run_bundle(tmp_path, "train", overlay, "evaluate", **small)
    run_bundle(tmp_path, "inference", overlay, features=small["features"], val_data=small["val_data"])
    assert saved_metrics(tmp_path)["denoise_psnr_input"] > 10
    assert len(list((tmp_path / "predictions").glob("*_panel.png"))) == 2
    assert len(list((tmp_path / "predictions").glob("*_denoise.*"))) == 2


def _scalars(folder: Path) -> list[str]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return events.Tags()["scalars"]


CONFIG = ["--config_file", str(BUNDLE / "train.json")]


@pytest.mark.parametrize(
    "name",
    ["noise_sigma", "trainer#max_epochs", "train#trainer#max_epochs", "train::trainer::max_epochs", "tasks#1#dice",
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
    files = ["--config_file", str([str(BUNDLE / "train.json"), str(overlay)])]
    overlay.write_text('{"noise_sgma": 60, "classes": 2, "tasks#1#classes": "$[str(i) for i in range(@classes)]"}')
    with pytest.raises(ValueError, match=r"mine.json adds \['noise_sgma'\], to which nothing"):
        check_overrides(files)
    overlay.write_text('{"noise_sigma": 60, "validate#dataset#cache_rate": 0, "+trainer": {"max_epochs": 3}}')
    check_overrides(files)
