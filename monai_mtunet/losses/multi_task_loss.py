"""The loss of a multi-task network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from .weighting import FixedWeighting


class MultiTaskLoss(nn.Module):
    """One loss per task, combined by a weighting.

    Args:
        losses: ``{task name: module(prediction, target) -> 0-d tensor}``.
        weighting: module ``{task name: loss} -> 0-d tensor``; by default the plain sum.

    Attributes:
        task_losses: the raw (unweighted, detached) losses of the last call, for logging.

    Raises:
        ValueError: when ``losses`` is empty.

    Example:
        >>> loss = MultiTaskLoss({"denoise": MaskedRegressionLoss(), "segment": MaskedDiceCELoss()})
        >>> total = loss(network(image), {"denoise": clean, "segment": labels})
    """

    def __init__(self, losses: Mapping[str, nn.Module], weighting: nn.Module | None = None) -> None:
        super().__init__()
        if not losses:
            raise ValueError("MultiTaskLoss needs the loss of at least one task.")
        self.losses = nn.ModuleDict(losses)
        self.weighting = FixedWeighting(list(losses)) if weighting is None else weighting
        self.task_losses: dict[str, Tensor] = {}

    def forward(self, predictions: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
        """Compare every task's prediction with its target.

        Args:
            predictions: ``{task name: tensor}``, the network's output.
            targets: ``{task name: tensor}``.

        Returns:
            0-d tensor.

        Raises:
            ValueError: when a task has no prediction or no target.
        """
        for kind, tensors in (("prediction", predictions), ("target", targets)):
            absent = [name for name in self.losses if name not in tensors]
            if absent:
                raise ValueError(f"No {kind} for task(s) {absent}: the {kind}s are {list(tensors)}.")
        losses = {name: loss(predictions[name], targets[name]) for name, loss in self.losses.items()}
        self.task_losses = {name: loss.detach() for name, loss in losses.items()}
        total: Tensor = self.weighting(losses)
        return total
