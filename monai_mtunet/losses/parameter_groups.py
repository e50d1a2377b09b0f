"""Optimiser groups of a network and of the weights that its loss learns."""

from __future__ import annotations

from typing import Any

from torch import nn


def parameter_groups(network: nn.Module, loss: nn.Module, weighting_learning_rate: float) -> list[dict[str, Any]]:
    """The network's parameters and, where the loss learns weights, those with a learning rate of their own.

    Weight decay never applies to loss weights: it would pull them towards a value that nothing justifies.

    Args:
        network: its group takes the optimiser's settings.
        loss: for example a :class:`~monai_mtunet.losses.MultiTaskLoss`; without learnable weights there is one group.
        weighting_learning_rate: of the loss weights.

    Returns:
        What ``torch.optim`` optimisers take as ``params``.

    Example:
        >>> torch.optim.Adam(parameter_groups(network, loss, 0.01), lr=0.001)
    """
    groups: list[dict[str, Any]] = [{"params": list(network.parameters())}]
    learnable = [parameter for parameter in loss.parameters() if parameter.requires_grad]
    if learnable:
        groups.append({"params": learnable, "lr": weighting_learning_rate, "weight_decay": 0.0})
    return groups
