"""Gradients of a U-Net with skips, by the trainer and by hand."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from monai.engines.utils import IterationEvents
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from monai_mtunet.engines import (
    GradientBalancingTrainer,
    MultiTaskPrepareBatch,
    MultiTaskTrainer,
    NonNegativeProjector,
    require_torchjd,
)
from monai_mtunet.engines.handlers.freeze_parts import FreezeParts
from monai_mtunet.losses import FixedWeighting, MultiTaskLoss, UncertaintyWeighting
from monai_mtunet.networks import UMC
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

from ..losses.two_ranks import on_two_ranks

torchjd = pytest.importorskip("torchjd.aggregation")

TASKS = TaskList(
    [
        RestorationTask("denoise", 1),
        SegmentationTask("segment", ["background", "object"]),
        RestorationTask("edge", 1),
    ]
)
NAMES = list(TASKS.names)
WEIGHTS = {"denoise": 1.0, "segment": 0.3, "edge": 2.0}


def umc(norm: str = "INSTANCE") -> UMC:
    torch.manual_seed(0)
    return UMC(2, 1, TASKS.out_channels, connectivity="dense", features=(4, 8), norm=norm, act="TANH")


def samples(count: int = 4, missing: dict[int, str] | None = None) -> list[dict[str, Tensor]]:
    """Images whose edges oppose their denoising, so that gradients conflict; sample i lacks task ``missing[i]``."""
    generator = torch.Generator().manual_seed(1)
    images = [torch.rand(1, 8, 8, generator=generator) for _ in range(count)]
    data = [{"image": x, "denoise": x.clone(), "segment": (x > 0.5).to(torch.uint8), "edge": 1 - 3 * x} for x in images]
    for index, task in (missing or {}).items():
        data[index][task] = torch.full_like(data[index][task], 255 if task == "segment" else torch.nan)
    return data


def torchjds(name: str) -> Any:
    """An aggregator of TorchJD, as bundles have it."""
    return getattr(torchjd, name)(**({"projector": NonNegativeProjector()} if name == "UPGrad" else {}))


def trainer(
    data: list[dict[str, Tensor]],
    aggregator: Any = "UPGrad",
    network: Any = None,
    loss: MultiTaskLoss | None = None,
    batch_size: int = 4,
    lr: float = 0.0,
    **kwargs: Any,
) -> Any:
    """A trainer; the plain one where the aggregator is None, one of TorchJD's where it is a name."""
    network = umc() if network is None else network
    loss = MultiTaskLoss(TASKS.losses(), FixedWeighting(NAMES, WEIGHTS)) if loss is None else loss
    balancing = {"aggregator": torchjds(aggregator) if isinstance(aggregator, str) else aggregator}
    return (MultiTaskTrainer if aggregator is None else GradientBalancingTrainer)(
        tasks=TASKS,
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=DataLoader(Dataset(data), batch_size=batch_size),
        network=network,
        optimizer=torch.optim.SGD([*network.parameters(), *loss.parameters()], lr),
        loss_function=loss,
        **({} if aggregator is None else balancing),
        **kwargs,
    )


def gradients(engine: Any) -> dict[str, Tensor]:
    return {name.removeprefix("module."): p.grad for name, p in engine.network.named_parameters()}


def note_steps(engine: Any, taken: list[dict[str, Tensor]]) -> None:
    """The gradients that the optimizer sees."""
    engine.optimizer.register_step_pre_hook(
        lambda *_: taken.append({name: gradient.clone() for name, gradient in gradients(engine).items()})
    )


def by_hand(data: list[dict[str, Tensor]], aggregator: Any, tasks: list[str] = NAMES) -> dict[str, Tensor]:
    """One backward pass per task, the aggregator on the stacked rows of what two or more tasks reach."""
    network = umc()
    image, batch = MultiTaskPrepareBatch(TASKS)({key: torch.stack([sample[key] for sample in data]) for key in data[0]})
    predictions = network(image)
    losses = TASKS.losses()
    parameters = dict(network.named_parameters())
    rows = {}
    for name in NAMES:
        loss = WEIGHTS[name] * losses[name](predictions[name], batch[name])
        found = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, allow_unused=True)
        rows[name] = dict(zip(parameters, found, strict=True))
    result = {name: sum(row[name] for row in rows.values() if row[name] is not None) for name in parameters}
    shared = [name for name in parameters if sum(row[name] is not None for row in rows.values()) > 1]
    # In a dense cascade, all but the last pathway and the heads is shared.
    assert any("encoder" in name for name in shared)
    assert any("segment" in name for name in shared)
    assert len(shared) < len(parameters)
    jacobian = torch.stack(
        [
            torch.cat([torch.zeros(parameters[key].numel()) if rows[task][key] is None else rows[task][key].flatten()
                       for key in shared])
            for task in tasks
        ]
    )  # fmt: skip
    sizes = [parameters[name].numel() for name in shared]
    for name, part in zip(shared, aggregator(jacobian).split(sizes), strict=True):
        result[name] = part.view_as(parameters[name])
    return result


def assert_close(first: Any, second: Any) -> None:
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["PCGrad", "AlignedMTL", "UPGrad", "MGDA", "IMTLG", "ConFIG"])
def test_gradients_equal_those_by_hand(name: str) -> None:
    def seeded(jacobian: Tensor) -> Tensor:
        torch.manual_seed(3)  # PCGrad's orders
        return torchjds(name)(jacobian)

    engine, plain = trainer(samples(), seeded), trainer(samples(), None)
    engine.run()
    plain.run()
    assert_close(gradients(engine), by_hand(samples(), seeded))
    for key, gradient in gradients(plain).items():
        same = torch.allclose(gradients(engine)[key], gradient, rtol=1e-4, atol=1e-6)
        assert same or not key.startswith("pathways.edge")  # the last pathway is private
        assert not same or not key.startswith("encoder")


def test_sum_is_the_plain_trainer() -> None:
    networks = []
    for aggregator in ("Sum", None):
        loss = MultiTaskLoss(TASKS.losses(), UncertaintyWeighting(NAMES))
        engine = trainer(samples(6), aggregator, umc("BATCH"), loss, batch_size=2, lr=0.1)
        engine.run()
        assert engine.state.iteration == 3
        networks.append({**engine.network.state_dict(), **loss.state_dict()})
    assert_close(*networks)


def test_fires_the_events_of_the_plain_trainer() -> None:
    fired: list[list[str]] = []
    for aggregator in ("UPGrad", None):
        engine = trainer(samples(), aggregator, batch_size=2)
        fired.append([])
        for event in [*IterationEvents, Events.ITERATION_STARTED, Events.ITERATION_COMPLETED]:
            if event in engine._allowed_events:
                engine.add_event_handler(event, lambda e, log, event: log.append(event.name), fired[-1], event)
        engine.run()
    assert fired[0] == fired[1]
    assert fired[0].count("BACKWARD_COMPLETED") == 2


def test_gradients_are_there_when_backward_is_completed() -> None:
    engine = trainer(samples())
    seen = []
    engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, lambda e: seen.append(gradients(e)))
    engine.run()
    assert_close(seen[0], by_hand(samples(), torchjds("UPGrad")))


@pytest.mark.parametrize("steps", [2, 3])
def test_accumulation_steps_as_the_plain_trainer(steps: int) -> None:
    """Four iterations: a step of three is cut short by the epoch's end."""
    taken: list[list[dict[str, Tensor]]] = []
    for aggregator in ("Sum", None):
        engine = trainer(samples(8), aggregator, batch_size=2, lr=0.1, accumulation_steps=steps)
        taken.append([])
        note_steps(engine, taken[-1])
        engine.run()
    assert len(taken[0]) == 2
    assert_close(*taken)


def test_accumulated_jacobian_is_aggregated_once() -> None:
    data = samples(4)
    calls = []

    def mean(jacobian: Tensor) -> Tensor:
        calls.append(jacobian.clone())
        return jacobian.mean(0)

    trainer(data, mean, batch_size=2, accumulation_steps=2).run()
    trainer(data[:2], mean, batch_size=2).run()
    trainer(data[2:], mean, batch_size=2).run()
    assert len(calls) == 3
    assert_close(calls[0], (calls[1] + calls[2]) / 2)


def test_a_missing_task_has_no_row_and_a_zero_gradient() -> None:
    data = samples(2, {0: "edge", 1: "edge"})
    engine = trainer(data)
    engine.run()
    assert_close(gradients(engine), by_hand(data, torchjds("UPGrad"), ["denoise", "segment"]))
    assert all(not p.grad.any() for p in engine.network.pathways["edge"].parameters())


def test_a_loss_of_frozen_parameters_alone_has_no_row() -> None:
    network = umc()
    network.requires_grad_(False)
    network.pathways["segment"].requires_grad_(True)
    rows = []
    engine = trainer(samples(), lambda jacobian: rows.append(len(jacobian)) or jacobian.sum(0), network)
    engine.run()
    assert rows == [2]  # of segment and, through the dense skips, edge


@pytest.mark.parametrize("steps", [1, 2])
def test_a_part_that_is_frozen_for_an_epoch_is_balanced_afterwards(steps: int) -> None:
    network, sizes = umc("BATCH"), []
    every = sum(p.numel() for p in network.parameters())
    encoder = sum(p.numel() for p in network.encoder.parameters())
    engine = trainer(
        samples(), lambda jacobian: sizes.append(jacobian.shape[1]) or jacobian.sum(0), network, batch_size=2, lr=0.1,
        accumulation_steps=steps, train_handlers=[FreezeParts(network, ["encoder"], 1)],
    )  # fmt: skip
    engine.state.max_epochs = 2
    engine.run()
    per_epoch = 2 // steps
    assert sizes[0] + encoder == sizes[per_epoch] < every
    assert len(sizes) == 2 * per_epoch


def test_one_present_task_is_not_aggregated() -> None:
    data = [sample | {"edge": torch.full((1, 8, 8), torch.nan)} for sample in samples(1, {0: "denoise"})]
    engine = trainer(data, lambda jacobian: pytest.fail("nothing to balance"))
    engine.run()
    plain = trainer(data, None)
    plain.run()
    assert_close(gradients(engine), gradients(plain))


@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
def test_mixed_precision_aggregates_unscaled_gradients() -> None:
    seen = []

    def constant(jacobian: Tensor) -> Tensor:
        seen.append(jacobian.clone())
        return jacobian.mean(0) / jacobian.norm()  # not homogeneous

    states = []
    for amp in (False, True):
        engine = trainer(samples(), constant, lr=0.1)
        if amp:
            # What MONAI makes on a GPU.
            scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
            engine.amp = True
            engine.add_event_handler(Events.STARTED, lambda e, scaler: setattr(e, "scaler", scaler), scaler)
        engine.run()
        states.append(engine.network.state_dict())
    assert_close(*seen)
    assert_close(*states)


@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
def test_a_gradient_that_overflows_is_left_to_the_scaler() -> None:
    engine = trainer(samples(), "AlignedMTL", lr=0.1)
    before = {key: value.clone() for key, value in engine.network.state_dict().items()}
    scaler = torch.amp.GradScaler("cpu", init_scale=3e38)
    engine.amp = True
    engine.add_event_handler(Events.STARTED, lambda e: setattr(e, "scaler", scaler))
    next(engine.network.parameters()).register_hook(lambda gradient: gradient * torch.inf)
    engine.run()
    assert_close(engine.network.state_dict(), before)
    assert scaler.get_scale() < 3e38


def test_shared_by_name() -> None:
    engine = trainer(samples(), "UPGrad", shared=["encoder"])
    engine.run()
    plain = trainer(samples(), None)
    plain.run()
    for key, gradient in gradients(plain).items():
        assert torch.allclose(gradients(engine)[key], gradient, rtol=1e-4, atol=1e-7) != key.startswith("encoder"), key
    with pytest.raises(ValueError, match="shared names 'encodr'"):
        trainer(samples(), shared=["encodr"])


def test_states_are_reset_every_epoch() -> None:
    aggregator = torchjds("GradVac")
    resets = []
    aggregator.reset = lambda: resets.append(1)  # type: ignore[attr-defined]
    trainer(samples(), aggregator).run()
    assert resets == [1]


def on_rank(rank: int) -> dict[str, Any]:
    """Two steps of two samples per rank; edges are missing on rank 0."""
    results = {}
    for name in ("UPGrad", "PCGrad", "Sum", None):
        network = DistributedDataParallel(umc("BATCH" if name in ("Sum", None) else "INSTANCE"))
        data = samples(4, {0: "edge", 1: "edge"})[2 * rank : 2 * rank + 2]
        engine = trainer(data * 2, name, network, batch_size=2, lr=0.1)
        taken: list[dict[str, Tensor]] = []
        note_steps(engine, taken)
        torch.manual_seed(rank)  # PCGrad would project in another order on each rank
        engine.run()
        results[str(name)] = {"gradients": taken, "state": network.module.state_dict()}
    return results


def test_two_ranks_equal_one_process(tmp_path: Path) -> None:
    first, second = on_two_ranks(on_rank, tmp_path)
    for name in ("UPGrad", "PCGrad"):
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)
    expected = by_hand(samples(4, {0: "edge", 1: "edge"}), torchjds("UPGrad"))
    assert_close(first["UPGrad"]["gradients"][0], expected)
    for rank in (first, second):  # the running statistics too
        assert_close(rank["Sum"], rank["None"])


def test_projection_is_the_smallest_combination() -> None:
    torch.manual_seed(0)
    for _ in range(20):
        jacobian = torch.randn(3, 5).double()
        gramian = jacobian @ jacobian.T
        u = torch.rand(3).double()
        w = NonNegativeProjector()(u, gramian)
        assert (w >= u - 1e-9).all()
        slope = gramian @ w  # of half of w^T G w: zero where w is free, positive where it is bound
        assert (slope > -1e-8).all()
        assert (slope * (w - u)).abs().max() < 1e-8
    singular = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    w = NonNegativeProjector()(torch.eye(2), singular)
    assert_close(w @ singular @ w.T, torch.zeros(2, 2))


def test_errors_say_what_to_do() -> None:
    with pytest.raises(
        TypeError, match=r"aggregator 3 cannot be called: .*\{\"_target_\": \"torchjd.aggregation.PCGrad\"\}"
    ):
        trainer(samples(), 3)
    with pytest.raises(ValueError, match="not compiled"):
        trainer(samples(), compile=True)
    with pytest.raises(TypeError, match="needs a MultiTaskLoss, got MSELoss"):
        trainer(samples(), loss=torch.nn.MSELoss())  # type: ignore[arg-type]


def test_torchjd_is_imported_only_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, monai_mtunet; sys.exit('torchjd' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    require_torchjd()
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(ImportError, match=r"pip install -e '\.\[jd\]'"):
        require_torchjd()
