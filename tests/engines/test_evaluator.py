"""What MONAI's engines do by default for several tasks."""

import logging
import math

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from PIL import Image
from torch import nn

from monai_mtunet.data import SampleLoader
from monai_mtunet.engines import MultiTaskEvaluator, MultiTaskPredictor, MultiTaskTrainer, PanelHandler
from monai_mtunet.engines.handlers import panels
from monai_mtunet.inferers import TaskPostprocessing
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.tasks import DepthTask, InstanceTask, SegmentationTask, TaskList

TASKS = TaskList(
    [SegmentationTask("segment", ["a", "b"]), DepthTask("depth"), InstanceTask("instances", "segment", min_size=1)]
)
CPU = torch.device("cpu")


class Network(nn.Module):
    """Two classes by a threshold, and a depth."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return {"segment": torch.cat([0.5 - x + self.bias, x - 0.5], dim=1), "depth": x + self.bias + 1}


def sample(labeled=True):
    image = torch.zeros(1, 8, 8)
    image[0, 1:3, 1:3] = image[0, 5:7, 5:7] = 1
    target = image.to(torch.int16) if labeled else torch.full((1, 8, 8), 255, dtype=torch.int16)
    ids = torch.zeros(1, 8, 8, dtype=torch.int32)
    ids[0, 1:3, 1:3], ids[0, 5:7, 5:7] = 1, 2
    return {"image": MetaTensor(image), "segment": target, "depth": image + 1.5, "instances": ids}


def evaluate(key_metric, data, **arguments):
    arguments = {
        "network": Network(),
        "key_val_metric": TASKS.metrics(2, key_metric),
        "val_data_loader": DataLoader(data, batch_size=2),
    } | arguments
    evaluator = MultiTaskEvaluator(tasks=TASKS, device=CPU, **arguments)
    evaluator.run()
    return evaluator


def test_derived_tasks_are_derived_once_per_batch_and_measured(monkeypatch):
    batches = []
    derive = TaskList.with_derived
    monkeypatch.setattr(
        TaskList, "with_derived", lambda self, predictions: batches.append(1) or derive(self, predictions)
    )
    evaluator = evaluate("instances_pq", [sample(), sample(), sample()])
    assert len(batches) == 2
    assert evaluator.state.metrics["instances_pq"] == 1
    assert list(evaluator.state.output["pred"]) == ["segment", "depth", "instances"]


def test_derived_tasks_are_in_panels_and_files_and_still_derived_once(monkeypatch, tmp_path):
    samples, drawn = [], []
    derive, draw = InstanceTask.derive, panels.draw_panel
    monkeypatch.setattr(InstanceTask, "derive", lambda self, sources: samples.append(1) or derive(self, sources))
    monkeypatch.setattr(panels, "draw_panel", lambda *args, **kwargs: drawn.append(args) or draw(*args, **kwargs))
    evaluate("instances_pq", [sample(), sample()], val_handlers=[PanelHandler(TASKS, tmp_path, samples=1)])
    ((_, _, (predictions,), _),) = drawn
    assert predictions["instances"].unique().tolist() == [0, 1, 2]
    assert len(samples) == 2
    data = [{"image": MetaTensor(sample()["image"], meta={"filename_or_obj": f"{name}.png"})} for name in ("a", "b")]
    MultiTaskPredictor(
        tasks=TASKS, device=CPU, val_data_loader=DataLoader(data, batch_size=2), network=Network(),
        postprocessing=TaskPostprocessing(TASKS, tmp_path),
    ).run()  # fmt: skip
    for name in ("a", "b"):
        assert np.unique(Image.open(tmp_path / f"{name}_instances.png")).tolist() == [0, 1, 2]
        assert (tmp_path / f"{name}_depth.npy").is_file()
        assert (tmp_path / f"{name}_panel.png").is_file()
    assert len(samples) == 4


def test_outputs_stay_together_for_metrics_and_are_taken_apart_for_files():
    assert isinstance(evaluate("depth_abs", [sample()]).state.output, dict)
    predictor = MultiTaskPredictor(
        tasks=TASKS, device=CPU, val_data_loader=DataLoader([sample()], batch_size=1), network=Network()
    )
    predictor.run()
    (output,) = predictor.state.output
    assert output["pred"]["instances"].unique().tolist() == [0, 1, 2]
    assert isinstance(output["image"], MetaTensor)
    assert "label" not in output or output["label"] is None


def test_images_of_several_sizes_are_measured_without_a_cache_too():
    large = {name: torch.cat([values, values], dim=1) for name, values in sample().items()}
    large["segment"][0, 3:5] = 1  # where the network says 0
    data = [sample(), large, sample(), sample(), large]
    loader = SampleLoader(Dataset(data[:1]), batch_size=4, by_size=True)
    evaluator = evaluate("segment_miou", [], val_data_loader=loader)
    loader.dataset.data = data  # as many batches as come, every time: not those of the last time
    evaluator.run(2)
    assert evaluator.state.iteration == 4
    assert evaluator.state.metrics == evaluate("segment_miou", data, val_data_loader=DataLoader(data)).state.metrics


@pytest.mark.parametrize(("key_metric", "better", "worse"), [("depth_abs", 1.0, 2.0), ("segment_miou", 2.0, 1.0)])
def test_the_tasks_say_what_is_better_and_nan_never_is(key_metric, better, worse):
    beats = evaluate(key_metric, [sample()]).metric_cmp_fn
    assert beats(better, worse)
    assert not beats(worse, better)
    assert beats(worse, math.nan)
    assert not beats(math.nan, worse)
    assert not beats(math.nan, math.nan)


@pytest.mark.parametrize(("key_metric", "best"), [("depth_abs", 2), ("depth_delta1", 2), ("segment_miou", 1)])
def test_the_best_epoch_has_the_lowest_error_or_the_highest_score(key_metric, best):
    evaluator = evaluate(key_metric, [sample()])
    # Depths are 0.5 off in the first epoch, right in the second and 2.5 off in the last; classes are right at first.
    for bias in (0.5, 3.0):
        evaluator.network.bias.data.fill_(bias)
        evaluator.run(evaluator.state.epoch + 1)
    assert evaluator.state.best_metric_epoch == best
    assert evaluator.state.best_metric == {"depth_abs": 0, "depth_delta1": 1, "segment_miou": 1}[key_metric]


def test_a_key_metric_of_nan_is_told(caplog):
    with caplog.at_level(logging.WARNING):
        evaluate("segment_miou", [sample()])
    assert "NaN" not in caplog.text
    with caplog.at_level(logging.WARNING):
        evaluate("segment_miou", [sample(labeled=False)])
    assert "The key metric segment_miou is NaN" in caplog.text
    assert "'depth_abs'" in caplog.text


def test_a_trainer_prepares_targets_and_keeps_batches_together():
    network = Network()
    trainer = MultiTaskTrainer(
        tasks=TASKS, device=CPU, max_epochs=1, train_data_loader=DataLoader([sample()] * 4, batch_size=2),
        network=network, optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        loss_function=MultiTaskLoss(TASKS.losses()),
    )  # fmt: skip
    trainer.run()
    assert network.bias.item() != 0
    assert trainer.optim_set_to_none
    assert not trainer.amp
    assert isinstance(trainer.state.output, dict)
    assert not isinstance(trainer.state.output["image"], MetaTensor)


def test_mixed_precision_is_on_where_there_is_a_gpu():
    network = Network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    arguments = {"tasks": TASKS, "network": network}
    for device, amp in (("cpu", False), ("cuda", True)):
        of_device = arguments | {"device": torch.device(device)}
        training = {"max_epochs": 1, "train_data_loader": [], "optimizer": optimizer, "loss_function": None}
        assert MultiTaskTrainer(**of_device, **training).amp is amp
        assert MultiTaskEvaluator(**of_device, val_data_loader=[]).amp is amp
        assert MultiTaskPredictor(**of_device, val_data_loader=[]).amp is amp
        assert MultiTaskEvaluator(**of_device, val_data_loader=[], amp=not amp).amp is not amp


def test_defaults_can_be_replaced():
    assert evaluate("depth_abs", [sample()], metric_cmp_fn=max).metric_cmp_fn is max


@pytest.mark.parametrize("max_epochs", [0, -1, 1.5, "many", None])
def test_a_training_has_whole_epochs(max_epochs):
    with pytest.raises(ValueError, match="max_epochs must be a whole number, at least 1"):
        MultiTaskTrainer(tasks=TASKS, device=CPU, max_epochs=max_epochs)
