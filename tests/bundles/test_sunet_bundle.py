"""The SUNet bundle from training to files, its overlays without data, and the two commands of pretraining."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

from monai_mtunet.networks import SUNet, sunet_7_128, sunet_128

from .bundle_under_test import saved_metrics
from .sunet_bundle import SMALL, SUNET, TINY


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("train", ["train"]),
        ("train", ["train", "evaluate"]),
        ("train", ["train", "classification"]),
        ("inference", ["inference"]),
        ("inference", ["inference", "classification"]),
    ],
)
def test_has_the_properties_of_a_zoo_bundle(kind: str, names: list[str], tmp_path: Path) -> None:
    small = SMALL if kind == "train" else TINY
    workflow = ConfigWorkflow(
        SUNET.configs(*names), workflow_type=kind, output_dir=str(tmp_path), **SUNET.files, **small
    )
    workflow.initialize()
    assert workflow.check_properties() == []


def test_inference_and_metadata_repeat_the_tasks_of_training() -> None:
    train, inference = SUNET.parsed("train"), SUNET.parsed("inference")
    (task,), (written,) = train.get_parsed_content("tasks"), inference.get_parsed_content("tasks")
    assert type(task) is type(written)
    assert task.metadata(spatial_dims=2) == written.metadata(spatial_dims=2)
    assert task.legend() == written.legend()
    same = ["mean", "std", "features", "modules", "module_features", "stem_features", "norm", "output_stride"]
    same += ["strides", "scales", "flip_axes", "shorter_side"]
    for item in (*same, "network_def", "image_channels", "spatial_dims"):
        assert train[item] == inference[item], item
    assert train["test_inferer"] == inference["inferer"]
    outputs = json.loads((SUNET.folder / "metadata.json").read_text())["network_data_format"]["outputs"]
    assert list(outputs) == ["pred", "segment"]
    assert outputs["pred"]["num_channels"] == task.channels
    assert outputs["segment"] == task.metadata(2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    SUNET.run(folder, "train", **SMALL | {"trainer#max_epochs": 2})
    return folder


def state(folder: Path, name: str = "last") -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(folder / "checkpoints" / f"{name}.pt", weights_only=True)
    return checkpoint


def test_the_rate_falls_to_zero_iteration_by_iteration(trained: Path) -> None:
    assert len(list((trained / "panels").glob("*.png"))) == 2
    schedule = state(trained)["lr_scheduler"]
    assert schedule["T_max"] == schedule["last_epoch"] == 2 * 2
    for group in state(trained)["optimizer"]["param_groups"]:
        assert group["initial_lr"] == 0.01
        assert group["lr"] == pytest.approx(0, abs=1e-9)


def test_evaluation_at_one_scale_repeats_the_best_epoch(trained: Path, tmp_path: Path) -> None:
    best = str(trained / "checkpoints" / "best.pt")
    SUNET.run(tmp_path / "one", "train", "evaluate", **SMALL, ckpt_path=best, flip_axes=[])
    metrics = saved_metrics(tmp_path / "one")
    assert metrics["segment_miou"] == pytest.approx(state(trained, "best")["best_metric"]["value"], abs=1e-6)
    (file,) = (tmp_path / "one" / "activations").glob("*.png")
    picture = Image.open(file)
    assert picture.size[0] > 6 * 150  # input, residual block, four blocks, prediction
    SUNET.run(tmp_path / "many", "train", "evaluate", **SMALL, ckpt_path=best, scales=[0.75, 1.25], shorter_side=40)
    assert set(saved_metrics(tmp_path / "many")) == set(metrics)


def test_inference_writes_class_maps(trained: Path, tmp_path: Path) -> None:
    size = {"load#0#spatial_size": [32, 41]}
    SUNET.run(tmp_path, "inference", **TINY | size, ckpt_path=str(trained / "checkpoints" / "best.pt"))
    written = {file.name for file in (tmp_path / "predictions").glob("*_000002_*")}
    assert written == {"synthetic_000002_segment.png", "synthetic_000002_panel.png"}
    assert Image.open(tmp_path / "predictions" / "synthetic_000002_segment.png").size == (41, 32)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    SUNET.run(folder, "train", "classification", **SMALL)
    return folder


def test_a_classifier_is_evaluated_and_predicts(classifier: Path, tmp_path: Path) -> None:
    best = {"ckpt_path": str(classifier / "checkpoints" / "best.pt")}
    SUNET.run(tmp_path, "train", "classification", "evaluate", **SMALL, **best)
    assert 0 <= saved_metrics(tmp_path)["classify_accuracy"] <= 1
    few = {"val_data": "$monai_mtunet.data.synthetic_datalist(2, 'test')"}
    SUNET.run(tmp_path, "inference", "classification", **TINY, **few, **best)
    content = json.loads(next((tmp_path / "predictions").glob("*_classify.json")).read_text())
    assert content["class"] in ("striped ball", "striped bar", "checked ball", "checked bar")
    assert sum(content["probabilities"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_segmentation_starts_from_the_classifiers_trunk(classifier: Path, tmp_path: Path, output_stride: int) -> None:
    file = classifier / "checkpoints" / "best.pt"
    still = {"learning_rate": 0.0, "freeze_norm": True, "output_stride": output_stride}
    SUNET.run(tmp_path, "train", **SMALL | still, pretrained=str(file))
    before, after = state(classifier, "best")["network"], state(tmp_path)["network"]
    trunk = [name for name in after if name.startswith("trunk.")]
    assert len(trunk) > 100
    assert all(torch.equal(before[name], after[name]) for name in trunk)


@pytest.mark.parametrize("freeze", [False, True])
def test_frozen_normalization_stays_as_it_was_trained(classifier: Path, tmp_path: Path, freeze: bool) -> None:
    file = classifier / "checkpoints" / "best.pt"
    SUNET.run(tmp_path, "train", **SMALL, pretrained=str(file), freeze_norm=freeze)
    before, after = state(classifier, "best")["network"], state(tmp_path)["network"]
    stem = "trunk.stem.weight"
    assert not torch.equal(before[stem], after[stem])
    means = [name for name in after if name.startswith("trunk.") and name.endswith("running_mean")]
    assert all(torch.equal(before[name], after[name]) == freeze for name in means)


def test_evaluation_and_inference_need_no_pretrained_file(trained: Path, tmp_path: Path) -> None:
    best = str(trained / "checkpoints" / "best.pt")
    gone = SUNET.parsed("train", "voc_finetune")["pretrained"]
    assert gone
    overlays = ("train", "evaluate")
    assert SUNET.parsed(*overlays)["pretrained"] == ""
    SUNET.run(tmp_path, *overlays, **SMALL, ckpt_path=best)


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["resnet"], {"features": [8, 8, 8, 8], "layers": [1, 1, 1, 1]}),
        (["volume"], {"load#0#spatial_size": [20, 20, 12], "batch_size": 2}),
        (["volume"], {"load#0#spatial_size": 16, "only": "distance", "key_metric_name": "distance_mae"}),
        ([], {"network_def#multigrid": False, "network_def#degridding_features": 4}),
        ([], {"output_stride": 16, "network_def#use_checkpoint": True}),
    ],
)
def test_overlays_train_and_evaluate(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    small = {key: value for key, value in SMALL.items() if "resnet" not in overlays or key not in TINY}
    SUNET.run(tmp_path, "train", *overlays, **small | overrides)
    SUNET.run(tmp_path, "train", *overlays, "evaluate", **small | overrides)
    assert len(list((tmp_path / "activations").glob("*.png"))) == 1
    assert saved_metrics(tmp_path)


def test_dense_tasks_and_a_class_share_one_network(tmp_path: Path) -> None:
    segment, classify = SUNET.parsed("train")["tasks"], SUNET.parsed("train", "classification")["tasks"]
    load = SUNET.parsed("train", "classification")["load"]
    load[0]["spatial_size"] = 32
    small = {name: value for name, value in SMALL.items() if not name.startswith("load")}
    SUNET.run(tmp_path, "train", **small, tasks=segment + classify, load=load)
    network = state(tmp_path)["network"]
    assert {"heads.dense.segment.weight", "heads.vectors.classify.linear.weight"} & set(network)
    metrics = (tmp_path / "validation" / "metrics.csv").read_text()
    assert "segment_miou" in metrics
    assert "classify_accuracy" in metrics


@pytest.mark.parametrize(("overlay", "build"), [("sunet_128", sunet_128), ("sunet_7_128", sunet_7_128)])
def test_widths_are_the_papers(overlay: str, build: Any) -> None:
    config = SUNET.parsed("inference", "pascal_voc", overlay)
    expected = build(2, 3, {"segment": 21}, output_stride=16)
    ours = SUNet(
        2, 3, {"segment": 21}, features=config["features"], modules=config["modules"],
        module_features=config["module_features"], stem_features=config["stem_features"],
    )  # fmt: skip
    assert {n: v.shape for n, v in ours.state_dict().items()} == {n: v.shape for n, v in expected.state_dict().items()}


def test_resumes_as_if_never_stopped(tmp_path: Path) -> None:
    """With a constant rate, so that the runs differ in nothing but where they were stopped."""
    constant = {"_target_": "torch.optim.lr_scheduler.ConstantLR", "optimizer": "@optimizer", "factor": 1.0}
    common = SMALL | {"lr_scheduler": constant}
    SUNET.run(tmp_path / "whole", "train", **common | {"trainer#max_epochs": 2})
    SUNET.run(tmp_path / "parts", "train", **common)
    SUNET.run(tmp_path / "parts", "train", **common | {"trainer#max_epochs": 2}, resume=True)
    whole, parts = state(tmp_path / "whole"), state(tmp_path / "parts")
    assert all(torch.equal(whole["network"][name], parts["network"][name]) for name in whole["network"])
    assert whole["best_metric"] == parts["best_metric"]


@pytest.mark.parametrize("overlays", [["classification"], ["volume"], ["pascal_voc"], ["cityscapes"], ["camvid"]])
def test_own_files_are_prepared_as_the_training_images(overlays: list[str], tmp_path: Path) -> None:
    preparations = []
    for more in ([], ["files"]):
        config = SUNET.parsed("inference", *overlays, *more)
        loading = len(config["load"])
        transforms = config.get_parsed_content("preprocessing").transforms
        preparations.append([type(step) for step in transforms[loading:]])
    assert preparations[0] == preparations[1]
