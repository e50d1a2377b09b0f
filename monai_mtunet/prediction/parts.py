"""What a prediction is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from monai.inferers import Inferer
from monai.transforms import Compose
from torch import Tensor

from ..inferers import MultiTaskSlidingWindowInferer
from ..tasks import Task, TaskList

__all__ = ["PredictionParts"]


@dataclass(frozen=True)
class PredictionParts:
    """A network and what stands around it. It pickles, so that workers are sent it.

    Args:
        network: (B, C, *window) -> ``{task name: prediction}`` of ``tasks``.
        tasks: what is predicted, with what derived ones among them are made from.
        saved: those of the tasks whose predictions are saved.
        preprocessing: from ``{"image": files}`` to what the network takes.
        inferer: how the network is applied.
        device: where the network is.
        identity: what predictions depend on, JSON values: only with the same an interrupted prediction goes on.
        network_bytes: what the network computes takes of this process's memory, in bytes, at its peak.
    """

    network: Callable[..., dict[str, Tensor]]
    tasks: TaskList
    saved: tuple[Task, ...]
    preprocessing: Compose
    inferer: Inferer
    device: torch.device
    identity: Mapping[str, Any] = field(default_factory=dict)
    network_bytes: float = 0

    @property
    def saved_names(self) -> list[str]:
        """Of the tasks that are saved."""
        return [task.name for task in self.saved]

    @property
    def windows(self) -> MultiTaskSlidingWindowInferer | None:
        """The sliding windows, in the inferer or in what it applies to copies of the image; None without any."""
        return self.windows_of(self.inferer)

    @staticmethod
    def windows_of(inferer: Inferer) -> MultiTaskSlidingWindowInferer | None:
        """Those of an inferer."""
        while not isinstance(inferer, MultiTaskSlidingWindowInferer):
            if not hasattr(inferer, "inferer"):
                return None
            inferer = inferer.inferer
        return inferer
