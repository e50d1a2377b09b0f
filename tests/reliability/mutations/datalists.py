"""Data lists in JSON that name the wrong things, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.random import Generator

from .any_file import Mutation

Samples = list[Any]


def _pick(rng: Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _saved(change: Callable[[dict[str, Any], Generator], Any]) -> Mutation:
    """Change what the list holds: `{"train": [...], "val": [...]}`."""

    def mutate(path: Path, rng: Generator) -> None:
        path.write_text(json.dumps(change(json.loads(path.read_text()), rng)))

    return mutate


def _in_a_sample(change: Callable[[dict[str, Any], Generator], Any]) -> Mutation:
    def of_list(content: dict[str, Any], rng: Generator) -> dict[str, Any]:
        index = int(rng.integers(len(content["train"])))
        content["train"][index] = change(content["train"][index], rng)
        return content

    return _saved(of_list)


def _written(change: Callable[[str, Generator], str]) -> Mutation:
    def mutate(path: Path, rng: Generator) -> None:
        path.write_text(change(path.read_text(), rng), encoding="utf-8")

    return mutate


def _key(sample: dict[str, Any], rng: Generator) -> str:
    return str(_pick(rng, *sample))


def _without_a_key(sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
    del sample[_key(sample, rng)]
    return sample


def _mistyped_key(sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
    key = _key(sample, rng)
    sample[_pick(rng, key[:-1], key.upper(), f" {key}", f"{key}s")] = sample.pop(key)
    return sample


def _more_keys(sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
    return sample | {_pick(rng, "patient", "depth", "label"): _pick(rng, "A", 3, None, [1, 2])}


def _no_path(sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
    sample[_key(sample, rng)] = _pick(
        rng, 7, -1.5, True, "", " ", [], {}, [None], [3], {"path": "a"}, "\0", [[["a.png"]]]
    )
    return sample


def _null(sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
    sample[_key(sample, rng)] = None
    return sample


def _gone(sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
    sample[_key(sample, rng)] = _pick(
        rng, "gone.png", "/gone/a.nii.gz", "x" * 300, "a.xyz", "~nobody/a.png", "a\nb.png", "."
    )
    return sample


def _swapped(sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
    sample["image"], sample["segment"] = sample["segment"], sample["image"]
    return sample


def _no_sample(sample: dict[str, Any], rng: Generator) -> Any:
    return _pick(rng, None, 3, "", [], {}, list(sample), [sample])


def _no_list(content: dict[str, Any], rng: Generator) -> Any:
    return _pick(rng, {}, [], None, 3, "train", {"train": []}, {"train": {}, "val": []}, {"train": None}, [content])


def _twice(content: dict[str, Any], rng: Generator) -> dict[str, Any]:
    content["train"].append(content["train"][0])
    return content


def _mistyped_section(content: dict[str, Any], rng: Generator) -> dict[str, Any]:
    section = _pick(rng, "train", "val")
    content[_pick(rng, section.upper(), section + "s", " " + section)] = content.pop(section)
    return content


def _key_twice(text: str, rng: Generator) -> str:
    return text.replace('{"image":', '{"image": "other.png", "image":', 1)


def _of_javascript(text: str, rng: Generator) -> str:
    return _pick(
        rng, text.replace("}]", "},]", 1), text.replace('"', "'"), "// list\n" + text, text + "}", text.replace(":", "")
    )


def _encoded(path: Path, rng: Generator) -> None:
    path.write_bytes(path.read_bytes().decode().encode(_pick(rng, "utf-16", "utf-8-sig")))


DATALISTS: dict[str, Mutation] = {
    "sample without a key": _in_a_sample(_without_a_key),
    "mistyped key": _in_a_sample(_mistyped_key),
    "more keys": _in_a_sample(_more_keys),
    "value that is no path": _in_a_sample(_no_path),
    "null": _in_a_sample(_null),
    "file that is not there": _in_a_sample(_gone),
    "image and labels swapped": _in_a_sample(_swapped),
    "entry that is no sample": _in_a_sample(_no_sample),
    "no list": _saved(_no_list),
    "sample twice": _saved(_twice),
    "mistyped section": _saved(_mistyped_section),
    "key twice": _written(_key_twice),
    "JavaScript's JSON": _written(_of_javascript),
    "other encoding": _encoded,
}
