"""Fixed loss weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class FixedWeighting(nn.Module):
    """Weighted sum of the task losses, the UMC paper's joint loss (section 4.1, alpha = 1).

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: weight per task name; a task that is not named has weight 1.

    Raises:
        ValueError: when ``weights`` names a task that does not exist, or a weight is negative.

    Example:
        >>> weighting = FixedWeighting(["denoise", "segment"], {"denoise": 0.5})
        >>> weighting({"denoise": torch.tensor(2.0), "segment": torch.tensor(1.0)})
        tensor(2.)
    """

    def __init__(self, tasks: Sequence[str], weights: Mapping[str, float] | None = None) -> None:
        super().__init__()
        weights = dict(weights or {})
        unknown = sorted(set(weights) - set(tasks))
        if unknown:
            raise ValueError(f"Weights are given for unknown task(s) {unknown}; the tasks are {list(tasks)}.")
        negative = {name: weight for name, weight in weights.items() if weight < 0}
        if negative:
            raise ValueError(f"Loss weights must not be negative, got {negative}.")
        self.weights = {name: float(weights.get(name, 1.0)) for name in tasks}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Combine.

        Args:
            losses: 0-d tensor per task.

        Returns:
            0-d tensor.
        """
        total: Tensor = sum(self.weights[name] * loss for name, loss in losses.items())  # type: ignore[assignment]
        return total
