"""The table and the picture of weights and losses, on the trainer of the other handlers' tests."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from monai_mtunet.engines import (
    LossWeightPlot,
    ResumableCheckpoint,
    TaskLossHandler,
    WeightingHandler,
    draw_loss_weights,
)
from monai_mtunet.engines.handlers.loss_weight_plot import read_loss_weights
from monai_mtunet.losses import (
    DynamicWeightAverage,
    FixedWeighting,
    GeometricMeanWeighting,
    MultiTaskLoss,
    RandomLossWeighting,
    SoftAdapt,
    SoftOptimalUncertaintyWeighting,
    UncertaintyWeighting,
    VarianceRatioWeighting,
)

from .test_handlers import TASKS, samples, trainer

NAMES = ["denoise", "segment"]


def run(output_dir: Path, weighting: nn.Module, epochs: int, resume: bool = False, data: Any = None) -> Any:
    """Train in `output_dir`; returns what the trainer's metrics were after each epoch."""
    loss = MultiTaskLoss(TASKS.losses(), weighting)
    engine = trainer(data or samples(), [TaskLossHandler(loss), WeightingHandler(loss)], loss, epochs)
    LossWeightPlot(loss, output_dir).attach(engine)
    objects = {"network": engine.network, "optimizer": engine.optimizer, "loss": loss}
    ResumableCheckpoint(output_dir, objects, resume=resume).attach(engine)
    engine.run()
    return engine


def table(output_dir: Path) -> list[dict[str, float]]:
    return read_loss_weights(output_dir / "loss_weights.csv")


def shown(output_dir: Path) -> np.ndarray:
    return np.asarray(Image.open(output_dir / "loss_weights.png").convert("RGB"))


@pytest.mark.parametrize(
    "weighting",
    [
        DynamicWeightAverage,
        FixedWeighting,
        GeometricMeanWeighting,
        RandomLossWeighting,
        SoftAdapt,
        SoftOptimalUncertaintyWeighting,
        UncertaintyWeighting,
        VarianceRatioWeighting,
    ],
)
def test_writes_the_epoch_means_of_every_weighting_method(tmp_path: Path, weighting: Any) -> None:
    engine = run(tmp_path, weighting(NAMES), epochs=2)
    rows = table(tmp_path)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert list(rows[0]) == ["epoch", "weight_denoise", "weight_segment", "loss_denoise", "loss_segment"]
    assert rows[-1] == {"epoch": 2} | {name: engine.state.metrics[name] for name in list(rows[0])[1:]}
    assert all(math.isfinite(value) for row in rows for value in row.values())
    assert (shown(tmp_path) != 255).any()


class Untold(nn.Module):
    """A weighting that tells no weights."""

    def forward(self, losses: dict[str, Tensor]) -> Tensor:
        return torch.stack(list(losses.values())).sum()


def test_a_method_that_tells_no_weights_has_its_losses_drawn(tmp_path: Path) -> None:
    run(tmp_path / "untold", Untold(), epochs=1)
    run(tmp_path / "told", FixedWeighting(NAMES), epochs=1)
    for untold, told in zip(table(tmp_path / "untold"), table(tmp_path / "told"), strict=True):
        assert math.isnan(untold["weight_denoise"])
        assert untold["loss_denoise"] == told["loss_denoise"]
    assert len(shown(tmp_path / "untold")) < 0.6 * len(shown(tmp_path / "told"))  # one of two diagrams


def test_an_epoch_without_targets_is_a_gap(tmp_path: Path) -> None:
    data = [sample | {"segment": torch.full_like(sample["segment"], 255)} for sample in samples()]
    run(tmp_path, FixedWeighting(NAMES), epochs=1, data=data)
    run(tmp_path, FixedWeighting(NAMES), epochs=2, resume=True)
    first, second = table(tmp_path)
    assert math.isnan(first["loss_segment"])
    assert math.isnan(first["weight_segment"])
    assert math.isfinite(first["loss_denoise"])
    assert math.isfinite(second["loss_segment"])
    axes = draw_loss_weights(NAMES, [first, second]).axes
    for axis, name in zip(axes, ("weight_segment", "loss_segment"), strict=True):
        (line,) = (line for line in axis.lines if line.get_label() == "segment")
        np.testing.assert_array_equal(line.get_ydata(), [math.nan, second[name]])


def test_a_resumed_run_continues_the_curve_of_an_uninterrupted_one(tmp_path: Path) -> None:
    run(tmp_path / "whole", VarianceRatioWeighting(NAMES), epochs=3)
    run(tmp_path / "parts", VarianceRatioWeighting(NAMES), epochs=1)
    run(tmp_path / "parts", VarianceRatioWeighting(NAMES), epochs=3, resume=True)
    assert (tmp_path / "parts" / "loss_weights.csv").read_text() == (
        tmp_path / "whole" / "loss_weights.csv"
    ).read_text()
    assert np.array_equal(shown(tmp_path / "parts"), shown(tmp_path / "whole"))


def test_epochs_after_the_one_resumed_from_are_dropped(tmp_path: Path) -> None:
    run(tmp_path, FixedWeighting(NAMES), epochs=1)
    kept = (tmp_path / "last.pt").read_bytes()
    run(tmp_path, FixedWeighting(NAMES), epochs=3, resume=True)
    (tmp_path / "last.pt").write_bytes(kept)  # as if killed between table and checkpoint, twice
    run(tmp_path, FixedWeighting(NAMES), epochs=2, resume=True)
    assert [row["epoch"] for row in table(tmp_path)] == [1, 2]


def test_a_fresh_run_starts_over_whatever_is_there(tmp_path: Path) -> None:
    (tmp_path / "loss_weights.csv").write_text("something else\n")
    run(tmp_path, FixedWeighting(NAMES), epochs=1)
    assert [row["epoch"] for row in table(tmp_path)] == [1]


def test_tasks_that_came_later_have_gaps_before(tmp_path: Path) -> None:
    (tmp_path / "loss_weights.csv").write_text("epoch,weight_denoise,loss_denoise,loss_old\n1,0.5,2.0,3.0\n")
    loss = MultiTaskLoss(TASKS.losses())
    engine = trainer(samples(), [TaskLossHandler(loss), LossWeightPlot(loss, tmp_path)], loss, epochs=2)
    engine.state.epoch, engine.state.iteration = 1, 2
    engine.run()
    first, second = table(tmp_path)
    assert (first["loss_denoise"], first["weight_denoise"]) == (2.0, 0.5)
    assert math.isnan(first["loss_segment"])
    assert list(second) == ["epoch", "weight_denoise", "weight_segment", "loss_denoise", "loss_segment"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,loss\n1,2\n", r"loss_weights.csv is no table .*line 1: its columns are \['time', 'loss'\], without"),
        ("", "columns are None, without 'epoch'"),
        ("epoch,loss_denoise\n1,high\n", "line 2: could not convert string to float: 'high'"),
        ("epoch,loss_denoise\n1,0.5\n2\n", "line 3: float"),
    ],
    ids=["columns", "empty", "text", "short line"],
)
def test_another_table_is_refused_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "loss_weights.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_loss_weights(tmp_path / "loss_weights.csv")


def test_it_needs_the_handler_that_measures(tmp_path: Path) -> None:
    loss = MultiTaskLoss(TASKS.losses())
    engine = trainer(samples(), [LossWeightPlot(loss, tmp_path)], loss)
    with pytest.raises(RuntimeError, match=r"have no \['weight_denoise', .*attach TaskLossHandler to it, before"):
        engine.run()


def test_only_the_first_rank_writes(tmp_path: Path) -> None:
    loss = MultiTaskLoss(TASKS.losses())
    engine = trainer(samples(), [TaskLossHandler(loss), LossWeightPlot(loss, tmp_path / "weights")], loss)
    engine.state.rank = 1
    engine.run()
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(("losses", "scale"), [([1.0, 0.01], "log"), ([1.0, 0.5], "linear"), ([1.0, -5.0], "linear")])
def test_losses_that_span_decades_are_drawn_by_their_logarithm(losses: list[float], scale: str) -> None:
    rows = [{"epoch": i + 1, "weight_a": 1.0, "loss_a": value} for i, value in enumerate(losses)]
    weights, curves = draw_loss_weights(["a"], rows).axes
    assert (weights.get_yscale(), curves.get_yscale()) == ("linear", scale)
    assert list(curves.lines[0].get_xdata()) == [1, 2]
    assert list(curves.lines[0].get_ydata()) == losses
