"""Optimizer groups of a network and of the weights that its loss learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn


def parameter_groups(
    network: nn.Module,
    loss: nn.Module,
    weighting_learning_rate: float,
    learning_rates: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """The network's parameters and, where the loss learns weights, those with a learning rate of their own.

    Weight decay never applies to loss weights: it would pull them towards a value that nothing justifies.

    Args:
        network: its group takes the optimizer's settings.
        loss: for example a :class:`~monai_mtunet.losses.MultiTaskLoss`; without learnable weights there is one group.
        weighting_learning_rate: of the loss weights.
        learning_rates: of parts of the network, ``{name of a module: rate}``, as heads that learn ten times as fast as
            a trained trunk. Each part is a group; the rest of the network is the first group, if there is any.

    Returns:
        What ``torch.optim`` optimizers take as ``params``.

    Raises:
        ValueError: When a part has no parameters, or shares some with another part.

    Example:
        >>> torch.optim.Adam(parameter_groups(network, loss, 0.01), lr=0.001)
        >>> torch.optim.SGD(parameter_groups(network, loss, 0.01, {"heads": 0.002}), lr=0.0002, momentum=0.95)
    """
    rest = dict(network.named_parameters())
    groups: list[dict[str, Any]] = []
    for part, rate in (learning_rates or {}).items():
        below = [name for name in rest if f"{name}.".startswith(f"{part}.")]
        if not below:
            parts = [name for name, _ in network.named_children()]
            raise ValueError(
                f"learning_rates names {part!r}, but no parameter of the network that is in no other part is there; "
                f"its modules are {parts}."
            )
        groups.append({"params": [rest.pop(name) for name in below], "lr": rate})
    if rest:
        groups.insert(0, {"params": list(rest.values())})
    learnable = [parameter for parameter in loss.parameters() if parameter.requires_grad]
    if learnable:
        groups.append({"params": learnable, "lr": weighting_learning_rate, "weight_decay": 0.0})
    return groups
