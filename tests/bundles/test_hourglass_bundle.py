"""The multi-task hourglass bundle from training to files, its overlays, and the data layouts that they read."""

import csv
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

from .bundle_under_test import needs_data, saved_metrics
from .hourglass_bundle import HOURGLASS, SMALL, save_street_scenes


@pytest.mark.parametrize(
    ("kind", "names"),
    [("train", ["train"]), ("train", ["train", "evaluate"]), ("inference", ["inference"])],
)
def test_has_the_properties_of_a_zoo_bundle(kind: str, names: list[str], tmp_path: Path) -> None:
    few = {name: SMALL[name] for name in ("train_data", "val_data")} if kind == "train" else {}
    workflow = ConfigWorkflow(
        HOURGLASS.configs(*names), workflow_type=kind, output_dir=str(tmp_path), **HOURGLASS.files, **few
    )
    workflow.initialize()
    assert workflow.check_properties() == []


def test_inference_and_metadata_repeat_the_tasks_of_training() -> None:
    train, inference = HOURGLASS.parsed("train"), HOURGLASS.parsed("inference")
    tasks = train.get_parsed_content("tasks")
    for first, second in zip(tasks, inference.get_parsed_content("tasks"), strict=True):
        assert type(first) is type(second)
        assert first.metadata(spatial_dims=2) == second.metadata(spatial_dims=2)
        assert first.legend() == second.legend()
        assert first.color_bar() == second.color_bar()
    made, repeated = tasks[3], inference.get_parsed_content("tasks")[3]
    for name in ("method", "things", "prominence", "smoothing", "min_size", "slice_axis"):
        assert getattr(made, name) == getattr(repeated, name), name
    for item in ("mean", "std", "features", "network_def", "image_channels", "spatial_dims"):
        assert train[item] == inference[item], item
    outputs = json.loads((HOURGLASS.folder / "metadata.json").read_text())["network_data_format"]["outputs"]
    assert next(iter(outputs)) == "pred"
    predicted = [task for task in tasks if not task.sources]  # instances are made after the network
    assert outputs["pred"]["num_channels"] == sum(task.channels for task in predicted)
    assert {name: outputs[name] for name in list(outputs)[1:]} == {task.name: task.metadata(2) for task in tasks}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    HOURGLASS.run(folder, "train", **SMALL | {"trainer#max_epochs": 2})
    return folder


def test_training_leaves_checkpoints_panels_and_metrics_of_instances(trained: Path) -> None:
    assert {"best.pt", "last.pt"} == {file.name for file in (trained / "checkpoints").iterdir()}
    assert len(list((trained / "panels").glob("*.png"))) == 2
    with open(trained / "validation" / "metrics.csv") as file:
        measured = {name for name, _ in csv.reader(file)}
    assert {"edges_f", "segment_miou", "distance_mae", "instances_pq", "instances_ap50", "instances_merged"} <= measured


def test_evaluation_repeats_the_best_epoch(trained: Path, tmp_path: Path) -> None:
    HOURGLASS.run(tmp_path, "train", "evaluate", **SMALL, ckpt_path=str(trained / "checkpoints" / "best.pt"))
    best = torch.load(trained / "checkpoints" / "best.pt", weights_only=True)["best_metric"]
    metrics = saved_metrics(tmp_path)
    assert metrics["instances_pq"] == pytest.approx(best["value"], abs=1e-6)


def test_inference_writes_ids_of_16_bits(trained: Path, tmp_path: Path) -> None:
    HOURGLASS.run(
        tmp_path, "inference", **{"features": SMALL["features"], "load#0#spatial_size": [32, 40]},
        ckpt_path=str(trained / "checkpoints" / "best.pt"),
    )  # fmt: skip
    (file,) = (tmp_path / "predictions").glob("*_000002_instances.png")
    ids = np.asarray(Image.open(file))
    assert ids.shape == (32, 40)
    assert ids.dtype == np.uint16
    stem = file.name.removesuffix("_instances.png")
    classes = np.asarray(Image.open(file.with_name(f"{stem}_segment.png")))
    assert not ids[classes == 0].any()  # the background has none
    assert {f"{stem}_edges.npy", f"{stem}_distance.npy", f"{stem}_panel.png"} <= {f.name for f in file.parent.iterdir()}


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["segment_only"], {}),
        (["three_ways", "with_edges"], {}),
        ([], {"alpha": {"distance": 2.0}, "only": "segment", "key_metric_name": "segment_miou"}),
    ],
)
def test_overlays_and_fewer_tasks_train(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    HOURGLASS.run(tmp_path, "train", *overlays, **SMALL | overrides)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


def test_overlays_say_how_instances_are_made_and_losses_weighted() -> None:
    for overlay, method, sources in (
        ("components", "components", ["segment"]),
        ("segment_only", "components", ["segment"]),
        ("own_depth", "watershed", ["segment"]),
        ("volume", "watershed", ["segment", "distance"]),
    ):
        parsed = HOURGLASS.parsed("train", overlay)
        instances = parsed.get_parsed_content("active_tasks")[-1]
        assert instances.name == "instances"
        assert instances.method == method
        assert [source.name for source in instances.sources] == sources
        smoothing = {"volume": 0.7}.get(overlay, 0.0)  # of the region's own depth as in "three_ways": none
        assert instances.smoothing == smoothing
    assert [task.name for task in HOURGLASS.parsed("train", "segment_only").get_parsed_content("active_tasks")] == [
        "segment",
        "instances",
    ]
    loss = HOURGLASS.parsed("train", "uncertainty").get_parsed_content("loss")
    assert type(loss.weighting).__name__ == "UncertaintyWeighting"
    assert list(loss.losses) == ["edges", "segment", "distance"]


@pytest.mark.parametrize(("overlays", "smoothing"), [([], 1.0), (["volume"], 0.7)])
def test_with_edges_differs_from_what_it_is_compared_with_by_edges_alone(overlays: list[str], smoothing: float) -> None:
    for changed in ({}, {"tasks#3#smoothing": 2.0, "tasks#3#prominence": 1.5, "tasks#3#min_size": 8}):
        tasks = HOURGLASS.parsed("train", *overlays, "three_ways", "with_edges", **changed).get_parsed_content("tasks")
        plain, with_edges = tasks[3], tasks[-1]
        assert (plain.name, with_edges.name) == ("instances", "with_edges")
        assert plain.smoothing == changed.get("tasks#3#smoothing", smoothing)
        for name in ("segment", "distance", "things", "method", "prominence", "smoothing", "min_size", "slice_axis"):
            assert getattr(plain, name) == getattr(with_edges, name), name
        assert plain.edges is None
        assert with_edges.edges is tasks[0]


def test_volumes_train_and_become_files_of_ids(tmp_path: Path) -> None:
    small = SMALL | {"load#0#spatial_size": 20, "augment#0#roi_size": [16, 16, 16], "val_data": SMALL["train_data"]}
    HOURGLASS.run(tmp_path, "train", "volume", **small)
    HOURGLASS.run(
        tmp_path, "inference", "volume", **{"features": SMALL["features"], "load#0#spatial_size": [20, 16, 18]},
        val_data="$monai_mtunet.data.synthetic_datalist(1, 'test')",
    )  # fmt: skip
    (file,) = (tmp_path / "predictions").glob("*_instances.nii.gz")
    saved = nibabel.load(file)
    assert saved.shape == (20, 16, 18)
    assert saved.get_data_dtype() == np.uint16


def test_samples_without_instances_train_on(tmp_path: Path) -> None:
    unlabeled = f"$monai_mtunet.data.keep_labels({SMALL['train_data'][1:]}, 'instances', fraction=0)"
    HOURGLASS.run(tmp_path, "train", **SMALL | {"train_data": unlabeled})
    state = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["network"]
    assert all(value.isfinite().all() for value in state.values())


@pytest.mark.filterwarnings("ignore:.*frames of (Cityscapes|KITTI)")
@pytest.mark.parametrize("name", ["cityscapes", "kitti"])
def test_street_scenes_train_evaluate_and_predict(tmp_path: Path, name: str) -> None:
    save_street_scenes(tmp_path / "data", name)
    small = {"features": [4, 4, 4, 4, 4], "dataset_dir": str(tmp_path / "data"), "roi_size": [24, 32]}
    if name == "cityscapes":
        small["resize#0#spatial_size"] = [32, 48]
    training = small | {
        "trainer#max_epochs": 1, "num_workers": 0, "batch_size": 2, "augment#0#roi_size": [24, 32],
    }  # fmt: skip
    HOURGLASS.run(tmp_path, "train", name, **training)
    network = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["network"]
    assert len(network["pathways.segment.head.bias"]) == 19
    HOURGLASS.run(tmp_path, "inference", name, **small)
    (file,) = (tmp_path / "predictions").glob("*_instances.png")
    assert np.asarray(Image.open(file)).shape == (40, 60)  # as the original image, which Cityscapes' overlay resizes


@pytest.mark.filterwarnings("ignore:.*frames of (Cityscapes|KITTI)")
@pytest.mark.parametrize("name", ["cityscapes", "kitti"])
def test_street_scenes_without_instances_only_teach_the_other_tasks(tmp_path: Path, name: str) -> None:
    save_street_scenes(tmp_path, name)
    classes = tmp_path / "classes.png"
    Image.fromarray(np.full((40, 60), 26, np.uint8)).save(classes)
    data = {"dataset_dir": str(tmp_path), "num_workers": 0, "augment": [], "shuffle": False}
    whole = HOURGLASS.parsed("train", name, **data).get_parsed_content("train_data")[0]
    unlabeled = {**whole, "instances": None}
    frames = [whole, unlabeled, {**unlabeled, "segment": str(classes)}]
    loader = HOURGLASS.parsed("train", name, **data, train_data=frames).get_parsed_content("train#dataloader")
    (batch,) = loader
    assert set(batch["instances"][0].unique().tolist()) == {-1, 0, 1, 2}
    assert (batch["instances"][1:] == -1).all()
    assert batch["distance"][1:].isnan().all()
    assert set(batch["segment"][0].unique().tolist()) == {0, 13, 255}
    assert (batch["segment"][1] == 255).all()
    assert (batch["segment"][2] == 13).all()  # cars, from the file of labels


@needs_data("camvid", "val.txt")
def test_camvid_trains_without_instances(tmp_path: Path) -> None:
    small: dict[str, Any] = {
        "features": [4, 4, 4, 4, 4], "augment#0#roi_size": [64, 64], "trainer#max_epochs": 1, "batch_size": 2,
        "train_data": "$monai_mtunet.data.camvid_datalist(@dataset_dir, 'train')[:2]",
        "val_data": "$monai_mtunet.data.camvid_datalist(@dataset_dir, 'val')[:1]",
    }  # fmt: skip
    HOURGLASS.run(tmp_path, "train", "camvid", **small)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


@needs_data("sstem_vnc")
def test_sections_of_cells_train(tmp_path: Path) -> None:
    crop = {"_target_": "CenterSpatialCropd", "keys": ["image", "segment"], "roi_size": [48, 48, 6]}
    small: dict[str, Any] = {
        "features": [4, 4, 4, 4], "patch_size": [32, 32, 4], "roi_size": [48, 48, 6], "trainer#max_epochs": 1,
        "crops_per_epoch": 2, "batch_size": 2, "resize": [crop],
    }  # fmt: skip
    HOURGLASS.run(tmp_path, "train", "sstem", **small)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


@pytest.mark.parametrize("overlays", [["volume"], ["cityscapes"], ["kitti"], ["camvid"], ["sstem"], ["components"]])
def test_own_files_are_prepared_as_the_training_images(overlays: list[str]) -> None:
    prepared, files = (
        [
            type(step)
            for step in HOURGLASS.parsed("inference", *overlays, *more).get_parsed_content("preprocessing").transforms
        ]
        for more in ([], ["files"])
    )
    loading = [type(step).__name__ for step in HOURGLASS.parsed("inference", *overlays).get_parsed_content("load")]
    assert files[2:] == prepared[len(loading) :]  # after loading and checking
    assert [step.__name__ for step in files[:2]] == ["LoadSampled", "CheckSampled"]
