"""What a network does with an image: its operations with weights, what each takes, and which losses train it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

_SUMS = {"add", "add_", "__add__", "__radd__", "__iadd__"}
_NORMALIZATIONS = {"batch_norm", "instance_norm", "group_norm", "layer_norm", "prelu"}


@dataclass(frozen=True)
class Source:
    """How an operation's result gets to the next one.

    Args:
        indices: as positions of maxima rather than as values.
        resampled: through another resolution, as by pooling.
    """

    indices: bool = False
    resampled: bool = False


@dataclass
class Operation:
    """One use of one module's weights; or a sum of maps, or the image.

    Args:
        owner: name of the module whose weights it uses; empty for sums and the image.
        kind: torch's name of the operation, as ``conv2d``.
        level: how many times the resolution is halved, of its input or its output, whichever is coarser.
        channels: of its output.
        dilation: of its kernel.
        sources: the operations whose results it takes.
        gate: whether its output goes through a sigmoid.
    """

    owner: str
    kind: str
    level: int
    channels: int
    dilation: int = 1
    sources: dict[int, Source] = field(default_factory=dict)
    gate: bool = False


@dataclass(frozen=True)
class DataFlow:
    """What :func:`trace` finds.

    Args:
        operations: in the order of computation; the first is the image.
        predictions: of each task, the operations that it is made of.
        trained_by: of each module with weights, the tasks whose losses have gradients there; none where it is frozen.
    """

    operations: list[Operation]
    predictions: dict[str, list[int]]
    trained_by: dict[str, frozenset[str]]


def trace(network: nn.Module, image: Tensor) -> DataFlow:
    """Run a network once and follow its tensors through every torch function, and its gradients back.

    Nothing is known of the network but that it maps an image to a dict of predictions. Built and run under
    ``torch.device("meta")``, it computes nothing and needs no memory.

    Args:
        network: any network of this package, or another with the same front; in eval mode while it runs.
        image: (B, C, *spatial), large enough for all of its levels.

    Returns:
        Its operations and how they are connected.
    """
    mode = _Follow(network, image)
    hooks = [
        module.register_forward_pre_hook(lambda _module, _args, name=name: mode.calls.update([name]))
        for name, module in network.named_modules()
    ]
    training = {module: module.training for module in network.modules()}
    try:
        with mode:
            predictions: Mapping[str, Tensor] = network.eval()(image)
    finally:
        for hook in hooks:
            hook.remove()
        for module, was in training.items():
            module.training = was
    made_of = {task: list(mode.sources_of([prediction])) for task, prediction in predictions.items()}
    return DataFlow(mode.operations, made_of, _trained_by(network, predictions))


class _Follow(TorchFunctionMode):
    """Keeps, for every tensor, the operations that it comes from, and the parameters that it is a view of."""

    def __init__(self, network: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()  # of each module so far
        self.operations = [Operation("", "image", 0, image.shape[1])]
        self._size = image.shape[2:]
        self._seen: dict[tuple[str, int], int] = {}
        self._sources: dict[int, dict[int, Source]] = {id(image): {0: Source()}}
        self._weights = {id(parameter): {name} for name, parameter in network.named_parameters()}
        self._alive: list[Tensor] = [image]  # so that no other tensor gets the same id

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the function, and note what its results are made of."""
        result = func(*args, **(kwargs or {}))
        inputs = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        outputs = [x for x in tree_leaves(result) if isinstance(x, Tensor)]
        name = getattr(func, "__name__", "")
        if not outputs or name.startswith("new_") or name.endswith("_like"):
            return result
        self._alive += outputs
        maps = [x for x in inputs if id(x) in self._sources]
        weights = {name for x in inputs for name in self._weights.get(id(x), ())}
        sources = self.sources_of(maps)
        if not sources:
            self._weights |= {id(output): weights for output in outputs if weights}
            return result
        if "sigmoid" in name:
            for source in sources:
                self.operations[source].gate = True
        if weights and name not in _NORMALIZATIONS:
            number = self._operate(name, min(weights), maps, outputs[0], _dilation(name, args, kwargs or {}))
            self._sources |= {id(output): {number: Source()} for output in outputs}
            return result
        if name in _SUMS and len({frozenset(self._sources[id(x)]) for x in maps}) > 1:
            self._sources[id(outputs[0])] = {len(self.operations): Source()}
            self.operations.append(Operation("", "sum", self._level(outputs[0]), outputs[0].shape[1], 1, sources))
            return result
        for output in outputs:
            resampled = output.shape[2:] != maps[0].shape[2:]
            self._sources[id(output)] = {
                source: Source(how.indices or not output.is_floating_point(), how.resampled or resampled)
                for source, how in sources.items()
            }
        return result

    def sources_of(self, tensors: Iterable[Tensor]) -> dict[int, Source]:
        """What tensors are made of; values count before indices, and the way at one resolution before others."""
        sources: dict[int, Source] = {}
        for tensor in tensors:
            for source, how in self._sources[id(tensor)].items():
                before = sources.get(source, Source(True, True))
                sources[source] = Source(before.indices and how.indices, before.resampled and how.resampled)
        return sources

    def _operate(self, name: str, weight: str, maps: list[Tensor], output: Tensor, dilation: int) -> int:
        """Note an operation; several functions with parts of one weight, in one call of its module, are one."""
        owner = weight.rpartition(".")[0]
        parts = owner.split(".")
        call = sum(self.calls[".".join(parts[:n])] for n in range(len(parts) + 1))
        number = self._seen.setdefault((owner, call), len(self.operations))
        sources = self.sources_of(maps)
        if number == len(self.operations):
            level = max(self._level(output), self._level(maps[0]) if "transpose" in name else 0)
            if output.ndim == 2:  # vectors are drawn where they are made
                level = max(self.operations[source].level for source in sources)
            self.operations.append(Operation(owner, name, level, output.shape[1], dilation))
        self.operations[number].sources |= {source: how for source, how in sources.items() if source != number}
        return number

    def _level(self, output: Tensor) -> int:
        ratio = math.prod(self._size) / max(1, math.prod(output.shape[2:]))
        return round(math.log2(ratio) / len(self._size)) if output.ndim > 2 else 0


def _dilation(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    if "conv" not in name:
        return 1
    place = 7 if "transpose" in name else 5  # among the arguments, in torch's order
    given = args[place] if len(args) > place else kwargs.get("dilation", 1)
    return given if isinstance(given, int) else max(given)


def _trained_by(network: nn.Module, predictions: Mapping[str, Tensor]) -> dict[str, frozenset[str]]:
    trained: dict[str, set[str]] = {name.rpartition(".")[0]: set() for name, _ in network.named_parameters()}
    learned = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    for task, prediction in predictions.items():
        if prediction.requires_grad:
            total = prediction.sum()
            gradients = torch.autograd.grad(total, list(learned.values()), retain_graph=True, allow_unused=True)
            for name, gradient in zip(learned, gradients, strict=True):
                if gradient is not None:
                    trained[name.rpartition(".")[0]].add(task)
    return {owner: frozenset(tasks) for owner, tasks in trained.items()}
