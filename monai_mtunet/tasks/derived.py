"""What is made from other tasks' predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, MutableMapping, Sequence

import torch
from torch import Tensor, nn

from .task import Task


class DerivedTask(Task):
    """A task without a head and without a loss: its prediction is made from those of other tasks.

    It is declared in the same list, after the tasks that it is made from. Metrics, targets, files and pictures are as
    of any task; `monai_mtunet.out_channels` and `monai_mtunet.task_losses` leave it out.

    Args:
        name: the task's name.
        sources: the tasks that it is made from.
        channels: of its prediction.

    Raises:
        TypeError: When a source is no task, but perhaps a task's name.
        ValueError: When a source is derived itself.
    """

    def __init__(self, name: str, sources: Sequence[Task], channels: int = 1) -> None:
        super().__init__(name, channels)
        for source in sources:
            if not isinstance(source, Task):
                raise TypeError(
                    f"Task {name!r} is made from other tasks, got {source!r}: give the task itself, in a bundle "
                    '"@tasks#0" for the first.'
                )
            if source.sources:
                raise ValueError(f"Task {name!r} cannot be made from {source.name!r}, which is derived itself.")
        self.sources = tuple(sources)

    @abstractmethod
    def derive(self, predictions: Mapping[str, Tensor]) -> Tensor:
        """Make the prediction of one sample.

        Args:
            predictions: raw predictions of at least the sources, ``{task name: (C, *spatial)}``.
        """

    def prediction_among(self, predictions: MutableMapping[str, Tensor]) -> Tensor:
        """See :meth:`Task.prediction_among`: made when it is first asked for, and kept there for metrics and panels."""
        if self.name not in predictions:
            missing = [source.name for source in self.sources if source.name not in predictions]
            if missing:
                raise ValueError(
                    f"Task {self.name!r} is made from {[source.name for source in self.sources]}, but there is no "
                    f"prediction of {missing}, only of {list(predictions)}."
                )
            batch = len(predictions[self.sources[0].name])
            samples = [{source.name: predictions[source.name][i] for source in self.sources} for i in range(batch)]
            predictions[self.name] = torch.stack([self.derive(sample) for sample in samples])
        return predictions[self.name]

    def default_loss(self) -> nn.Module:
        """There is none.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"Task {self.name!r} is derived from others: it has no loss.")
