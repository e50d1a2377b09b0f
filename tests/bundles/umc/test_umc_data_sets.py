"""The overlays of the UMC bundle for data sets: frames of Cityscapes in its official layout, and real data."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ..bundle_under_test import needs_data
from ..left_by_a_run import measured, network
from .umc_bundle import UMC


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
    ("overlays", "tasks"),
    [
        pytest.param([], {"denoise": 3, "segment": 19}, marks=pytest.mark.slow),
        pytest.param(["coarse_to_fine_group2"], {"coarse_class": 19, "segment": 19}, marks=pytest.mark.slow),
        pytest.param(["coarse_to_fine_group3"], {"coarse_category": 8, "segment": 19}, marks=pytest.mark.slow),
        (["coarse_to_fine_group4"], {"coarse_category": 8, "fine_category": 8, "segment": 19}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
def test_cityscapes_and_the_groups_of_table_3_train(
    tmp_path: Path, cityscapes: Path, overlays: list[str], tasks: dict[str, int]
) -> None:
    small = {"features": [4, 8], "max_epochs": 1, "num_workers": 0, "batch_size": 2, "augment#0#roi_size": [32, 64]}
    UMC.run(tmp_path, "train", "cityscapes", *overlays, **small, dataset_dir=str(cityscapes))
    trained = network(tmp_path)
    for name, channels in tasks.items():
        assert len(trained[f"pathways.{name}.head.bias"]) == channels


@pytest.mark.parametrize("group", [2, 3, 4])
@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
def test_targets_of_the_groups_of_table_3(cityscapes: Path, group: int) -> None:
    config = UMC.parsed("train", "cityscapes", f"coarse_to_fine_group{group}", dataset_dir=str(cityscapes))
    tasks = config.get_parsed_content("active_tasks")
    sample = config.get_parsed_content("validate#dataset")[0]
    for name, classes in tasks.out_channels.items():
        assert set(sample[name].unique().tolist()) <= {*range(classes), 255}
        assert len(sample[name].unique()) > 2


@pytest.mark.parametrize(
    "overlay",
    [
        pytest.param("camvid", marks=needs_data("camvid", "val.txt")),
        pytest.param("hippocampus", marks=needs_data("hippocampus", "Task04_Hippocampus")),
    ],
)
def test_real_data_train_evaluate_and_predict(tmp_path: Path, overlay: str) -> None:
    lists = UMC.parsed("train", overlay)
    inference = {"features": [4, 8], "val_data": f"{lists['val_data']}[:2]"}
    small = {**inference, "max_epochs": 1, "train_data": f"{lists['train_data']}[:4]"}
    UMC.run(tmp_path, "train", overlay, **small)
    # The target of a task that is left out keeps the size it had, and must not reach the batch.
    UMC.run(tmp_path / "unet", "train", overlay, "unet", **small, key_metric_name="segment_miou")
    UMC.run(tmp_path, "train", overlay, "evaluate", **small)
    UMC.run(tmp_path, "inference", overlay, **inference)
    assert measured(tmp_path)["denoise_psnr_input"] > 10
    assert len(list((tmp_path / "predictions").glob("*_panel.png"))) == 2
    assert len(list((tmp_path / "predictions").glob("*_denoise.*"))) == 2
