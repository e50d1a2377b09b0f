"""Parts of a network that do not learn in the first epochs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from ignite.engine import Events
from monai.engines import Workflow
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.hooks import RemovableHandle

from ...pretrained.network_state import unwrapped

__all__ = ["FreezeParts"]

logger = logging.getLogger(__name__)


class FreezeParts:
    """Freezes parts of a network for the first epochs of a training, as a trained encoder under new heads.

    While frozen, parameters have no gradient, so that no optimizer moves them, whatever its momentum and weight decay.
    The parts are in eval mode in every pass: batch normalization uses its running statistics and does not change
    them, and dropout is off. Which parts are frozen depends on the epoch alone, so that a resumed training is the
    uninterrupted one. Parameters that did not learn before do not learn afterwards.

    Args:
        network: the network that is trained.
        parts: names of its modules, as ``"encoder"`` or ``"pathways.segment"``.
        epochs: how many epochs they are frozen for; None, or as many as the training has, freezes them throughout.

    Raises:
        ValueError: When the network has no such part with parameters, all that it could learn would be frozen,
            `epochs` is negative, or the network is wrapped by ``DistributedDataParallel`` such that it waits for
            gradients of all parameters.

    Example:
        >>> FreezeParts(network, ["encoder"], epochs=5).attach(trainer)
    """

    def __init__(self, network: nn.Module, parts: str | Sequence[str], epochs: int | None = None) -> None:
        if isinstance(network, DistributedDataParallel) and not network.find_unused_parameters:
            raise ValueError(
                "DistributedDataParallel waits for gradients of frozen parameters: wrap the network with "
                "find_unused_parameters=True."
            )
        if epochs is not None and epochs < 0:
            raise ValueError(f"epochs must not be negative, got {epochs}.")
        self.network: nn.Module = unwrapped(network)
        self.names = [parts] if isinstance(parts, str) else list(parts)
        self.parts = [_part(self.network, name) for name in self.names]
        self.epochs = epochs
        # Those that learn: what is fixed for good, as by freeze_normalization, stays so.
        self.parameters = {p for part in self.parts for p in part.parameters() if p.requires_grad}
        if epochs != 0 and self.parameters.issuperset(p for p in self.network.parameters() if p.requires_grad):
            raise ValueError(
                f"{self.names} are all that {type(self.network).__name__} could learn: freeze fewer parts."
            )
        self._hook: RemovableHandle | None = None

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)
        engine.add_event_handler(Events.COMPLETED, self._thaw)

    def __call__(self, engine: Workflow) -> None:
        """Freeze the parts, or let them learn, as the epoch says."""
        if self.epochs is not None and engine.state.epoch > self.epochs:
            if self._hook is not None:
                self._thaw()
                logger.info("No longer frozen: %s.", ", ".join(self.names))
        elif self._hook is None:
            self._freeze()
            until = "throughout" if self.epochs is None else f"to the end of epoch {self.epochs}"
            logger.info("Frozen %s: %s.", until, ", ".join(self.names))

    def _freeze(self) -> None:
        for parameter in self.parameters:
            parameter.requires_grad_(False)
            parameter.grad = None
        # MONAI's trainer calls network.train() in every iteration, right before the pass.
        self._hook = self.network.register_forward_pre_hook(self._to_eval_mode)

    def _thaw(self) -> None:
        if self._hook is None:
            return
        self._hook.remove()
        self._hook = None
        for parameter in self.parameters:
            parameter.requires_grad_(True)

    def _to_eval_mode(self, network: nn.Module, inputs: Any) -> None:
        for part in self.parts:
            part.eval()


def _part(network: nn.Module, name: str) -> nn.Module:
    """A module by its name."""
    module, above = network, ""
    for word in name.split("."):
        parts = {child: part for child, part in module.named_children() if next(part.parameters(), None) is not None}
        if word not in parts:
            there = [f"{above}{part}" for part in parts]
            raise ValueError(f"{type(network).__name__} has no part {name!r} with parameters; there are {there}.")
        module, above = parts[word], f"{above}{word}."
    return module
