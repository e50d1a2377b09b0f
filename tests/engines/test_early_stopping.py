"""Training stops when a metric no longer improves, whose values are given here."""

import logging
import math

import pytest
import torch
from ignite.engine import Engine, Events

from monai_mtunet.engines.handlers.early_stopping import MetricEarlyStopping
from monai_mtunet.tasks import DepthTask, TaskList

from .small_run import Run

NAN = math.nan


class Scripted(Run):
    """A run whose validation measures what is given, epoch by epoch."""

    def __init__(self, folder, values, epochs=9, resume=False, **early_stopping):
        metric = early_stopping.setdefault("metric", "segment_miou")
        super().__init__(folder, epochs, panel_interval=1000, early_stopping=early_stopping, resume=resume)
        self.evaluator.add_event_handler(
            Events.EPOCH_COMPLETED,
            lambda engine: engine.state.metrics.update({metric: values[engine.state.epoch - 1]}),
        )
        self.trainer.run()

    @property
    def epochs(self):
        return self.trainer.state.epoch


@pytest.mark.parametrize(
    ("values", "patience", "last"),
    [
        ([0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 0.3, 0.2, 0.1], 3, 6),  # epoch 7 is as good as epoch 3, and no better
        ([0.1, 0.2, 0.1, 0.1, 0.3, 0.1, 0.1, 0.4, 0.1], 3, 9),
        ([0.3, NAN, NAN, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 2, 3),
        ([NAN, NAN, 0.1, 0.2, NAN, 0.3, NAN, 0.4, 0.5], 2, 9),  # NaN at first is not the best for good
        ([NAN] * 9, 4, 5),
        ([0.9, *[0.1] * 8], None, 9),
    ],
)
def test_it_stops_after_validations_without_an_improvement(tmp_path, values, patience, last):
    assert Scripted(tmp_path, values, patience=patience).epochs == last
    assert torch.load(tmp_path / "checkpoints" / "last.pt")["trainer"]["iteration"] == 2 * last


@pytest.mark.parametrize(("metric", "last"), [("depth_abs", 5), ("depth_delta1", 3)])
def test_of_errors_less_is_better(metric, last):
    values = [0.9, 0.8, 0.7, 0.8, 0.9, 1.0]
    trainer, evaluator = Engine(lambda *_: None), Engine(lambda *_: None)
    evaluator.metric_names = (metric,)
    evaluator.add_event_handler(
        Events.EPOCH_COMPLETED, lambda engine: engine.state.metrics.update({metric: values[trainer.state.epoch - 1]})
    )
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([0]))
    MetricEarlyStopping(TaskList([DepthTask("depth")]), evaluator, metric, patience=2).attach(trainer)
    assert trainer.run([0], max_epochs=6).epoch == last


def test_a_threshold_is_what_an_improvement_exceeds(tmp_path):
    creeping = [0.10, 0.14, 0.18, 0.22, 0.26, 0.30, 0.34, 0.38, 0.42]
    assert (
        Scripted(tmp_path / "each", creeping, patience=2, threshold=0.05).epochs == 9
    )  # 0.18 - 0.10, two epochs apart
    assert Scripted(tmp_path / "more", creeping, patience=2, threshold=0.1).epochs == 3


PLATEAU = [0.1, 0.2, 0.1, 0.1, 0.15, 0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("killed_after", [1, 3, 4])
def test_a_resumed_run_stops_as_an_uninterrupted_one(tmp_path, killed_after):
    whole = Scripted(tmp_path / "whole", PLATEAU, patience=3)
    Scripted(tmp_path / "parts", PLATEAU, epochs=killed_after, patience=3)
    resumed = Scripted(tmp_path / "parts", PLATEAU, resume=True, patience=3)
    assert resumed.epochs == whole.epochs == 5
    first, second = (torch.load(tmp_path / name / "checkpoints" / "last.pt") for name in ("whole", "parts"))
    assert first["early_stopping"] == second["early_stopping"] == {
        "metric": "segment_miou", "best_score": 0.2, "counter": 3
    }  # fmt: skip


def test_what_has_stopped_is_resumed_with_more_patience_alone(tmp_path):
    Scripted(tmp_path, PLATEAU, patience=3)
    again = Scripted(tmp_path, PLATEAU, resume=True, patience=3)
    assert (again.epochs, again.rates) == (5, [])
    assert Scripted(tmp_path, PLATEAU, resume=True, patience=4).epochs == 6
    # Of another metric what was counted says nothing.
    assert Scripted(tmp_path, PLATEAU, resume=True, patience=4, metric="denoise_psnr").epochs == 9


def test_a_run_tells_why_it_stopped(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "monai_mtunet"):
        Scripted(tmp_path, PLATEAU, patience=3)
    assert (
        "Training stops after epoch 5: segment_miou has not improved in 3 validations; the best is 0.2." in caplog.text
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "segment_dice", "patience": 3}, "no task has the metric 'segment_dice'; there are .*segment_miou"),
        ({"patience": 0}, "patience must be 1 or more validations, or null, got 0"),
        ({"patience": "3 epochs"}, "patience must be 1 or more"),
        ({"threshold": -0.1}, "threshold must not be negative"),
    ],
)
def test_what_cannot_be_is_refused_before_training(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        Scripted(tmp_path, PLATEAU, **arguments)
    assert list(tmp_path.iterdir()) == []
