"""What is made from other tasks' predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from .task import Task


class DerivedTask(Task):
    """A task without a head and without a loss: its prediction is derived from those of other tasks.

    It is declared in the same list and names the tasks that it is made from. :class:`TaskList` connects it with them,
    and derives it once per batch (`TaskList.with_derived`). Metrics, targets, files and pictures are as of any task.

    Args:
        name: the task's name.
        sources: names of the tasks that it is made from.
        channels: of its prediction.
    """

    def __init__(self, name: str, sources: Sequence[str], channels: int = 1) -> None:
        super().__init__(name, channels)
        for source in sources:
            if not isinstance(source, str):
                raise TypeError(f"Task {name!r} is made from other tasks: give their names, got {source!r}.")
        self.sources = tuple(sources)

    def connect(self, tasks: Mapping[str, Task]) -> None:
        """Take up the tasks that it is made from. A kind that needs to know them extends this.

        Args:
            tasks: the tasks of a list by name.

        Raises:
            ValueError: When a source is not among them, or derived itself.
        """
        absent = [source for source in self.sources if source not in tasks]
        if absent:
            raise ValueError(
                f"Task {self.name!r} is made from {absent}, which are not among {list(tasks)}: take them as well, or "
                "leave it out."
            )
        for source in self.sources:
            if isinstance(tasks[source], DerivedTask):
                raise ValueError(f"Task {self.name!r} cannot be made from {source!r}, which is derived itself.")

    def samples_of(self, predictions: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        """The sources' predictions, sample by sample.

        Args:
            predictions: ``{task name: prediction (B, C, *spatial)}``, at least of the sources.

        Raises:
            ValueError: When a source has no prediction.
        """
        missing = [source for source in self.sources if source not in predictions]
        if missing:
            raise ValueError(
                f"Task {self.name!r} is made from {list(self.sources)}, but there is no prediction of {missing}, only "
                f"of {list(predictions)}."
            )
        for index in range(len(predictions[self.sources[0]])):
            yield {source: predictions[source][index] for source in self.sources}

    @abstractmethod
    def derive(self, predictions: Mapping[str, Tensor]) -> Tensor:
        """Make the prediction of one sample.

        Args:
            predictions: raw predictions of at least the sources, ``{task name: (C, *spatial)}``.
        """

    def default_loss(self) -> nn.Module:
        """There is none.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"Task {self.name!r} is derived from others: it has no loss.")
