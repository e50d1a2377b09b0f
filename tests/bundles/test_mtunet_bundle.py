"""The MT-UNet bundle from training to files, its overlays, and the data layouts that they read."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

from .bundle_under_test import saved_metrics
from .mtunet_bundle import MTUNET, SMALL


@pytest.mark.parametrize(
    ("kind", "names"),
    [("train", ["train"]), ("train", ["train", "evaluate"]), ("inference", ["inference"])],
)
def test_has_the_properties_of_a_zoo_bundle(kind: str, names: list[str], tmp_path: Path) -> None:
    workflow = ConfigWorkflow(MTUNET.configs(*names), workflow_type=kind, output_dir=str(tmp_path), **MTUNET.files)
    workflow.initialize()
    assert workflow.check_properties() == []


def test_inference_and_metadata_repeat_the_tasks_of_training() -> None:
    train, inference = MTUNET.parsed("train"), MTUNET.parsed("inference")
    tasks = train.get_parsed_content("tasks")
    for first, second in zip(tasks, inference.get_parsed_content("tasks"), strict=True):
        assert type(first) is type(second)
        assert first.metadata(spatial_dims=2) == second.metadata(spatial_dims=2)
        assert first.legend() == second.legend()
        assert first.color_bar() == second.color_bar()
    assert tasks[1].scale == inference.get_parsed_content("tasks")[1].scale
    for item in ("mean", "std", "features", "network_def", "image_channels", "spatial_dims"):
        assert train[item] == inference[item], item
    outputs = json.loads((MTUNET.folder / "metadata.json").read_text())["network_data_format"]["outputs"]
    assert next(iter(outputs)) == "pred"
    assert outputs["pred"]["num_channels"] == sum(task.channels for task in tasks)
    assert {name: outputs[name] for name in list(outputs)[1:]} == {task.name: task.metadata(2) for task in tasks}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    MTUNET.run(folder, "train", **SMALL | {"trainer#max_epochs": 2})
    return folder


def test_training_leaves_checkpoints_panels_and_the_curves_of_figure_4(trained: Path) -> None:
    assert {"best.pt", "last.pt"} == {file.name for file in (trained / "checkpoints").iterdir()}
    assert len(list((trained / "panels").glob("*.png"))) == 2
    with open(trained / "loss_weights.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["epoch"]) for row in rows] == [1, 2]
    for row in rows:
        assert float(row["weight_segment"]) + float(row["weight_depth"]) == pytest.approx(1)
    assert Image.open(trained / "loss_weights.png").size[0] > 300


def test_evaluation_repeats_the_best_epoch_and_draws_the_masks_of_figure_5(trained: Path, tmp_path: Path) -> None:
    MTUNET.run(tmp_path, "train", "evaluate", **SMALL, ckpt_path=str(trained / "checkpoints" / "best.pt"))
    best = torch.load(trained / "checkpoints" / "best.pt", weights_only=True)["best_metric"]
    metrics = saved_metrics(tmp_path)
    assert metrics["segment_miou"] == pytest.approx(best["value"], abs=1e-6)
    assert {f"depth_{name}" for name in ("abs", "rel", "rmse", "delta1", "delta2", "delta3")} <= set(metrics)
    assert len(list((tmp_path / "attention_masks").glob("*.png"))) == 1


def test_inference_writes_class_maps_and_meters(trained: Path, tmp_path: Path) -> None:
    MTUNET.run(
        tmp_path, "inference", **{"features": SMALL["features"], "load#0#spatial_size": [16, 40]},
        ckpt_path=str(trained / "checkpoints" / "best.pt"),
    )  # fmt: skip
    written = {file.name.removeprefix("geometry_000002_") for file in (tmp_path / "predictions").glob("*_000002_*")}
    assert "segment.png" in written
    assert "panel.png" in written
    assert any(name.startswith("depth") for name in written)


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["no_cross_talk"], {}),
        (["equal_weights"], {}),
        (["fixed_weights"], {}),
        (["dwa"], {}),
        (["normals"], {}),
        (["normals"], {"only": "normals", "key_metric_name": "normals_mean_angle"}),
        ([], {"only": "depth", "key_metric_name": "depth_abs"}),
        (["volume"], {"load#0#spatial_size": 16}),
    ],
)
def test_overlays_and_single_tasks_train(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    MTUNET.run(tmp_path, "train", *overlays, **SMALL | overrides)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


def test_batches_without_any_depth_train_on(tmp_path: Path) -> None:
    unlabeled = f"$monai_mtunet.data.keep_labels({SMALL['train_data'][1:]}, 'depth', fraction=0)"
    MTUNET.run(tmp_path, "train", **SMALL | {"train_data": unlabeled})
    state = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["network"]
    assert all(value.isfinite().all() for value in state.values())
    with open(tmp_path / "loss_weights.csv") as file:
        (row,) = csv.DictReader(file)
    assert float(row["loss_segment"]) > 0
    assert row["loss_depth"] == "nan"


def save_mtan(folder: Path, classes: int, size: tuple[int, int], normals: bool) -> None:
    """Three frames in MTAN's layout; of the second all depth is invalid but one pixel."""
    rng = np.random.default_rng(0)
    for section, count in (("train", 2), ("val", 1)):
        for index in range(count):
            arrays = {
                "image": rng.random((*size, 3)),
                "label": rng.integers(-1, classes, size).astype(float),
                "depth": rng.random((*size, 1)) * (rng.random((*size, 1)) > 0.2) * 5,
            }
            if index:
                arrays["depth"][1:] = 0
            if normals:
                vectors = rng.normal(size=(*size, 3))
                arrays["normal"] = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
            for kind, values in arrays.items():
                path = folder / section / kind / f"{index}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, values)


def save_cityscapes(folder: Path) -> None:
    """Three frames in the official layout, with disparity of 16 bits, a fifth of it invalid."""
    rng = np.random.default_rng(0)
    camera = {"extrinsic": {"baseline": 0.209313}, "intrinsic": {"fx": 2262.52}}
    for section, count in (("train", 2), ("val", 1)):
        for index in range(count):
            stem = f"bonn_{index:06d}_000019"
            disparity = rng.integers(1, 32000, (64, 128)) * (rng.random((64, 128)) > 0.2)
            images = {
                f"leftImg8bit/{section}/bonn/{stem}_leftImg8bit.png": rng.integers(0, 256, (64, 128, 3), np.uint8),
                f"gtFine/{section}/bonn/{stem}_gtFine_labelIds.png": rng.integers(0, 34, (64, 128), np.uint8),
                f"disparity/{section}/bonn/{stem}_disparity.png": disparity.astype(np.uint16),
            }
            for name, values in images.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(values).save(folder / name)
            path = folder / f"camera/{section}/bonn/{stem}_camera.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(camera))


@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
@pytest.mark.parametrize(
    ("overlays", "classes"),
    [
        (["cityscapes"], 7),
        (["cityscapes", "nineteen_classes"], 19),
        (["cityscapes_mtan"], 7),
        (["cityscapes_mtan", "nineteen_classes"], 19),
        (["nyuv2"], 13),
        (["nyuv2", "nyuv2_normals"], 13),
    ],
)
def test_data_sets_train_evaluate_and_predict(tmp_path: Path, overlays: list[str], classes: int) -> None:
    data = tmp_path / "data"
    small = {"features": [4, 4, 4], "dataset_dir": str(data)}
    if overlays[0] == "cityscapes":
        save_cityscapes(data)
    else:
        save_mtan(data, classes, (24, 32), normals="nyuv2_normals" in overlays)
    if overlays[0] == "cityscapes_mtan":
        small["label_folder"] = "label"
    else:
        small["resize#0#spatial_size"] = [16, 32]
    training = small | {"trainer#max_epochs": 1, "num_workers": 0, "batch_size": 2}
    MTUNET.run(tmp_path, "train", *overlays, **training)
    MTUNET.run(tmp_path, "train", *overlays, "evaluate", **training)
    assert saved_metrics(tmp_path)["depth_abs"] > 0
    network = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["network"]
    assert len(network["heads.segment.bias"]) == classes
    MTUNET.run(tmp_path, "inference", *overlays, **small)
    assert len(list((tmp_path / "predictions").glob("*_panel.png"))) == 1


@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
def test_frames_of_cityscapes_may_lack_depth_or_classes(tmp_path: Path) -> None:
    save_cityscapes(tmp_path)
    data = {
        "dataset_dir": str(tmp_path), "num_workers": 0, "resize#0#spatial_size": [16, 32], "shuffle": False,
    }  # fmt: skip
    whole = MTUNET.parsed("train", "cityscapes", **data).get_parsed_content("train_data")[0]
    missing = [{"depth": None}, {"depth": None, "camera": None}, {"segment": None}]
    frames = [whole, *({**whole, **lacks} for lacks in missing)]
    parser = MTUNET.parsed("train", "cityscapes", **data, train_data=frames)
    batch = next(iter(parser.get_parsed_content("train#dataloader")))
    known = [bool(depth.isfinite().any()) for depth in batch["depth"]]
    assert known == [True, False, False, True]
    labeled = [bool((segment != 255).any()) for segment in batch["segment"]]
    assert labeled == [True, True, True, False]
    prepare = parser.get_parsed_content("train#preprocessing")
    unknown = {"camera": None}, ValueError  # a disparity without its camera is no depth
    left_out = {"camera": ...}, KeyError  # may be a mistake, where null says that it is meant
    for change, kind in (unknown, left_out):
        frame = {key: value for key, value in {**whole, **change}.items() if value is not ...}
        with pytest.raises(RuntimeError) as caught:
            prepare(frame)
        assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize(
    "overlays", [["volume"], ["cityscapes"], ["nyuv2"], ["dwa"], ["fixed_weights"], ["equal_weights"]]
)
def test_own_files_are_prepared_as_the_training_images(overlays: list[str]) -> None:
    prepared, files = (
        [
            type(step)
            for step in MTUNET.parsed("inference", *overlays, *more).get_parsed_content("preprocessing").transforms
        ]
        for more in ([], ["files"])
    )
    loading = [type(step).__name__ for step in MTUNET.parsed("inference", *overlays).get_parsed_content("load")]
    assert files[2:] == prepared[len(loading) :]  # after loading and checking
    assert [step.__name__ for step in files[:2]] == ["LoadSampled", "CheckSampled"]
