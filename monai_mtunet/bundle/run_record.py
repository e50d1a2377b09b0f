"""The record of a run: what the results in its folder are made with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def run_record(
    configs: Sequence[str],
    overrides: Mapping[str, Any],
    seed: int,
    evaluate: str | None,
    pretrained: str | Path | None = None,
) -> dict[str, Any]:
    """What decides a run's results, each file with the SHA-256 of its content, as JSON keeps it.

    Args:
        configs: configuration files in their order.
        overrides: items by id.
        seed: the run's seed.
        evaluate: the overlay that evaluates, or none.
        pretrained: the checkpoint that it starts from, or none.
    """
    record = {
        "configs": [_file(path) for path in configs],
        "overrides": dict(overrides),
        "seed": seed,
        "evaluate": None if evaluate is None else _file(evaluate),
    }
    if pretrained is not None:
        record["pretrained"] = _file(str(pretrained))
    as_kept: dict[str, Any] = json.loads(json.dumps(record, default=str))
    return as_kept


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``run.json`` into a run's folder, which is made when there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "run.json.partial"
    partial.write_text(json.dumps(record, indent=4) + "\n")
    os.replace(partial, folder / "run.json")


def check_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Make sure that what a folder holds is of the run that is wanted.

    Args:
        folder: the folder of a run that is finished or can be resumed.
        record: the wanted run's, of :func:`run_record`.

    Raises:
        RuntimeError: When the folder's ``run.json`` says otherwise, or is missing.
    """
    remedy = "Delete the folder, or take another --output_dir."
    file = folder / "run.json"
    if not file.is_file():
        raise RuntimeError(f"{folder} holds results but no run.json that says what they are made with. {remedy}")
    kept, wanted = _entries(json.loads(file.read_text())), _entries(record)
    changed = [
        f"{name} was {kept.get(name, 'not there')} and is {wanted.get(name, 'not there')}"
        for name in {**kept, **wanted}
        if kept.get(name, "not there") != wanted.get(name, "not there")
    ]
    if changed:
        raise RuntimeError(f"{folder} holds results of another run: {'; '.join(changed)}. {remedy}")


def _file(path: str) -> str:
    return f"{path} (SHA-256 {hashlib.sha256(Path(path).read_bytes()).hexdigest()})"


def _entries(record: Mapping[str, Any]) -> dict[str, str]:
    configs = {f"configuration file {number}": file for number, file in enumerate(record["configs"], 1)}
    overrides = {f"override {name!r}": repr(value) for name, value in record["overrides"].items()}
    others = {"the seed": str(record["seed"]), "the evaluation": str(record["evaluate"])}
    start = {"the checkpoint to start from": record["pretrained"]} if "pretrained" in record else {}
    return {**configs, **overrides, **others, **start}
