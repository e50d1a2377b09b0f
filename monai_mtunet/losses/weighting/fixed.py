"""Fixed loss weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .task_weighting import TaskWeighting

_SMALLEST = 1e-12


class FixedWeighting(TaskWeighting):
    """Weighted sum of the task losses, the UMC paper's joint loss (section 4.1, alpha = 1).

    With ``normalize``, each loss is divided by its scale: ``sum_k weights_k * L_k / scale_k``. The scale is the task's
    first loss, or the running mean ``scale <- momentum * scale + (1 - momentum) * L`` that starts from it.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: weight per task name; a task that is not named has weight 1.
        normalize: ``None``, ``"initial"`` or ``"running"``.
        momentum: of the running scale.

    Raises:
        ValueError: When ``weights`` names a task that does not exist, a weight is negative, or another argument is
            none of the above.

    Example:
        >>> weighting = FixedWeighting(["denoise", "segment"], {"denoise": 0.5})
        >>> weighting({"denoise": torch.tensor(2.0), "segment": torch.tensor(1.0)})
        tensor(2.)
    """

    scale: Tensor

    def __init__(
        self,
        tasks: Sequence[str],
        weights: Mapping[str, float] | None = None,
        normalize: str | None = None,
        momentum: float = 0.99,
    ) -> None:
        super().__init__(tasks, weights)
        if normalize not in (None, "initial", "running"):
            raise ValueError(f"normalize must be None, 'initial' or 'running', got {normalize!r}.")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), got {momentum}.")
        self.momentum = {None: 1.0, "initial": 1.0, "running": momentum}[normalize]
        self.normalize = normalize is not None
        if self.normalize:
            self.register_buffer("scale", torch.zeros(len(self.tasks)))  # 0: no loss was seen yet

    def observe(self, losses: Tensor, present: list[int]) -> None:
        """Update the scales."""
        if self.normalize:
            scale = self.scale[present]
            updated = torch.where(scale > 0, self.momentum * scale + (1 - self.momentum) * losses, losses)
            self.scale[present] = torch.where(torch.isfinite(losses), updated, scale)

    def weigh(self, losses: Tensor, present: list[int]) -> Tensor:
        """1, or the inverse scales."""
        if not self.normalize:
            return torch.ones_like(losses)
        scale = self.scale[present]
        return 1 / torch.where(scale > 0, scale.clamp(min=_SMALLEST), torch.ones_like(scale))
