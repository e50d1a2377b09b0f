"""One network after another, as a denoiser and then a segmenter."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .multi_task_network import MultiTaskNetwork

TRAINING_MODES = ("joint", "detached", "frozen")


class NetworkChain(MultiTaskNetwork):
    """Networks in sequence: a prediction of each is the image of the next (UMC paper, Section 4.1, "D+S").

    It compiles to TorchScript if its networks do. A compiled chain no longer holds frozen networks in eval mode,
    so compile it for inference.

    Args:
        networks: two networks or more with the package's front, as of `MultiTaskNetwork`.
        via: the task whose prediction is the next network's image: one for all links, or one per link.
        training_mode: what the losses of a later network do to the earlier ones.

            - ``"joint"``: they train them too (Table 1, "JT D+S").
            - ``"detached"``: nothing; all networks train at the same time, each on its own losses.
            - ``"frozen"``: nothing, and all networks but the last are fixed: in eval mode even after ``.train()``,
              without gradients. For networks that were trained before (Table 1, "D+S").

    Attributes:
        out_channels: number of channels of the dense tasks of all networks, in their order.
        out_features: length of the vector tasks of all networks, in their order.

    Raises:
        ValueError: When the networks do not fit each other, or predict a task of the same name.

    Example:
        >>> denoiser = UMC(spatial_dims=2, in_channels=3, out_channels={"denoise": 3})
        >>> segmenter = UMC(spatial_dims=2, in_channels=3, out_channels={"segment": 19})
        >>> network = NetworkChain([denoiser, segmenter], via="denoise", training_mode="frozen")
        >>> list(network(torch.rand(1, 3, 64, 64)))
        ['denoise', 'segment']

    """

    via: list[str]  # TorchScript cannot tell of an empty list

    def __init__(self, networks: Sequence[nn.Module], via: str | Sequence[str], training_mode: str = "joint") -> None:
        if training_mode not in TRAINING_MODES:
            raise ValueError(f"training_mode must be one of {TRAINING_MODES}, got {training_mode!r}.")
        if len(networks) < 2:
            raise ValueError(f"networks must be two at least, got {len(networks)}.")
        links = len(networks) - 1
        tasks = [via] * links if isinstance(via, str) else list(via)
        if len(tasks) != links:
            raise ValueError(f"via must name one task, or one for each of the {links} links, got {tasks}.")
        fronts: list[Any] = list(networks)
        for network, task, following in zip(fronts[:-1], tasks, fronts[1:], strict=True):
            _check_link(network, task, following)
        _check_distinct_tasks(fronts)
        super().__init__(
            fronts[0].spatial_dims,
            fronts[0].in_channels,
            {task: channels for network in fronts for task, channels in network.out_channels.items()},
            {task: length for network in fronts for task, length in network.out_features.items()},
        )
        self.via = tasks
        self.training_mode = training_mode
        self.networks = nn.ModuleList(networks)
        self.tasks = [*self.out_channels, *self.out_features]
        self.frozen = links if training_mode == "frozen" else 0
        self.networks[: self.frozen].requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "NetworkChain":
        """Set training mode, of the last network only if the others are frozen."""
        super().train(mode)
        self.networks[: self.frozen].eval()
        return self

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Run all networks.

        Args:
            x: the image, (B, in_channels, *spatial).

        Returns:
            The predictions of all networks, in their order.

        """
        predictions: dict[str, Tensor] = {}
        links = len(self.via)
        for i, network in enumerate(self.networks):
            if i < self.frozen:
                with torch.no_grad():
                    own = network(x)
            else:
                own = network(x)
            for task, prediction in own.items():
                if task in self.tasks:
                    predictions[task] = prediction
            if i < links:
                x = own[self.via[i]]
                if self.training_mode == "detached":
                    x = x.detach()
        return predictions

    def _keep(self, tasks: list[str]) -> None:
        fronts: list[Any] = list(self.networks)
        wanted = [[task for task in tasks if task in {**n.out_channels, **n.out_features}] for n in fronts]
        last = max(i for i, own in enumerate(wanted) if own)
        self.networks, self.via, self.tasks = self.networks[: last + 1], self.via[:last], tasks
        for i, network in enumerate(self.networks):
            if isinstance(network, MultiTaskNetwork):
                network.keep_only([*wanted[i], *self.via[i : i + 1]])


def _check_link(network: Any, task: str, following: Any) -> None:
    if task not in network.out_channels:
        raise ValueError(
            f"via names the task {task!r}, but {type(network).__name__} predicts {list(network.out_channels)}: "
            "name one of these."
        )
    given = (network.spatial_dims, network.out_channels[task])
    expected = (following.spatial_dims, following.in_channels)
    if given != expected:
        raise ValueError(
            f"{type(network).__name__} predicts {task!r} as a {given[0]}D map with {given[1]} channels, but the next "
            f"network, {type(following).__name__}, was built for {expected[0]}D images with {expected[1]} channels."
        )


def _check_distinct_tasks(networks: Sequence[Any]) -> None:
    tasks = [task for n in networks for task in (*n.out_channels, *n.out_features)]
    repeated = sorted({task for task in tasks if tasks.count(task) > 1})
    if repeated:
        raise ValueError(f"more than one network predicts {repeated}: rename all of them but one.")
