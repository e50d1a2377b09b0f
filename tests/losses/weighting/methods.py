"""Every weighting method, and ways to run one without a network."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from monai_mtunet.losses import (
    DynamicWeightAverage,
    FixedWeighting,
    GeometricMeanWeighting,
    RandomLossWeighting,
    SoftAdapt,
    SoftOptimalUncertaintyWeighting,
    TaskWeighting,
    UncertaintyWeighting,
    VarianceRatioWeighting,
)

TASKS = ["denoise", "segment", "depth"]

METHODS: dict[str, Callable[..., TaskWeighting]] = {
    "fixed": FixedWeighting,
    "initial": lambda tasks, **kw: FixedWeighting(tasks, normalize="initial", **kw),
    "running": lambda tasks, **kw: FixedWeighting(tasks, normalize="running", momentum=0.9, **kw),
    "uncertainty": UncertaintyWeighting,
    "uw_so": SoftOptimalUncertaintyWeighting,
    "dwa": DynamicWeightAverage,
    "soft_adapt": SoftAdapt,
    "soft_adapt_normalized": lambda tasks, **kw: SoftAdapt(tasks, variant="normalized", **kw),
    "soft_adapt_loss_weighted": lambda tasks, **kw: SoftAdapt(tasks, variant="loss_weighted", window=3, **kw),
    "random": RandomLossWeighting,
    "geometric_mean": GeometricMeanWeighting,
    "variance_ratio": VarianceRatioWeighting,
    "variance_ratio_exp": lambda tasks, **kw: VarianceRatioWeighting(
        tasks, parametrization="exp", learning_rate=0.1, floor=0.05, history=2, **kw
    ),
}


def as_losses(values: Mapping[str, float]) -> dict[str, Tensor]:
    return {name: torch.tensor(float(value), requires_grad=True) for name, value in values.items()}


def weights_of(weighting: TaskWeighting) -> dict[str, float]:
    return {name: weight.item() for name, weight in weighting.applied_weights.items()}


class Run:
    """Calls a weighting as training does: losses come in iterations and epochs, an optimizer steps its parameters."""

    def __init__(self, weighting: TaskWeighting, learning_rate: float = 0.01) -> None:
        self.weighting = weighting
        self.parameters = list(weighting.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=learning_rate) if self.parameters else None

    def step(self, values: Mapping[str, float]) -> dict[str, float]:
        if self.optimizer is not None:
            self.optimizer.zero_grad()
        total = self.weighting(as_losses(values))
        assert total.shape == ()
        total.backward()
        if self.optimizer is not None:
            self.optimizer.step()
        return weights_of(self.weighting)

    def epoch(self, iterations: list[Mapping[str, float]]) -> dict[str, float]:
        for values in iterations:
            weights = self.step(values)
        self.weighting.epoch_completed()
        return weights


def random_epochs(epochs: int, iterations: int = 4, seed: int = 0) -> list[list[dict[str, float]]]:
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(epochs, iterations, len(TASKS), generator=generator) + 0.1
    return [[dict(zip(TASKS, row, strict=True)) for row in epoch] for epoch in values.tolist()]
