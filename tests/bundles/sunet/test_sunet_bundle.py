"""The SUNet bundle: its schedule, scales and flips, overlays without data, and the two commands of pretraining."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

from monai_mtunet.networks import SUNet, sunet_7_128, sunet_128

from ..bundle_suite import BundleSuite
from ..left_by_a_run import checkpoint, measured, network
from .sunet_bundle import SUNET


class TestSUNet(BundleSuite):
    bundle = SUNET
    metrics = ("segment_miou", "segment_accuracy")
    written = ("segment.png", "panel.png")
    evaluation: ClassVar = {"flip_axes": []}  # validation flips nothing
    overlays = (["classification"], ["volume"], ["pascal_voc"], ["cityscapes"], ["camvid"])
    encoder = "trunk"

    def test_the_rate_falls_to_zero_iteration_by_iteration(self, trained: Path) -> None:
        schedule = checkpoint(trained)["lr_scheduler"]
        assert schedule["T_max"] == schedule["last_epoch"] == 2 * 2
        for group in checkpoint(trained)["optimizer"]["param_groups"]:
            assert group["initial_lr"] == 0.01
            assert group["lr"] == pytest.approx(0, abs=1e-9)

    def test_evaluation_draws_the_activations(self, evaluated: Path) -> None:
        (file,) = (evaluated / "activations").glob("*.png")
        assert Image.open(file).size[0] > 6 * 150  # input, residual block, four blocks, prediction

    def test_evaluation_at_several_scales(self, trained: Path, tmp_path: Path) -> None:
        best = str(trained / "checkpoints" / "best.pt")
        SUNET.evaluate(tmp_path, ckpt_path=best, scales=[0.75, 1.25], shorter_side=40, activation_layers=[])
        assert set(measured(tmp_path)) == set(measured(trained, "validation"))

    def test_class_maps_are_of_the_images_size(self, predictions: Path) -> None:
        assert Image.open(predictions / "synthetic_000002_segment.png").size == (40, 32)

    def test_inference_averages_as_evaluation_does(self) -> None:
        evaluation, inference = SUNET.parsed("train", "evaluate"), SUNET.parsed("inference")
        assert evaluation["validate#inferer"] == inference["inferer"]


@pytest.mark.parametrize(("kind", "name"), [("train", "train"), ("inference", "inference")])
def test_the_classifier_has_the_properties_of_a_zoo_bundle(kind: str, name: str, tmp_path: Path) -> None:
    files = SUNET.configs(name, "classification")
    small = SUNET.small if kind == "train" else SUNET.small_inference
    workflow = ConfigWorkflow(files, workflow_type=kind, output_dir=str(tmp_path), **SUNET.files, **small)
    workflow.initialize()
    assert workflow.check_properties() == []


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    SUNET.train(folder, "classification")
    return folder


def test_a_classifier_is_evaluated_and_predicts(classifier: Path, tmp_path: Path) -> None:
    best = {"ckpt_path": str(classifier / "checkpoints" / "best.pt")}
    SUNET.evaluate(tmp_path, "classification", **best)
    assert 0 <= measured(tmp_path)["classify_accuracy"] <= 1
    SUNET.predict(tmp_path, "classification", **best)
    content = json.loads(next((tmp_path / "predictions").glob("*_classify.json")).read_text())
    assert content["class"] in ("striped ball", "striped bar", "checked ball", "checked bar")
    assert sum(content["probabilities"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("output_stride", [8, *(pytest.param(s, marks=pytest.mark.slow) for s in (16, 32))])
def test_segmentation_starts_from_the_classifiers_trunk(classifier: Path, tmp_path: Path, output_stride: int) -> None:
    still = {"learning_rate": 0.0, "freeze_norm": True, "output_stride": output_stride}
    SUNET.train(tmp_path, **still, pretrained=str(classifier / "checkpoints" / "best.pt"))
    before, after = network(classifier, "best"), network(tmp_path)
    trunk = [name for name in after if name.startswith("trunk.")]
    assert len(trunk) > 100
    assert all(torch.equal(before[name], after[name]) for name in trunk)


@pytest.mark.parametrize("freeze", [False, True])
def test_frozen_normalization_stays_as_it_was_trained(classifier: Path, tmp_path: Path, freeze: bool) -> None:
    SUNET.train(tmp_path, pretrained=str(classifier / "checkpoints" / "best.pt"), freeze_norm=freeze)
    before, after = network(classifier, "best"), network(tmp_path)
    stem = "trunk.stem.weight"
    assert not torch.equal(before[stem], after[stem])
    means = [name for name in after if name.startswith("trunk.") and name.endswith("running_mean")]
    assert all(torch.equal(before[name], after[name]) == freeze for name in means)


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["resnet"], {"layers": [1, 1, 1, 1]}),
        (["volume"], {"load#0#spatial_size": [20, 20, 12], "batch_size": 2}),
        pytest.param(
            ["volume"],
            {"load#0#spatial_size": 16, "only": "distance", "key_metric_name": "distance_mae"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [], {"network_def#multigrid": False, "network_def#degridding_features": 4}, marks=pytest.mark.slow
        ),
        pytest.param([], {"network_def#use_checkpoint": True}, marks=pytest.mark.slow),
    ],
)
def test_overlays_train_and_evaluate(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    SUNET.train(tmp_path, *overlays, **overrides)
    SUNET.evaluate(tmp_path, *overlays, **overrides)
    assert len(list((tmp_path / "activations").glob("*.png"))) == 1
    assert measured(tmp_path)


def test_dense_tasks_and_a_class_share_one_network(tmp_path: Path) -> None:
    segment, classify = SUNET.parsed("train")["tasks"], SUNET.parsed("train", "classification")["tasks"]
    load = SUNET.parsed("train", "classification")["load"]
    load[0]["spatial_size"] = 32
    small = {name: value for name, value in SUNET.small.items() if not name.startswith("load")}
    SUNET.run(tmp_path, "train", **small, tasks=segment + classify, load=load)
    assert {"heads.dense.segment.weight", "heads.vectors.classify.linear.weight"} <= set(network(tmp_path))
    assert {"segment_miou", "classify_accuracy"} <= set(measured(tmp_path, "validation"))


@pytest.mark.parametrize(("overlay", "build"), [("sunet_128", sunet_128), ("sunet_7_128", sunet_7_128)])
def test_widths_are_the_papers(overlay: str, build: Any) -> None:
    config = SUNET.parsed("inference", "pascal_voc", overlay)
    expected = build(2, 3, {"segment": 21}, output_stride=16)
    ours = SUNet(
        2, 3, {"segment": 21}, features=config["features"], modules=config["modules"],
        module_features=config["module_features"], stem_features=config["stem_features"],
    )  # fmt: skip
    assert {n: v.shape for n, v in ours.state_dict().items()} == {n: v.shape for n, v in expected.state_dict().items()}
