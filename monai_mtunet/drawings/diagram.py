"""What a drawing of a network shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Block:
    """Operations one after another at one resolution, for the same tasks.

    Args:
        operations: their numbers in the data flow.
        modules: names of the modules whose weights they use.
        level: how many times the resolution is halved.
        channels: of the last one's output.
        dilation: of their kernels.
        kind: "image", "convolution", "gate" (its output goes through a sigmoid), "head" (gives a prediction),
            "mixture" (a weighted sum of maps) or "prediction".
        owner: the task that it belongs to: the one that its modules are named for, or the only one whose loss trains
            them; None for what tasks share.
        lane: the task that it is drawn with: its owner, or the only one whose prediction is made of its output.
        trained_by: the tasks whose losses train its modules, in the order of the predictions.
        sums: whether it adds maps that it takes, or its own to one of them.
        column: its place in the order of computation; what takes its result has a higher one.
    """

    operations: list[int]
    modules: list[str]
    level: int
    channels: int
    dilation: int
    kind: str
    owner: str | None
    lane: str | None
    trained_by: tuple[str, ...]
    sums: bool = False
    column: int = 0


@dataclass(frozen=True)
class Connection:
    """An arrow from one block to another.

    Args:
        source: number of the block.
        target: number of the block.
        style: "flow"; "skip", when there is a way through other resolutions or dilations as well; "indices" of maxima
            only; "cross-talk", from one task's block to another's.
    """

    source: int
    target: int
    style: str


@dataclass(frozen=True)
class Diagram:
    """What a drawing shows; blocks are in the order of computation, the predictions last."""

    tasks: tuple[str, ...]
    blocks: list[Block]
    connections: list[Connection]

    def modules(self, owner: str | None) -> set[str]:
        """Names of the modules that belong to a task, or, for None, that tasks share."""
        drawn = [b for b in self.blocks if b.modules]
        return {module for block in drawn if block.owner == owner for module in block.modules}
