"""MT-UNet's learned weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .loss_history import LossHistory
from .windowed_weighting import WindowedWeighting

_SMALLEST = 1e-6  # of a W whose mean is 1; keeps the inverse parametrization finite


class VarianceRatioWeighting(WindowedWeighting):
    """``w_i = W_i a_i / sum_j W_j a_j`` with learned ``W`` and ``a_i = (sigma_i(t-1) + eps) / (sigma_i(t-2) + eps)``.

    Equation 5 of the MT-UNet paper; ``sigma_i(t)`` is the mean over the last ``history`` epochs of the variance of task
    i's batch losses within an epoch. The paper's gradient is ``dL/dW_i = a_i / S * (L_i - L)``, ``S = sum_j W_j a_j``:
    learning moves weight to the **smaller** loss. To be safe where the paper is silent, ``W = f(rho)`` is positive; an
    Adam of its own, whose state is in buffers, steps once per epoch on the epoch's mean losses; W keeps its mean of 1,
    and ``a_i`` is clipped, and 1 until two sigmas exist. Tasks without a target in an epoch keep their W.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, on top.
        learning_rate: of rho; the paper's 1e-3.
        history: epochs in a sigma; the paper gives no number.
        parametrization: f, ``"softplus"`` or ``"exp"``.
        floor: smallest ``w_i``: ``w_i <- floor + (1 - T floor) w_i`` for T tasks.
        ratio_bounds: what ``a_i`` is clipped to.
        epsilon: eps, which should be small against the variances.

    Raises:
        ValueError: When an argument is out of range.

    Example:
        >>> weighting = VarianceRatioWeighting(["segment", "depth"], parametrization="exp", floor=0.05)
    """

    rho: Tensor
    momentum: Tensor
    square: Tensor
    steps: Tensor

    def __init__(
        self,
        tasks: Sequence[str],
        weights: Mapping[str, float] | None = None,
        learning_rate: float = 1e-3,
        history: int = 5,
        parametrization: str = "softplus",
        floor: float = 0.0,
        ratio_bounds: Sequence[float] = (0.1, 10.0),
        epsilon: float = 1e-10,
    ) -> None:
        super().__init__(tasks, weights, start=1 / len(tasks))
        if parametrization not in ("softplus", "exp"):
            raise ValueError(f"parametrization must be 'softplus' or 'exp', got {parametrization!r}.")
        if not 0 <= floor * len(tasks) < 1:
            raise ValueError(f"floor must be in [0, 1 / {len(tasks)}) for {len(tasks)} tasks, got {floor}.")
        if history < 1 or learning_rate <= 0 or epsilon <= 0:
            raise ValueError(
                f"history, learning_rate and epsilon must be positive, got {history}, {learning_rate}, {epsilon}."
            )
        if not 0 < ratio_bounds[0] <= 1 <= ratio_bounds[1]:
            raise ValueError(f"ratio_bounds must be positive with 1 between them, got {ratio_bounds}.")
        self.learning_rate = learning_rate
        self.history = history
        self.parametrization = parametrization
        self.floor = floor
        self.ratio_bounds = tuple(ratio_bounds)
        self.epsilon = epsilon
        self.variances = LossHistory(len(self.tasks), length=history + 1)
        self.register_buffer("rho", self._inverse(torch.ones(len(self.tasks))))
        for name in ("momentum", "square", "steps"):
            self.register_buffer(name, torch.zeros(len(self.tasks)))

    def update(self, mean: Tensor, variance: Tensor, observed: Tensor) -> Tensor:
        """Step on the epoch's losses, weighted as they were, then take up its variances; equation 5."""
        self._step(self._gradient(mean, observed), observed)
        self.variances.push(variance, observed)
        share = self._positive() * self._ratio()
        return self.floor + (1 - self.floor * len(self.tasks)) * share / share.sum()

    def _positive(self) -> Tensor:
        """W."""
        return torch.nn.functional.softplus(self.rho) if self.parametrization == "softplus" else self.rho.exp()

    def _inverse(self, positive: Tensor) -> Tensor:
        """The rho of a W."""
        return positive + torch.log(-torch.expm1(-positive)) if self.parametrization == "softplus" else positive.log()

    def _ratio(self) -> Tensor:
        """The a of equation 5."""
        age = torch.arange(self.history + 1, device=self.rho.device)[:, None]
        known = age < self.variances.count

        def sigma(chosen: Tensor) -> Tensor:
            return (self.variances.values * chosen).sum(dim=0) / chosen.sum(dim=0).clamp(min=1)

        last, before = sigma(known & (age < self.history)), sigma(known & (age > 0))
        ratio = ((last + self.epsilon) / (before + self.epsilon)).clamp(*self.ratio_bounds)
        return torch.where(self.variances.count > 1, ratio, torch.ones_like(ratio))

    def _gradient(self, losses: Tensor, observed: Tensor) -> Tensor:
        """``dL/drho`` of the observed tasks, 0 for the others."""
        ratio = self._ratio()
        share = self._positive() * ratio * observed
        total = share.sum().clamp(min=_SMALLEST)
        gradient = ratio / total * (losses - (share * losses).sum() / total) * (1 - self.floor * len(self.tasks))
        slope = torch.sigmoid(self.rho) if self.parametrization == "softplus" else self.rho.exp()
        return gradient * slope * observed

    def _step(self, gradient: Tensor, observed: Tensor) -> None:
        """Adam on the observed tasks; then their W get their old sum back, so that the mean of all stays 1."""
        # By hand: torch.optim.Adam, with one tensor per task, gives another last bit of rho from the sixth step on. Its
        # running mean takes 0.1 of a gradient, lerp here 1 - 0.9 in single precision. And buffers follow the module to
        # its device.
        old = self._positive()
        self.steps += observed
        self.momentum.copy_(torch.where(observed, torch.lerp(gradient, self.momentum, 0.9), self.momentum))
        self.square.copy_(torch.where(observed, torch.lerp(gradient**2, self.square, 0.999), self.square))
        momentum = self.momentum / (1 - 0.9**self.steps)
        deviation = (self.square / (1 - 0.999**self.steps)).sqrt() + 1e-8
        self.rho -= torch.where(observed, self.learning_rate * momentum / deviation, torch.zeros_like(gradient))
        new = self._positive().clamp(min=_SMALLEST)
        rescaled = new * (old * observed).sum() / (new * observed).sum().clamp(min=_SMALLEST)
        self.rho.copy_(torch.where(observed, self._inverse(rescaled), self.rho))
