"""One training step of one or several networks on a fixed batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Setting:
    """Sizes of a comparison."""

    name: str
    image: tuple[int, ...]  # (B, C, *spatial)
    features: tuple[int, ...]
    out_channels: Mapping[str, int]

    @property
    def spatial_dims(self) -> int:
        """2 or 3."""
        return len(self.image) - 2

    @property
    def in_channels(self) -> int:
        """Channels of the image."""
        return self.image[1]


FULL = (
    Setting("2D", (1, 3, 256, 256), (32, 64, 128, 256, 512), {"denoise": 3, "segment": 19}),
    Setting("3D", (2, 1, 48, 48, 48), (16, 32, 64, 128, 256), {"denoise": 1, "segment": 3}),
)
QUICK = (
    Setting("2D", (2, 3, 32, 32), (4, 4, 8, 8, 8), {"denoise": 3, "segment": 19}),
    Setting("3D", (2, 1, 16, 16, 16), (4, 4, 8, 8, 8), {"denoise": 1, "segment": 3}),
)

Build = Callable[[Setting], list[nn.Module]]


class TrainingStep:
    """Forward, backward and Adam, with the mean square of the outputs as the loss, which costs next to nothing.

    Args:
        networks: trained one after another, so that one graph is alive at a time.
        image: the batch, (B, C, *spatial).
        together: train them at once instead, with one sum of all losses, so that all graphs are alive.
    """

    def __init__(self, networks: Sequence[nn.Module], image: Tensor, together: bool = False) -> None:
        self.groups = [list(networks)] if together else [[network] for network in networks]
        self.image = image
        self.optimizers = [torch.optim.Adam([p for net in group for p in net.parameters()]) for group in self.groups]

    def __call__(self) -> None:
        """Take one step."""
        for group, optimizer in zip(self.groups, self.optimizers, strict=True):
            optimizer.zero_grad()
            sum(_loss(network(self.image)) for network in group).backward()
            optimizer.step()


def _loss(output: Tensor | dict[str, Tensor]) -> Tensor:
    predictions = output.values() if isinstance(output, dict) else [output]
    return sum(prediction.square().mean() for prediction in predictions)


def build_step(build: Build, setting: Setting, together: bool = False) -> TrainingStep:
    """The training step of new networks on a random image."""
    torch.manual_seed(0)
    return TrainingStep(build(setting), torch.rand(setting.image), together)


def train_twice(build: Build, setting: Setting, together: bool = False) -> None:
    """Two steps in a single thread, the second with Adam's state: to measure the peak of memory."""
    torch.set_num_threads(1)
    step = build_step(build, setting, together)
    step()
    step()
