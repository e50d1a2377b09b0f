"""A look at what normalization layers see, at the first step of a training."""

from __future__ import annotations

from typing import Any

from ignite.engine import Events
from monai.engines import Workflow
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.utils.data import DataLoader
from torch.utils.hooks import RemovableHandle


class NormalizationCheck:
    """Refuses maps of 1 x 1 that a normalization layer cannot normalize, with the remedy, at the first step.

    Batch normalization needs more than one value per channel, from all images of a batch together; instance
    normalization needs them from each image. Deep networks pool small images to 1 x 1. The smallest batch of an epoch
    counts, which mostly is the last one: torch would fail there, after all others.

    Args:
        network: the trained network.
        data_loader: the training data.

    Raises:
        ValueError: In the first training pass; it names the layer, the batch and the remedy.
    """

    def __init__(self, network: nn.Module, data_loader: DataLoader[Any]) -> None:
        self.network = network
        self.data_loader = data_loader
        self._handles: list[RemovableHandle] = []

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.STARTED, self._watch)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._unwatch)

    def _watch(self) -> None:
        for name, module in self.network.named_modules():
            if isinstance(module, _BatchNorm | _InstanceNorm):
                hook = _Refusing(name, *_first_and_smallest(self.data_loader))
                self._handles.append(module.register_forward_pre_hook(hook))

    def _unwatch(self) -> None:
        while self._handles:
            self._handles.pop().remove()


class _Refusing:
    """A hook that raises before a layer would.

    Args:
        name: of the layer.
        first: samples in the first batch.
        smallest: samples in the smallest batch.
    """

    def __init__(self, name: str, first: int, smallest: int) -> None:
        self.name, self.first, self.smallest = name, first, smallest

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0]
        if not module.training or values[0, 0].numel() > 1:
            return
        size = " x ".join(map(str, values.shape[2:]))
        remedy = "larger images or patches (patch_size, roi_size), or fewer levels of the network"
        if isinstance(module, _InstanceNorm):
            raise ValueError(
                f"Instance normalization ({self.name}) needs more than one value per channel and image, but what "
                f"reaches it is {size}: take {remedy}, or batch normalization."
            )
        images = len(values) * self.smallest // self.first  # a sample may be cut into several images
        if images <= 1:
            raise ValueError(
                f"Batch normalization ({self.name}) needs more than one value per channel, but what reaches it is "
                f"{size}, and {self._batch()} one image: take a larger batch_size{self._or_drop()}, {remedy}."
            )

    def _batch(self) -> str:
        return "the batch has" if self.smallest == self.first else "the last batch of an epoch has only"

    def _or_drop(self) -> str:
        return "" if self.smallest == self.first else " (or --train#dataloader#drop_last true)"


def _first_and_smallest(data_loader: DataLoader[Any]) -> tuple[int, int]:
    """How many samples the first batch has, and the smallest one of an epoch; 1, 1 where the loader does not tell."""
    size = data_loader.batch_size
    if size is None:
        return 1, 1
    samples = len(data_loader.sampler)  # type: ignore[arg-type]
    first = min(size, samples)
    return first, first if data_loader.drop_last else (samples % size or first)
