"""Overlays, in JSON and YAML, whose items are mistyped or hold what no item can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.random import Generator

from .any_file import Mutation

Overlay = dict[str, Any]


def _pick(rng: Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _saved(change: Callable[[Overlay, Generator], Any]) -> Mutation:
    """JSON is YAML as well."""

    def mutate(path: Path, rng: Generator) -> None:
        path.write_text(json.dumps(change(json.loads(path.read_text()), rng)))

    return mutate


_NO_NUMBERS = ("many", None, [], {}, [1, [2]], True)
_ITEMS: dict[str, tuple[Any, ...]] = {
    "features": ("wide", None, [], [0, 4], [-4, 4], ["a", 4], 4, [4.5, 4], {}),
    "max_epochs": (0, -1, 1.5, *_NO_NUMBERS[:4]),
    "batch_size": (0, -2, 1.5, *_NO_NUMBERS[:4]),
    "num_workers": (-1, 0.5, *_NO_NUMBERS[:4]),
    "cache_rate": (-1, "all", [], {}),
    "learning_rate": (-1, "high", [], {}, "$float('nan')"),
    "seed": (-1, "a", [], 2**70),
    "noise_sigma": (-1, "strong", [1, 2, 3], {}),
    "mean": ([1.0], "bright", [], [1.0, 2.0, 3.0, 4.0], ["a", "b", "c"]),
    "std": ([0.0, 0.0, 0.0], [0.0], "wide", [], [-1.0, 1.0, 1.0]),
    "spatial_dims": (1, 4, 0, "2D", 2.5, []),
    "image_channels": (0, -1, 2, "rgb", []),
    "val_interval": (0, -1, "each", []),
    "key_metric_name": ("segment_iou", "", 3, [], {}),
    "only": ("depth", 3, ["segment", "segment"], {}),
    "weights": ({"depth": 1}, {"segment": -1}, {"segment": "a"}, 3, ["segment"]),
    "tasks#1#classes": ([], "ab", 3, ["a"], ["a", "a", "b"], [1, 2, 3], {}),
    "tasks#1#palette": ("red", [[0, 0, 0]], [[0, 0], [1, 1], [2, 2]], [[0, 0, 300]] * 3, 3),
    "tasks#1#name": ("", "denoise", "a/b", "a b", 3, "image"),
    "device": ("cpu", "gpu", 7, "cuda:99"),
    "output_dir": ("", 3, "/dev/null/out", "/proc/out", []),
    "train_data": (3, {}, "list.json", [[]], ["a.png"], None, [{}]),
    "load": ([], {}, "LoadSampled", [3], None, [{"_target_": "LoadSampled"}], [{"tasks": "@active_tasks"}]),
    "augment": (None, "RandFlipd", [{"_target_": "RandFlipd"}], [3]),
}


def _wrong_value(overlay: Overlay, rng: Generator) -> Overlay:
    item = _pick(rng, *_ITEMS)
    return overlay | {item: _pick(rng, *_ITEMS[item])}


def _mistyped_item(overlay: Overlay, rng: Generator) -> Overlay:
    item = _pick(rng, "features", "max_epochs", "batch_size", "train_data", "output_dir", "load")
    value = overlay.pop(item)
    return overlay | {_pick(rng, item[:-1], item.upper(), item.replace("_", ""), f"{item}s", f"{item} "): value}


def _mistyped_class(overlay: Overlay, rng: Generator) -> Overlay:
    target = _pick(
        rng, "LoadSample", "LoadSamplde", "monai_mtunet.LoadSampled", "no.such.Thing", "", 3, None, "os.system"
    )
    return overlay | {"load": [{"_target_": target, "tasks": "@active_tasks"}]}


def _mistyped_argument(overlay: Overlay, rng: Generator) -> Overlay:
    name = _pick(rng, "task", "keys_", "readers", "optional_file")
    return overlay | {"load": [{"_target_": "LoadSampled", "tasks": "@active_tasks", name: "@active_tasks"}]}


def _reference(overlay: Overlay, rng: Generator) -> Overlay:
    wrong = (
        "@nothing",
        "@train#nothing",
        "@features",
        "$@nothing + 1",
        "$1 / 0",
        "$open('gone')",
        "$(",
        "%gone.json",
        "@",
        "$",
    )
    return overlay | {_pick(rng, "max_epochs", "features", "batch_size"): _pick(rng, *wrong)}


def _no_overlay(overlay: Overlay, rng: Generator) -> Any:
    return _pick(
        rng,
        [],
        {},
        None,
        3,
        "features",
        [overlay],
        {"": 1},
        {"train": None},
        {"train#trainer": 3},
        {"tasks#9#name": "a"},
    )


def _key_twice(path: Path, rng: Generator) -> None:
    path.write_text(path.read_text().replace("{", '{"max_epochs": 7, ', 1))


def _written(path: Path, rng: Generator) -> None:
    text = path.read_text()
    path.write_text(
        _pick(
            rng,
            text[:-1],
            text.replace(",", ",,", 1),
            text + "}",
            "\t" + text.replace(": ", ":\t- "),
            text.replace('"', "'"),
        )
    )


def _sign(overlay: Overlay, rng: Generator) -> Overlay:
    return overlay | {_pick(rng, "output_dir", "dataset_dir", "run_name"): "runs/first#1"}


CONFIGURATIONS: dict[str, Mutation] = {
    "wrong value": _saved(_wrong_value),
    "mistyped item": _saved(_mistyped_item),
    "mistyped class": _saved(_mistyped_class),
    "mistyped argument": _saved(_mistyped_argument),
    "wrong reference": _saved(_reference),
    "no overlay": _saved(_no_overlay),
    "key twice": _key_twice,
    "wrong syntax": _written,
    "number sign": _saved(_sign),
    "other encoding": lambda path, rng: path.write_bytes(path.read_text().encode(_pick(rng, "utf-16", "utf-8-sig"))),
}
