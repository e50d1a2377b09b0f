"""Run cases, and say what became of each."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import nibabel as nib
import numpy as np
from PIL import Image
from torch.utils import tensorboard  # noqa: F401 - imported once, before processes are forked

from . import problem
from .cases import Case, make
from .child import in_a_child, load, run_bundle
from .verdict import GOOD, RIGHT, TOLD, judge


@dataclass(frozen=True)
class Outcome:
    """What became of a case, run by run, and the seconds of the longest run."""

    case: Case
    verdicts: dict[str, str]
    lines: dict[str, str]
    seconds: float

    @property
    def is_good(self) -> bool:
        return GOOD.issuperset(self.verdicts.values())


def write_templates(folder: Path) -> Path:
    """Write what all cases share: untrained networks, checkpoints of a training, and a file of each format."""
    for dims in (2, 3):
        here = folder / str(dims)
        here.mkdir(parents=True)
        problem.checkpoint(here, dims)
        good = [problem.sample(here, f"good{index}", dims, index) for index in range(2)]
        mine = problem.write_json(here / "mine.json", problem.overlay(here, dims, good, good[:1]))
        command = ["run", "--config_file", f"['{problem.UMC}/train.json','{mine}']"]
        ended = in_a_child(partial(run_bundle, command), here / "train.log")
        if ended.status:
            raise RuntimeError(f"The good problem fails: {ended.log[-2000:]}")
        shutil.copyfile(here / "out" / "checkpoints" / "last.pt", here / "last.pt")
        array = np.random.default_rng(0).integers(0, 3, (9, 11), dtype=np.uint8)
        for ending in (".png", ".tif", ".jpg", ".bmp"):
            Image.fromarray(array).save(here / f"other{ending}")
        for ending in (".nii", ".nii.gz"):
            nib.save(nib.Nifti1Image(array[..., None].repeat(5, -1), np.eye(4)), here / f"other{ending}")
        np.save(here / "other.npy", array)
    return folder


def run_cases(cases: Sequence[Case], templates: Path, keep: Path | None = None) -> list[Outcome]:
    """Run cases one after another.

    Args:
        cases: which ones.
        templates: the folder of `write_templates`.
        keep: folder for the files of cases that went wrong; otherwise they are removed.
    """
    outcomes = []
    for case in cases:
        folder = Path(mkdtemp(prefix="case_"))
        outcome = _run(case, folder, templates)
        if not outcome.is_good and keep is not None:
            shutil.copytree(
                folder, keep / str(case).replace(": ", " ").replace(" ", "_"), symlinks=True, dirs_exist_ok=True
            )
            print(case, outcome.verdicts, file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        outcomes.append(outcome)
    return outcomes


def _run(case: Case, folder: Path, templates: Path) -> Outcome:
    made = make(case, folder, templates)
    calls = {name: partial(run_bundle, arguments) for name, arguments in made.runs.items()}
    if made.entry is not None:
        calls = {"load": partial(load, made), **calls}
    verdicts, lines, seconds = {}, {}, 0.0
    for name, call in calls.items():
        ended = in_a_child(call, folder / f"{name}.log")
        verdicts[name], lines[name] = judge(made, name, ended, folder), ended.last_line
        made.misses_values |= ended.told.get("misses", False)
        seconds = max(seconds, ended.waited)
    if verdicts.get("load") == TOLD and verdicts["train"] == RIGHT:
        verdicts["train"] = "wrong: trained with what cannot be loaded"
    return Outcome(case, verdicts, lines, seconds)
