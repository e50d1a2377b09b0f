"""The loss of a multi-task network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from .over_ranks import mean_over_ranks, sum_over_ranks
from .weighting.fixed import FixedWeighting


class MultiTaskLoss(nn.Module):
    """One loss per task, combined by a weighting.

    A task that has nothing to learn in a batch, on no rank, is kept from the weighting, whose weights and statistics
    it must not move; its loss, a 0 connected to its prediction, is added as it is, so that every parameter gets a
    gradient. A loss says how many elements it learns from by ``valid_count(target) -> 0-d tensor``; one without that
    method is taken to learn from every batch.

    Args:
        losses: ``{task name: module(prediction, target) -> 0-d tensor}``.
        weighting: module ``{task name: loss} -> 0-d tensor``; by default the plain sum.

    Attributes:
        raw_losses: the raw losses of the last call, for logging: detached, unweighted, over all ranks; only of tasks
            that had something to learn.
        applied_weights: the weights that multiplied them, where the weighting tells them.

    Raises:
        ValueError: When ``losses`` is empty.

    Example:
        >>> loss = MultiTaskLoss({"denoise": MissingAwareRegressionLoss(), "segment": MissingAwareSegmentationLoss()})
        >>> total = loss(network(image), {"denoise": clean, "segment": labels})
    """

    def __init__(self, losses: Mapping[str, nn.Module], weighting: nn.Module | None = None) -> None:
        super().__init__()
        if not losses:
            raise ValueError("MultiTaskLoss needs the loss of at least one task.")
        self.losses = nn.ModuleDict(losses)
        self.weighting = FixedWeighting(list(losses)) if weighting is None else weighting
        self.raw_losses: dict[str, Tensor] = {}

    @property
    def applied_weights(self) -> dict[str, Tensor]:
        """The weights of the last call, of the tasks that had something to learn."""
        weights: dict[str, Tensor] = getattr(self.weighting, "applied_weights", {})
        return {name: weights[name] for name in self.raw_losses if name in weights}

    def forward(self, predictions: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
        """Compare every task's prediction with its target.

        Args:
            predictions: ``{task name: tensor}``, the network's output.
            targets: ``{task name: tensor}``.

        Returns:
            0-d tensor.

        Raises:
            ValueError: When a task has no prediction or no target.
        """
        return self.combine(self.compare(predictions, targets), targets)

    def compare(self, predictions: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The raw losses, the first half of a call. Arguments and errors as in :meth:`forward`.

        Returns:
            0-d tensor per task.
        """
        for kind, tensors in (("prediction", predictions), ("target", targets)):
            absent = [name for name in self.losses if name not in tensors]
            if absent:
                raise ValueError(f"No {kind} for task(s) {absent}: the {kind}s are {list(tensors)}.")
        return {name: loss(predictions[name], targets[name]) for name, loss in self.losses.items()}

    def combine(self, losses: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of raw losses, the second half of a call.

        Args:
            losses: what :meth:`compare` gave.
            targets: ``{task name: tensor}``, which say what tasks had something to learn.

        Returns:
            0-d tensor.
        """
        present = self._present(targets)
        means = mean_over_ranks(torch.stack(list(losses.values())))
        self.raw_losses = {name: mean for name, mean in zip(losses, means, strict=True) if name in present}
        terms = [loss for name, loss in losses.items() if name not in present]  # zeros
        if present:
            terms.append(self.weighting({name: losses[name] for name in present}))
        return torch.stack(terms).sum()

    def valid_count(self, task: str, target: Tensor) -> Tensor:
        """How many elements of a batch of targets a task learns from, 0-d; 1 where its loss does not say."""
        count: Callable[[Tensor], Tensor] | None = getattr(self.losses[task], "valid_count", None)
        return torch.ones((), dtype=torch.long, device=target.device) if count is None else count(target)

    def epoch_completed(self) -> None:
        """Let the weighting take up the epoch's statistics, if it keeps any."""
        completed = getattr(self.weighting, "epoch_completed", None)
        if completed is not None:
            completed()

    def _present(self, targets: Mapping[str, Tensor]) -> list[str]:
        """Tasks with something to learn on any rank."""
        counts = [self.valid_count(name, targets[name]) for name in self.losses]
        valid = sum_over_ranks(torch.stack(counts)).tolist()
        return [name for name, count in zip(self.losses, valid, strict=True) if count]
