"""The operations of a network, gathered to the blocks that a drawing shows."""

from __future__ import annotations

from collections.abc import Iterable

from .data_flow import DataFlow, Operation
from .diagram import Block, Connection, Diagram


def gather(flow: DataFlow) -> Diagram:
    """Blocks and their connections.

    Two operations become one block when one takes the other's result at the same resolution, both belong to the same
    task and are trained by the same ones, and no way between them goes through another block.

    Args:
        flow: what :func:`~monai_mtunet.drawings.trace` found.
    """
    tasks = tuple(flow.predictions)
    blocks = _blocks_of_operations(flow, tasks)
    group = list(range(len(blocks)))
    links = {(s, t): how for t, o in enumerate(flow.operations) for s, how in o.sources.items()}
    for (source, target), how in sorted(links.items(), key=lambda item: item[0][1]):
        one, other = group[source], group[target]
        if one == other or how.resampled or how.indices or _kind_of(blocks[one]) != _kind_of(blocks[other]):
            continue
        merged = [one if number == other else number for number in group]
        if not _has_cycle(_between(merged, links)):
            group = merged
            _merge(blocks[one], blocks[other])
    kept = sorted(set(group), key=lambda number: max(blocks[number].operations))
    number_of = {old: new for new, old in enumerate(kept)}
    diagram = Diagram(tasks, [blocks[old] for old in kept], [])
    arrows: dict[tuple[int, int], bool] = {}  # whether all are indices
    for (source, target), how in links.items():
        arrow = (number_of[group[source]], number_of[group[target]])
        if arrow[0] != arrow[1]:
            arrows[arrow] = arrows.get(arrow, True) and how.indices
    for task, sources in flow.predictions.items():
        last = flow.operations[sources[-1]]
        level = last.level if last.kind == "linear" else 0  # a vector has no resolution
        diagram.blocks.append(Block([], [], level, last.channels, 1, "prediction", task, task, (task,)))
        arrows |= {(number_of[group[source]], len(diagram.blocks) - 1): False for source in sources}
    _set_columns(diagram.blocks, arrows)
    ways = _ways(len(diagram.blocks), arrows)
    for arrow, indices in arrows.items():
        diagram.connections.append(Connection(*arrow, _style(arrow, indices, diagram.blocks, ways)))
    return diagram


def _blocks_of_operations(flow: DataFlow, tasks: tuple[str, ...]) -> list[Block]:
    heads = {source for sources in flow.predictions.values() for source in sources}
    used_for = _used_for(flow)
    blocks: list[Block] = []
    for number, operation in enumerate(flow.operations):
        trained_by = tuple(task for task in tasks if task in flow.trained_by.get(operation.owner, ()))
        named = [part for part in operation.owner.split(".") if part in tasks]
        owner = named[0] if named else trained_by[0] if len(trained_by) == 1 < len(tasks) else None
        used = used_for[number]
        lane = owner or (used[0] if len(used) == 1 < len(tasks) and operation.kind != "image" else None)
        blocks.append(
            Block(
                [number],
                [operation.owner] if operation.owner else [],
                operation.level,
                operation.channels,
                operation.dilation,
                _operation_kind(operation, number in heads),
                owner,
                lane,
                trained_by,
            )
        )
    for number, block in enumerate(blocks):
        if block.kind == "convolution" and block.owner and _is_gate(flow, blocks, number):
            block.kind = "gate"
    for number in reversed(range(len(blocks))):  # a sum belongs to what takes it, or else to what gives it
        if flow.operations[number].kind == "sum":
            takers = [i for i, operation in enumerate(flow.operations) if number in operation.sources]
            made_of = [i for i in flow.operations[number].sources if blocks[i].level == blocks[number].level]
            near = [i for i in takers if blocks[i].kind != "head" and blocks[i].level == blocks[number].level]
            like = blocks[min(near) if near else max(made_of, default=number)]
            blocks[number].owner, blocks[number].lane, blocks[number].dilation = like.owner, like.lane, like.dilation
            blocks[number].trained_by, blocks[number].kind = like.trained_by, like.kind
            blocks[number].sums = True
    return blocks


def _operation_kind(operation: Operation, head: bool) -> str:
    if operation.kind == "image" or head:
        return "head" if head else "image"
    return "convolution" if "conv" in operation.kind or operation.kind in ("linear", "sum") else "mixture"


def _is_gate(flow: DataFlow, blocks: list[Block], number: int) -> bool:
    """Whether an operation's result only goes, at last, through sigmoids, for one task and at one resolution."""
    takers = [(i, operation) for i, operation in enumerate(flow.operations) if number in operation.sources]
    return flow.operations[number].gate or (
        bool(takers)
        and all(
            blocks[i].owner == blocks[number].owner
            and not operation.sources[number].resampled
            and _is_gate(flow, blocks, i)
            for i, operation in takers
        )
    )


def _used_for(flow: DataFlow) -> list[list[str]]:
    """The predictions that are made of each operation's result."""
    used: list[list[str]] = [[] for _ in flow.operations]
    for task, sources in flow.predictions.items():
        waiting = list(sources)
        while waiting:
            number = waiting.pop()
            if task not in used[number]:
                used[number].append(task)
                waiting += flow.operations[number].sources
    return used


def _kind_of(block: Block) -> tuple[object, ...]:
    return (block.level, block.dilation, block.kind, block.owner, block.lane, block.trained_by)


def _merge(block: Block, later: Block) -> None:
    block.operations += later.operations
    block.modules += later.modules
    block.channels = later.channels
    block.sums |= later.sums


def _between(group: list[int], links: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    return {(group[s], group[t]) for s, t in links if group[s] != group[t]}


def _has_cycle(links: set[tuple[int, int]]) -> bool:
    remaining = set(links)
    while remaining:
        targets = {t for _, t in remaining}
        kept = {(s, t) for s, t in remaining if s in targets}
        if len(kept) == len(remaining):
            return True
        remaining = kept
    return False


def _set_columns(blocks: list[Block], arrows: Iterable[tuple[int, int]]) -> None:
    moved = True
    while moved:
        moved = False
        for source, target in arrows:
            if blocks[target].column <= blocks[source].column:
                blocks[target].column = blocks[source].column + 1
                moved = True
    last = max(block.column for block in blocks)
    moved = True
    while moved:  # then what tasks share, to where it is needed first, and the predictions, to the end
        moved = False
        for number, block in enumerate(blocks):
            latest = min((blocks[target].column - 1 for source, target in arrows if source == number), default=last)
            movable = block.kind == "prediction" or (block.lane is None and block.kind != "image")
            if movable and block.column < latest:
                block.column = latest
                moved = True


def _ways(count: int, arrows: Iterable[tuple[int, int]]) -> list[set[int]]:
    """The blocks that each block's result reaches."""
    reached: list[set[int]] = [set() for _ in range(count)]
    moved = True
    while moved:
        moved = False
        for source, target in arrows:
            more = {target} | reached[target]
            if not more <= reached[source]:
                reached[source] |= more
                moved = True
    return reached


def _style(arrow: tuple[int, int], indices: bool, blocks: list[Block], ways: list[set[int]]) -> str:
    source, target = blocks[arrow[0]], blocks[arrow[1]]
    if indices:
        return "indices"
    if source.lane and target.lane and source.lane != target.lane:
        return "cross-talk"
    scales = {(source.level, source.dilation), (target.level, target.dilation)}
    between = [blocks[b] for b in ways[arrow[0]] if arrow[1] in ways[b]]
    return "skip" if any((block.level, block.dilation) not in scales for block in between) else "flow"
