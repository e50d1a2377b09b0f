"""What a weighting method costs over fixed weights, and gradient balancing over one backward pass per task."""

from collections.abc import Callable
from functools import partial

import torch
from paired_runs import arguments, paired_times, print_environment, print_ratio
from peak_memory import peak_memory
from torch import Tensor, nn
from torchjd.aggregation import AlignedMTL, PCGrad, UPGrad

from monai_mtunet import losses
from monai_mtunet.engines import GradientBalancingTrainer, NonNegativeProjector
from monai_mtunet.networks import UMC
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

TASKS = TaskList([RestorationTask("denoise", 3), SegmentationTask("segment", list("abcde"))])
SCALAR = (
    "UncertaintyWeighting",
    "SoftOptimalUncertaintyWeighting",
    "DynamicWeightAverage",
    "SoftAdapt",
    "RandomLossWeighting",
    "GeometricMeanWeighting",
    "VarianceRatioWeighting",
)
AGGREGATORS = {
    "PCGrad": PCGrad,
    "AlignedMTL": AlignedMTL,
    "UPGrad": partial(UPGrad, projector=NonNegativeProjector()),
}
ITERATIONS = 8  # of an epoch, the unit that is timed
SIZES = {"tiny": (2, 32, (4, 8)), "medium": (8, 96, (16, 32, 64, 128))}  # batch, side, features

Batch = tuple[Tensor, dict[str, Tensor]]


def data(batch: int, side: int) -> list[Batch]:
    image = torch.rand(batch, 3, side, side)
    return [(image, {"denoise": image, "segment": torch.randint(0, 5, (batch, 1, side, side))})] * ITERATIONS


def parts(size: str, method: str) -> tuple[nn.Module, losses.MultiTaskLoss, torch.optim.Optimizer, list[Batch]]:
    """Network, loss, optimizer and the batches of an epoch, the same for every method."""
    torch.manual_seed(0)
    batch, side, features = SIZES[size]
    network = UMC(2, 3, TASKS.out_channels, features=features)
    loss = losses.MultiTaskLoss(TASKS.losses(), getattr(losses, method)(TASKS.loss_names))
    return network, loss, torch.optim.Adam(losses.parameter_groups(network, loss, 1e-3)), data(batch, side)


def weighted_epoch(size: str, method: str) -> Callable[[], None]:
    network, loss, optimizer, batches = parts(size, method)

    def run() -> None:
        for image, targets in batches:
            optimizer.zero_grad()
            loss(network(image), targets).backward()
            optimizer.step()
        loss.epoch_completed()

    return run


def backward_per_task_epoch(size: str) -> Callable[[], None]:
    """The least that any balancing of gradients has to do: one forward and T backward passes."""
    network, loss, optimizer, batches = parts(size, "FixedWeighting")

    def run() -> None:
        for image, targets in batches:
            optimizer.zero_grad()
            *first, last = loss.compare(network(image), targets).values()
            for raw_loss in first:
                raw_loss.backward(retain_graph=True)
            last.backward()
            optimizer.step()

    return run


def trainer_epoch(size: str, aggregator: str) -> Callable[[], None]:
    network, loss, optimizer, batches = parts(size, "FixedWeighting")
    trainer = GradientBalancingTrainer(
        aggregator=AGGREGATORS[aggregator](),
        tasks=TASKS,
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=batches,
        network=network,
        optimizer=optimizer,
        loss_function=loss,
        prepare_batch=lambda batch, *_, **__: batch,
    )

    def run() -> None:
        trainer.state.max_epochs = trainer.state.epoch + 1
        trainer.run()

    return run


def run_once(build: Callable[..., Callable[[], None]], *args: str) -> None:
    torch.set_num_threads(1)
    build(*args)()


def main() -> None:
    args = arguments(__doc__)
    size = "tiny" if args.quick else "medium"
    builds = {
        **{method: (weighted_epoch, method) for method in ("FixedWeighting", *SCALAR)},
        "T backward passes": (backward_per_task_epoch,),
        **{name: (trainer_epoch, name) for name in AGGREGATORS},
    }
    print_environment()
    times = paired_times({name: build(size, *rest) for name, (build, *rest) in builds.items()}, args.pairs)
    for method in SCALAR:
        print_ratio(f"{method} / FixedWeighting", "time", times[method], times["FixedWeighting"], target=1.02)
    for name in AGGREGATORS:
        print_ratio(f"{name} / T backward passes", "time", times[name], times["T backward passes"])
        print_ratio(f"{name} / FixedWeighting", "time", times[name], times["FixedWeighting"])
    measured = ("FixedWeighting", "VarianceRatioWeighting", "T backward passes", *AGGREGATORS)
    peaks = {
        name: [
            peak_memory(partial(run_once, build, size, *rest), partial(run_once, build, "tiny", *rest))
            for _ in range(min(args.pairs, 3))
        ]
        for name, (build, *rest) in builds.items()
        if name in measured
    }
    for name in measured[1:]:
        print_ratio(f"{name} / FixedWeighting", "memory", peaks[name], peaks["FixedWeighting"])


if __name__ == "__main__":
    main()
