"""A trainer that balances the tasks' gradients instead of their losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import torch
import torch.distributed as dist
from ignite.engine import Engine, Events
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys as Keys
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..losses import MultiTaskLoss
from ..losses.over_ranks import mean_over_ranks
from .trainer import MultiTaskTrainer

Aggregator = Callable[[Tensor], Tensor]  # from the Jacobian (T, P) to a gradient (P,)


class GradientBalancingTrainer(MultiTaskTrainer):
    """:class:`MultiTaskTrainer`, with the gradients of shared parameters balanced by a TorchJD aggregator.

    The gradients of the T weighted task losses with respect to the P shared parameters are the rows of a Jacobian
    (T, P), which the aggregator turns into one gradient. The other parameters get their plain gradient. It costs T
    backward passes, T gradients of the whole network in memory and the aggregator's work.

    MONAI's iteration runs unchanged, on task losses that are cut off from the network, and the network's gradients
    are there when ``BACKWARD_COMPLETED`` fires. With gradient accumulation the Jacobian is accumulated, and aggregated
    before the step: the gradients of the network are then there in the iterations that step. With mixed precision the
    aggregator sees unscaled gradients. Under DistributedDataParallel it sees the Jacobian of all ranks' batches, and
    every rank takes rank 0's result, since aggregators may sample random numbers; every rank must run the same graph.
    A task with nothing to learn has no row, and where one task is present there is nothing to balance.

    Aggregators that keep a state over iterations are reset at the start of every epoch, so that resuming is exact.

    Args:
        aggregator: one of TorchJD's, such as ``PCGrad()``, ``AlignedMTL()`` or
            ``UPGrad(projector=NonNegativeProjector())``, or any function from the Jacobian (T, P) to a gradient (P,).
        shared: what is balanced. By default every parameter that the losses of two or more tasks reach through the
            autograd graph, tasks without targets in the batch included; with names of modules or parameters, such as
            ``["encoder"]``, those of them that are also below one of these names.
        args: those of ``MultiTaskTrainer``, by keyword; ``loss_function`` is a
            :class:`~monai_mtunet.losses.MultiTaskLoss`.

    Raises:
        TypeError: when the loss function is no ``MultiTaskLoss``, or the aggregator cannot be called.
        ValueError: when ``shared`` names nothing, or the network is compiled.

    Example:
        >>> GradientBalancingTrainer(..., loss_function=MultiTaskLoss(losses), aggregator=torchjd.aggregation.PCGrad())
    """

    def __init__(self, *, aggregator: Aggregator, shared: Sequence[str] | None = None, **args: Any) -> None:
        super().__init__(**args)
        if not callable(aggregator):
            raise TypeError(
                f"The aggregator {aggregator!r} cannot be called: give an object, in a configuration "
                '{"_target_": "torchjd.aggregation.PCGrad"} or another of TorchJD\'s.'
            )
        if not isinstance(self.loss_function, MultiTaskLoss):
            raise TypeError(f"Gradient balancing needs a MultiTaskLoss, got {type(self.loss_function).__name__}.")
        if any(hasattr(module, "_orig_mod") for module in self.network.modules()):
            raise ValueError(
                "Gradient balancing needs a network that is not compiled: the autograd graph of a compiled one does "
                "not tell which parameters a task reaches. Set compile to false."
            )
        self.multi_task_loss = self.loss_function
        self.loss_function = self._cut_off_loss
        self.aggregator = aggregator
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.may_be_shared = _below(self.network, self.parameters, shared)
        self._losses: dict[str, Tensor] = {}
        self._cut_off: dict[str, Tensor] = {}
        self._forget()
        self.add_event_handler(Events.EPOCH_STARTED, self._restart)

    def fire_event(self, event_name: Any) -> None:
        """Fire an event; put the network's gradients in place before handlers of ``BACKWARD_COMPLETED`` see them."""
        if event_name == IterationEvents.BACKWARD_COMPLETED:
            self._differentiate()
            if self._is_last_of_step():
                self._set_gradients()
                self._forget()
        super().fire_event(event_name)

    def _iteration(self, engine: SupervisedTrainer, batchdata: dict[str, Tensor]) -> dict[str, Any]:
        if not isinstance(self.network, DistributedDataParallel):
            return super()._iteration(engine, batchdata)
        # no_sync would also leave out the buffers' broadcast, which running statistics of normalization need.
        if self.network.broadcast_buffers:
            for buffer in self.network.module.buffers():
                dist.broadcast(buffer, 0)
        with self.network.no_sync():
            return super()._iteration(engine, batchdata)

    def _cut_off_loss(self, predictions: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
        """The total loss, from which backward reaches the task losses and the weighting's parameters only."""
        self._losses = self.multi_task_loss.compare(predictions, targets)
        self._cut_off = {name: loss.detach().requires_grad_() for name, loss in self._losses.items()}
        return self.multi_task_loss.combine(self._cut_off, targets)

    def _differentiate(self) -> None:
        """Add the iteration's gradient of each task: the chain rule from the total loss's gradient on."""
        self._present |= set(self.multi_task_loss.raw_losses)
        learning = [p for p in self.parameters if p.requires_grad]  # parts may be frozen for some epochs
        # A frozen part of the network may leave a loss without any gradient.
        losses = {name: loss for name, loss in self._losses.items() if loss.requires_grad}
        for left, (name, loss) in zip(range(len(losses))[::-1], losses.items(), strict=True):
            outer = self._cut_off[name].grad
            found: Sequence[Tensor | None] = torch.autograd.grad(
                loss,
                learning,
                torch.zeros_like(loss) if outer is None else outer,
                retain_graph=left > 0,
                allow_unused=True,
            )
            gradient_of = dict(zip(learning, found, strict=True))
            gradients = [gradient_of.get(p) for p in self.parameters]
            before = self._gradients.get(name, [None] * len(gradients))
            self._gradients[name] = [_plus(*pair) for pair in zip(before, gradients, strict=True)]
        self._losses, self._cut_off = {}, {}
        # The graph's last owner, which would keep it until the next iteration.
        predictions = self.state.output[Keys.PRED]
        self.state.output[Keys.PRED] = {name: prediction.detach() for name, prediction in predictions.items()}

    def _set_gradients(self) -> None:
        columns = [
            [gradient for gradient in column if gradient is not None]
            for column in zip(*self._gradients.values(), strict=True)
        ]
        rows = [self._gradients[name] for name in self._gradients if name in self._present]
        balanced = [
            len(rows) > 1 and may_be and len(column) > 1
            for may_be, column in zip(self.may_be_shared, columns, strict=True)
        ]
        shared = [p for p, yes in zip(self.parameters, balanced, strict=True) if yes]
        plain = [
            (p, torch.stack(column).sum(0))
            for p, column, yes in zip(self.parameters, columns, balanced, strict=True)
            if column and not yes
        ]
        if plain:
            _add([p for p, _ in plain], mean_over_ranks(torch.cat([gradient.flatten() for _, gradient in plain])))
        if shared:
            kept = [[gradient for gradient, yes in zip(row, balanced, strict=True) if yes] for row in rows]
            jacobian = torch.stack([_flatten(row, shared) for row in kept])
            _add(shared, self._aggregate(mean_over_ranks(jacobian)))

    def _aggregate(self, jacobian: Tensor) -> Tensor:
        scale = self.scaler.get_scale() if self.amp and self.scaler is not None else 1.0
        # Where it is not finite, neither is the plain sum, and the gradient scaler leaves out the step.
        finite = bool(jacobian.isfinite().all())
        gradient = self.aggregator(jacobian / scale).detach() * scale if finite else jacobian.sum(0)
        if dist.is_available() and dist.is_initialized():
            gradient = gradient.contiguous()
            dist.broadcast(gradient, 0)
        return gradient

    def _is_last_of_step(self) -> bool:
        """Whether MONAI's iteration will step the optimizer."""
        length = self.state.epoch_length
        done = self.state.iteration if length is None else (self.state.iteration - 1) % length + 1
        return bool(done % self.accumulation_steps == 0 or done == length)

    def _forget(self) -> None:
        self._gradients: dict[str, list[Tensor | None]] = {}
        self._present: set[str] = set()

    def _restart(self, engine: Engine) -> None:
        self._forget()
        reset = getattr(self.aggregator, "reset", None)
        if reset is not None:
            reset()


def require_torchjd() -> None:
    """Fail if TorchJD is not installed, before a configuration fails to find an aggregator's class in it.

    Raises:
        ImportError: when it is not; it says how to install it.
    """
    if find_spec("torchjd") is None:
        raise ImportError("Gradient balancing needs TorchJD: install the extra, pip install -e '.[jd]' in a clone.")


def _below(network: nn.Module, parameters: Sequence[Tensor], names: Sequence[str] | None) -> list[bool]:
    """Whether each parameter is one of the names, or below one."""
    if names is None:
        return [True] * len(parameters)
    module = network.module if isinstance(network, DistributedDataParallel) else network
    found: set[int] = set()
    for name in names:
        below = {id(p) for key, p in module.named_parameters() if f"{key}.".startswith(f"{name}.")}
        if not below:
            raise ValueError(f"shared names {name!r}, but no parameter of the network is there.")
        found |= below
    return [id(parameter) in found for parameter in parameters]


def _plus(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second


def _flatten(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Tensor:
    """One vector of gradients, 0 where there is none."""
    pairs = zip(gradients, parameters, strict=True)
    return torch.cat([(torch.zeros_like(p) if gradient is None else gradient).flatten() for gradient, p in pairs])


def _add(parameters: Sequence[Tensor], gradient: Tensor) -> None:
    """Add a vector of gradients to those that are there, such as a penalty's."""
    for p, part in zip(parameters, gradient.split([p.numel() for p in parameters]), strict=True):
        p.grad = _plus(p.grad, part.view_as(p))
