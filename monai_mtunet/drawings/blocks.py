"""The operations of a network, gathered to the blocks that a drawing shows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import networkx as nx

from .data_flow import DataFlow, Operation, Source
from .diagram import Block, Connection, Diagram


def gather(flow: DataFlow) -> Diagram:
    """Blocks and their connections.

    Two operations become one block when one takes the other's result at the same resolution, both belong to the same
    task and are trained by the same ones, and no way between them goes through another block.

    Args:
        flow: what :func:`~monai_mtunet.drawings.trace` found.
    """
    tasks = tuple(flow.predictions)
    graph = _graph(flow)
    blocks = _blocks_of_operations(flow, graph, tasks)
    links = {(s, t): how for t, o in enumerate(flow.operations) for s, how in o.sources.items()}
    group = _merge_alike(blocks, graph, links)
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
    drawn = nx.DiGraph(list(arrows))
    _set_columns(diagram.blocks, drawn)
    for arrow, indices in arrows.items():
        diagram.connections.append(Connection(*arrow, _style(arrow, indices, diagram.blocks, drawn)))
    return diagram


def _graph(flow: DataFlow) -> nx.DiGraph:
    """From each operation to those that take its result."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(flow.operations)))
    graph.add_edges_from((source, taker) for taker, o in enumerate(flow.operations) for source in o.sources)
    return graph


def _merge_alike(blocks: list[Block], graph: nx.DiGraph, links: Mapping[tuple[int, int], Source]) -> list[int]:
    """Merge blocks of one operation each, and their nodes; of every operation, the number of its block."""
    group = list(range(len(blocks)))
    for (source, target), how in sorted(links.items(), key=lambda item: item[0][1]):
        one, other = group[source], group[target]
        if one == other or how.resampled or how.indices or _kind_of(blocks[one]) != _kind_of(blocks[other]):
            continue
        if not _between(graph, one, other):
            group = [one if number == other else number for number in group]
            nx.contracted_nodes(graph, one, other, self_loops=False, copy=False)
            _merge(blocks[one], blocks[other])
    return group


def _blocks_of_operations(flow: DataFlow, graph: nx.DiGraph, tasks: tuple[str, ...]) -> list[Block]:
    heads = {source for sources in flow.predictions.values() for source in sources}
    used_for = _used_for(flow, graph)
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
        if block.kind == "convolution" and block.owner and _is_gate(flow, graph, blocks, number):
            block.kind = "gate"
    for number in reversed(range(len(blocks))):
        if flow.operations[number].kind == "sum":
            _give_away(number, blocks, graph)
    return blocks


def _give_away(number: int, blocks: list[Block], graph: nx.DiGraph) -> None:
    """A sum belongs to what takes it, or else to what gives it."""
    block = blocks[number]
    made_of = [i for i in graph.predecessors(number) if blocks[i].level == block.level]
    near = [i for i in graph.successors(number) if blocks[i].kind != "head" and blocks[i].level == block.level]
    like = blocks[min(near) if near else max(made_of, default=number)]
    block.owner, block.lane, block.dilation = like.owner, like.lane, like.dilation
    block.trained_by, block.kind = like.trained_by, like.kind
    block.sums = True


def _operation_kind(operation: Operation, head: bool) -> str:
    if operation.kind == "image" or head:
        return "head" if head else "image"
    return "convolution" if "conv" in operation.kind or operation.kind in ("linear", "sum") else "mixture"


def _is_gate(flow: DataFlow, graph: nx.DiGraph, blocks: list[Block], number: int) -> bool:
    """Whether an operation's result only goes, at last, through sigmoids, for one task and at one resolution."""
    takers = list(graph.successors(number))
    return flow.operations[number].gate or (
        bool(takers)
        and all(
            blocks[i].owner == blocks[number].owner
            and not flow.operations[i].sources[number].resampled
            and _is_gate(flow, graph, blocks, i)
            for i in takers
        )
    )


def _used_for(flow: DataFlow, graph: nx.DiGraph) -> list[list[str]]:
    """The predictions that are made of each operation's result."""
    used: list[list[str]] = [[] for _ in flow.operations]
    for task, sources in flow.predictions.items():
        for number in set(sources).union(*(nx.ancestors(graph, source) for source in sources)):
            used[number].append(task)
    return used


def _kind_of(block: Block) -> tuple[object, ...]:
    return (block.level, block.dilation, block.kind, block.owner, block.lane, block.trained_by)


def _merge(block: Block, later: Block) -> None:
    block.operations += later.operations
    block.modules += later.modules
    block.channels = later.channels
    block.sums |= later.sums


def _between(graph: nx.DiGraph, source: int, target: int) -> set[int]:
    """What lies on a way from one node to another."""
    return set(nx.descendants(graph, source) & nx.ancestors(graph, target))


def _set_columns(blocks: list[Block], graph: nx.DiGraph) -> None:
    """Each block as far left as what it takes allows; then some as far right as what takes them allows."""
    generations = list(nx.topological_generations(graph))
    for column, generation in enumerate(generations):
        for number in generation:
            blocks[number].column = column
    for number in itertools.chain(*reversed(generations)):
        block = blocks[number]
        latest = min((blocks[taker].column - 1 for taker in graph.successors(number)), default=len(generations) - 1)
        # What tasks share, to where it is needed first, and the predictions, to the end.
        if block.kind == "prediction" or (block.lane is None and block.kind != "image"):
            block.column = latest


def _style(arrow: tuple[int, int], indices: bool, blocks: list[Block], graph: nx.DiGraph) -> str:
    source, target = blocks[arrow[0]], blocks[arrow[1]]
    if indices:
        return "indices"
    if source.lane and target.lane and source.lane != target.lane:
        return "cross-talk"
    scales = {(source.level, source.dilation), (target.level, target.dilation)}
    between = (blocks[number] for number in _between(graph, *arrow))
    return "skip" if any((block.level, block.dilation) not in scales for block in between) else "flow"
