"""The MT-UNet bundle: the paper's figures, depth, and its overlays."""

import csv
from pathlib import Path
from typing import Any

import pytest

from ..bundle_suite import BundleSuite
from .mtunet_bundle import MTUNET


class TestMTUNet(BundleSuite):
    bundle = MTUNET
    metrics = ("segment_miou", *(f"depth_{name}" for name in ("abs", "rel", "rmse", "delta1", "delta2", "delta3")))
    written = ("segment.png", "depth.npy", "panel.png")
    unlabeled = ("depth",)
    overlays = (["volume"], ["cityscapes"], ["nyuv2"])

    def test_weights_of_figure_4_share_one(self, trained: Path) -> None:
        with open(trained / "loss_weights.csv") as file:
            for row in csv.DictReader(file):
                assert float(row["weight_segment"]) + float(row["weight_depth"]) == pytest.approx(1)

    def test_evaluation_draws_the_masks_of_figure_5(self, evaluated: Path) -> None:
        assert len(list((evaluated / "attention_masks").glob("*.png"))) == 1


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["no_cross_talk"], {}),
        (["dwa"], {}),
        (["normals"], {}),
        (["normals"], {"only": "normals", "key_metric_name": "normals_mean_angle"}),
        pytest.param([], {"only": "depth", "key_metric_name": "depth_abs"}, marks=pytest.mark.slow),
        (["volume"], {"load#0#spatial_size": 16}),
    ],
)
def test_overlays_and_single_tasks_train(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    MTUNET.train(tmp_path, *overlays, **overrides)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


@pytest.mark.parametrize(
    ("overlay", "weighting", "importance"),
    [
        ("equal_weights", "FixedWeighting", {"segment": 1, "depth": 1}),
        ("fixed_weights", "FixedWeighting", {"segment": 0.7, "depth": 0.3}),
        ("dwa", "DynamicWeightAverage", {"segment": 1, "depth": 1}),
    ],
)
def test_overlays_say_how_losses_are_weighted(overlay: str, weighting: str, importance: dict[str, float]) -> None:
    loss = MTUNET.parsed("train", overlay).get_parsed_content("loss")
    assert type(loss.weighting).__name__ == weighting
    assert dict(zip(loss.weighting.tasks, loss.weighting.importance.tolist(), strict=True)) == pytest.approx(importance)
