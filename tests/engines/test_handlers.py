"""Handlers on a real MONAI trainer and evaluator, with a network of one convolution per task."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from monai.engines.utils import IterationEvents
from monai.transforms import Compose, RandGaussianNoised
from PIL import Image
from torch import Tensor, nn

from monai_mtunet.engines import (
    EpochSeed,
    MultiTaskPrepareBatch,
    NonFiniteLossError,
    PanelHandler,
    ResumableCheckpoint,
    TaskLossHandler,
    WeightingHandler,
)
from monai_mtunet.engines.handlers.checkpoints import CheckpointError
from monai_mtunet.engines.handlers.progress import TaskProgressBar
from monai_mtunet.engines.handlers.task_loss_handler import logged_scalars
from monai_mtunet.losses import DynamicWeightAverage, FixedWeighting, MultiTaskLoss
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["background", "object"])])


class Pointwise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({"denoise": nn.Conv2d(1, 1, 1), "segment": nn.Conv2d(1, 2, 1)})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {name: head(x) for name, head in self.heads.items()}


def samples(count: int = 4) -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(1, 16, 16, generator=generator) for _ in range(count)]
    return [{"image": x, "denoise": x.clone(), "segment": (x > 0.5).to(torch.uint8)} for x in images]


def trainer(data: list[dict[str, Tensor]], handlers: list[Any], loss: MultiTaskLoss, epochs: int = 1) -> Any:
    torch.manual_seed(0)
    network = Pointwise()
    return SupervisedTrainer(
        device="cpu",
        max_epochs=epochs,
        train_data_loader=DataLoader(Dataset(data), batch_size=2),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
        loss_function=loss,
        prepare_batch=MultiTaskPrepareBatch(TASKS),
        train_handlers=handlers,
        decollate=False,
    )


def weighted_loss() -> MultiTaskLoss:
    return MultiTaskLoss(TASKS.losses(), FixedWeighting(["denoise", "segment"], {"denoise": 10.0}))


def test_raw_losses_are_logged_and_averaged_over_the_epoch() -> None:
    loss = weighted_loss()
    engine = trainer(samples(), [TaskLossHandler(loss)], loss)
    names = ("loss", "loss_denoise", "loss_segment")
    outputs: list[dict[str, float]] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda e: outputs.append({name: e.state.output[name].item() for name in names})
    )
    engine.run()
    assert len(outputs) == 2
    for output in outputs:
        assert output["loss"] == pytest.approx(10 * output["loss_denoise"] + output["loss_segment"])
    for name in names:
        assert engine.state.metrics[name] == pytest.approx(np.mean([output[name] for output in outputs]))
    assert engine.state.metrics["weight_denoise"] == 10
    assert engine.state.metrics["weight_segment"] == 1


def test_a_task_without_targets_is_neither_logged_nor_averaged() -> None:
    data = samples()
    for sample in data[2:]:  # the second batch
        sample["segment"] = torch.full_like(sample["segment"], 255)
    loss = weighted_loss()
    engine = trainer(data, [TaskLossHandler(loss)], loss)
    outputs: list[dict[str, float]] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda e: outputs.append(logged_scalars(e.state.output, "iteration/"))
    )
    engine.run()
    assert set(outputs[0]) - set(outputs[1]) == {"iteration/loss_segment", "iteration/weight_segment"}
    assert engine.state.metrics["loss_segment"] == pytest.approx(outputs[0]["iteration/loss_segment"])
    assert engine.state.metrics["weight_segment"] == 1


def test_an_epoch_without_any_target_of_a_task_has_no_mean() -> None:
    data = [sample | {"segment": torch.full_like(sample["segment"], 255)} for sample in samples()]
    loss = weighted_loss()
    engine = trainer(data, [TaskLossHandler(loss)], loss)
    engine.run()
    assert np.isnan(engine.state.metrics["loss_segment"])
    assert engine.state.metrics["loss_denoise"] > 0


def test_weightings_update_once_per_epoch_before_the_checkpoint(tmp_path: Path) -> None:
    weighting = DynamicWeightAverage(["denoise", "segment"])
    loss = MultiTaskLoss(TASKS.losses(), weighting)
    handlers = [TaskLossHandler(loss), WeightingHandler(loss), ResumableCheckpoint(tmp_path, {"loss": loss})]
    engine = trainer(samples(), handlers, loss, epochs=3)
    engine.run()
    assert weighting.means.count.tolist() == [3, 3]
    assert weighting.window.count.tolist() == [0, 0]
    saved = torch.load(tmp_path / "last.pt", weights_only=True)["loss"]
    assert torch.equal(saved["weighting.current"], weighting.current)
    assert not torch.equal(weighting.current, torch.ones(2))


def test_non_finite_loss_names_task_and_iteration_and_keeps_the_weights(tmp_path: Path) -> None:
    loss = weighted_loss()
    engine = trainer(samples(), [TaskLossHandler(loss), ResumableCheckpoint(tmp_path, {})], loss)

    def poison(e: Any) -> None:  # as an exploding network would
        if e.state.iteration == 2:
            with torch.no_grad():
                e.network.heads["segment"].bias.fill_(float("nan"))

    engine.add_event_handler(Events.ITERATION_STARTED, poison)
    taken = []
    engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, lambda e: taken.append(e.state.iteration))
    with pytest.raises(NonFiniteLossError, match=r"task\(s\) \['segment'\] is not finite at iteration 2"):
        engine.run()
    assert taken == [1]
    assert (tmp_path / "stopped.pt").is_file()


def test_the_progress_bar_shows_every_loss(capsys: pytest.CaptureFixture[str]) -> None:
    loss = weighted_loss()
    trainer(samples(), [TaskLossHandler(loss), TaskProgressBar()], loss).run()
    shown = capsys.readouterr().err
    assert "loss_denoise=" in shown
    assert "loss_segment=" in shown
    assert "weight_segment=" in shown


def noises(workers: int, first_epoch: int) -> list[Tensor]:
    """What epochs from `first_epoch` to 3 see, in order."""
    transform = Compose([RandGaussianNoised("image", prob=1)])
    loader = DataLoader(Dataset(samples(), transform), batch_size=2, shuffle=True, num_workers=workers)
    loss = weighted_loss()
    engine = trainer(samples(), [EpochSeed(7, loader)], loss, epochs=3)
    engine.data_loader = loader
    engine.state.epoch = first_epoch - 1
    engine.state.iteration = 2 * (first_epoch - 1)
    seen: list[Tensor] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.batch["image"].as_tensor()))
    torch.rand(first_epoch)  # whatever was drawn before must not matter
    engine.run()
    return seen


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_depends_on_nothing_before_it(workers: int) -> None:
    whole, resumed = noises(workers, 1), noises(workers, 3)
    assert len(whole) == 6
    for first, second in zip(whole[4:], resumed, strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(whole[0], whole[2])  # fresh noise, or another order, in another epoch


def test_workers_that_live_over_epochs_are_refused() -> None:
    loader = DataLoader(Dataset(samples()), num_workers=1, persistent_workers=True)
    with pytest.raises(ValueError, match="persistent_workers"):
        EpochSeed(0, loader)


def test_panels_show_the_first_samples_of_every_interval(tmp_path: Path) -> None:
    class Writer:
        images: list[tuple[str, tuple[int, ...], int]] = []  # noqa: RUF012

        def add_image(self, tag: str, image: Any, step: int, dataformats: str) -> None:
            assert dataformats == "HWC"
            self.images.append((tag, image.shape, step))

    writer = Writer()
    evaluator = SupervisedEvaluator(
        device="cpu",
        val_data_loader=DataLoader(Dataset(samples()), batch_size=2),
        network=Pointwise(),
        prepare_batch=MultiTaskPrepareBatch(TASKS),
        key_val_metric=TASKS.metrics(2, "segment_miou"),
        val_handlers=[PanelHandler(TASKS, tmp_path, writer, samples=3, interval=2)],  # type: ignore[arg-type]
        decollate=False,
    )
    for epoch in (1, 2, 3, 4):
        evaluator.run(epoch)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["epoch_0002.png", "epoch_0004.png"]
    assert [(tag, step) for tag, _, step in writer.images] == [("panel", 2), ("panel", 4)]
    width, height = Image.open(tmp_path / "epoch_0002.png").size
    assert writer.images[0][1] == (height, width, 3)


def test_a_checkpoint_without_an_object_says_what_it_holds(tmp_path: Path) -> None:
    torch.save({"network": {}, "optimizer": {}}, tmp_path / "last.pt")
    loss = weighted_loss()
    engine = trainer(samples(), [ResumableCheckpoint(tmp_path, {"scheduler": loss}, resume=True)], loss)
    with pytest.raises(CheckpointError, match=r"holds \['network', 'optimizer'\], but no \['scheduler', 'trainer'\]"):
        engine.run()
