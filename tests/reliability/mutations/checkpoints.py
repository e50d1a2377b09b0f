"""Checkpoints that are of something else, or hold what no training should go on from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from numpy.random import Generator

from .any_file import Mutation

State = dict[str, Any]


def _pick(rng: Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _saved(change: Callable[[State, Generator], Any], **options: Any) -> Mutation:
    def mutate(path: Path, rng: Generator) -> None:
        torch.save(change(torch.load(path, weights_only=True), rng), path, **options)

    return mutate


def _of_network(change: Callable[[State, str, Generator], None]) -> Mutation:
    """Change the network's state at one of its tensors of weights."""

    def of_state(state: State, rng: Generator) -> State:
        network = state["network"]
        change(network, _pick(rng, *(name for name, value in network.items() if value.is_floating_point())), rng)
        return state

    return _saved(of_state)


def _not_finite(network: State, name: str, rng: Generator) -> None:
    network[name] = network[name].contiguous()
    network[name].view(-1)[0] = _pick(rng, torch.nan, torch.inf)


def _another_shape(network: State, name: str, rng: Generator) -> None:
    network[name] = _pick(
        rng, network[name][:1].repeat(7, *[1] * (network[name].ndim - 1)), network[name][None], torch.zeros(())
    )


def _another_type(network: State, name: str, rng: Generator) -> None:
    network[name] = network[name].to(_pick(rng, torch.float64, torch.float16, torch.int64, torch.complex64, torch.bool))


def _no_tensor(network: State, name: str, rng: Generator) -> None:
    network[name] = _pick(rng, None, 3.0, "weights", [1, 2])


def _without(network: State, name: str, rng: Generator) -> None:
    del network[name]


def _more(network: State, name: str, rng: Generator) -> None:
    network[f"more.{name}"] = torch.zeros(2)


def _prefixed(state: State, rng: Generator) -> State:
    prefix = _pick(rng, "module.", "_orig_mod.", "network.", "module._orig_mod.")
    return state | {"network": {prefix + name: value for name, value in state["network"].items()}}


def _other_things(state: State, rng: Generator) -> Any:
    weights = next(iter(state["network"].values()))
    return _pick(
        rng,
        [],
        {},
        None,
        3,
        weights,
        {"network": None},
        {"network": {}},
        {"net": state["network"]},
        [state],
        {"network": [1]},
        {1: 2},
    )


def _bare(state: State, rng: Generator) -> Any:
    return state["network"]


def _with_code(state: State, rng: Generator) -> Any:
    return state | {"network": _pick(rng, Path("x"), torch.nn.Conv2d(1, 1, 1), {"a": print})}


CHECKPOINTS: dict[str, Mutation] = {
    "weights not finite": _of_network(_not_finite),
    "another shape": _of_network(_another_shape),
    "another type": _of_network(_another_type),
    "no tensor": _of_network(_no_tensor),
    "tensor left out": _of_network(_without),
    "one more tensor": _of_network(_more),
    "names with prefixes": _saved(_prefixed),
    "other things": _saved(_other_things),
    "state dict alone": _saved(_bare),
    "code": _saved(_with_code),
    "older kind of file": _saved(lambda state, rng: state, _use_new_zipfile_serialization=False),
}
