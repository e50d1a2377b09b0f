"""From a folder to an overlay, with all that is written beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from monai.config import PathLike

from .data import find_data
from .data.case import FoundData
from .data.case_names import target_name
from .fingerprint import DataFingerprint, fingerprint_data
from .fingerprint.summary import summary
from .plan import Plan, PlanOptions, cases_file, make_plan
from .rules.tasks import DENOISE

__all__ = ["PlannedFolder", "plan_folder"]


class PlannedFolder(NamedTuple):
    """What is told at the end.

    Args:
        text: what there is, what was chosen and why, and the next commands; or all problems.
        plan: None where the data are to be mended first.
        data: what was found in the folder.
        fingerprint: what its files are like.
    """

    text: str
    plan: Plan | None
    data: FoundData
    fingerprint: DataFingerprint

    @property
    def is_ready(self) -> bool:
        """Whether there is an overlay."""
        return self.plan is not None


def plan_folder(
    data: PathLike,
    bundle: PathLike,
    output: PathLike,
    tasks: Sequence[str] = (),
    noise: float | None = None,
    memory: float = 8e9,
    hours: float = 2,
    folds: int = 5,
    workers: int | None = None,
    overwrite: bool = False,
) -> PlannedFolder:
    """Look at all files, choose everything that training needs, and write an overlay for the bundle.

    Args:
        data: a folder or a table, see `find_data`.
        bundle: folder of the bundle.
        output: the overlay, a JSON file. Beside it are written the data list (``.cases.json``) and the fingerprint
            (``.fingerprint.json``).
        tasks: ``NAME`` or ``NAME=KIND`` of targets to learn; all by default. "denoise" that is no target asks for
            restoration without clean references.
        noise: standard deviation of noise to add to images that are clean, in the unit that they are scaled to.
        memory: bytes for training.
        hours: for the training of a fold.
        folds: how many.
        workers: processes that read files.
        overwrite: whether to replace an overlay that is there.

    Raises:
        FileNotFoundError: When data or bundle do not exist.
        FileExistsError: When the overlay is there, which may have been changed by hand.
        ValueError: When something cannot be planned; the message names what, and the remedy.
    """
    if not hours > 0:
        raise ValueError(f"hours must be positive, got {hours}.")
    path = Path(os.path.abspath(output))
    if path.suffix != ".json":
        raise ValueError(f"{output} must end in .json: it is the overlay's file.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{output} is there already: choose another --output, or replace it with --overwrite.")
    names = [one.partition("=")[0] for one in tasks]
    kinds = dict(one.split("=", 1) for one in tasks if "=" in one)
    found_data = find_data(data, kinds)
    known = {target_name(name): name for name in names}
    if unknown := [name for name in known if name != DENOISE and name not in found_data.targets]:
        there = ", ".join(found_data.targets) or "none"
        raise ValueError(f"{data} has no target {unknown[0]!r}; there are: {there}. Correct --tasks.")
    path.parent.mkdir(parents=True, exist_ok=True)
    fingerprint = fingerprint_data(found_data, path.with_name(path.stem + ".fingerprint.json"), workers)
    text = summary(found_data, fingerprint)
    if any(problem.stops for problem in fingerprint.all_problems):
        return PlannedFolder(f"{text}\nNothing is planned before that is mended.", None, found_data, fingerprint)
    options = PlanOptions(bundle, memory, hours * 3600, folds, list(known), noise)
    plan = make_plan(found_data, fingerprint, _base(Path(os.path.abspath(Path(data).expanduser()))), path, options)
    plan.save(path)
    lines = [text, "", *(f"{choice}" for choice in plan.choices), "", *_next(bundle, output, found_data)]
    return PlannedFolder("\n".join(lines), plan, found_data, fingerprint)


def _base(data: Path) -> Path:
    return data if data.is_dir() else data.parent


def _next(bundle: PathLike, output: PathLike, data: FoundData) -> list[str]:
    return [
        f"The overlay is {output}, its data list {cases_file(Path(output))}. Train one fold, or all, then predict:",
        f"  python -m monai.bundle run --config_file \"['{bundle}/train.json','{output}']\"",
        f"  python -m monai_mtunet train {output} --folds all",
        f"  python -m monai_mtunet predict {bundle} NEW_IMAGES --output predictions --config {output}",
    ]
