"""The cases, by number: which good input is taken, and what goes wrong with it."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import problem
from .mutations.any_file import ANY_FILE, Mutation, of_another_format
from .mutations.checkpoints import CHECKPOINTS
from .mutations.configurations import CONFIGURATIONS
from .mutations.datalists import DATALISTS
from .mutations.nifti import NIFTI
from .mutations.pictures import JPEG, LABELS, PNG, TIFF

LINE = "$monai_mtunet.data.read_datalist('{}', '{}'{})"


@dataclass(frozen=True)
class Format:
    """A format of files: its ending, the dimensions of its images, how many cases, what goes wrong with it."""

    ending: str
    dims: tuple[int, ...]
    count: int
    mutations: dict[str, Mutation]

    def kinds(self) -> dict[str, Mutation]:
        return ANY_FILE | self.mutations


FORMATS = {
    "NIfTI": Format(".nii", (3,), 170, NIFTI),
    "NIfTI, compressed": Format(".nii.gz", (3,), 170, NIFTI),
    "PNG": Format(".png", (2,), 140, PNG | LABELS),
    "TIFF": Format(".tif", (2,), 170, TIFF),
    "JPEG": Format(".jpg", (2,), 90, JPEG),
    "data list": Format(".json", (2, 3), 100, DATALISTS),
    "checkpoint": Format(".pt", (2, 3), 80, CHECKPOINTS),
    "configuration": Format("", (2, 3), 80, CONFIGURATIONS),
}
IMAGES = ("NIfTI", "NIfTI, compressed", "PNG", "TIFF", "JPEG")


@dataclass(frozen=True)
class Case:
    """One bad input."""

    format: str
    kind: str
    number: int
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, list(FORMATS).index(self.format), self.number])

    def __str__(self) -> str:
        return f"{self.format} {self.number}: {self.kind}"


@dataclass
class Made:
    """A case in files.

    Args:
        runs: command lines of bundles, by what they do.
        culprits: of what a message must name one.
        entry: the entry of a data list that is loaded alone.
        role: which file of the entry is bad.
        original: the good file's values.
        images: how many images are predicted.
        inputs: what lies in the output folder beforehand.
        misses_values: whether the image holds values that are not finite, as loading it shows.
        is_damaged: whether a checksum in the bad file is wrong, so that nothing may use it.
    """

    dims: int
    runs: dict[str, list[str]]
    culprits: Sequence[str]
    entry: dict[str, Any] | None = None
    role: str = "image"
    original: Any = None
    images: int = 0
    inputs: Sequence[Path] = ()
    is_damaged: bool = False
    misses_values: bool = False


def all_cases(seed: int = 0) -> list[Case]:
    """A thousand of them; the kinds of a format take turns."""
    cases = []
    for name, of_format in FORMATS.items():
        kinds = [*of_format.kinds(), *(["of another format"] if name in IMAGES else [])]
        cases += [Case(name, kinds[number % len(kinds)], number, seed) for number in range(of_format.count)]
    return cases


def chosen(cases: Sequence[Case], count: int | None, seed: int) -> list[Case]:
    """So many of the cases, of all formats and kinds."""
    order = np.random.default_rng(seed).permutation(len(cases))
    return [cases[index] for index in (range(len(cases)) if count is None else sorted(order[:count]))]


def make(case: Case, folder: Path, templates: Path) -> Made:
    """Write a case's files into an empty folder.

    Args:
        case: which one.
        folder: for its files.
        templates: where `templates` wrote what all cases share.
    """
    rng = case.rng
    of_format = FORMATS[case.format]
    dims = of_format.dims[int(rng.integers(len(of_format.dims)))]
    (folder / "new").mkdir()
    good = [problem.sample(folder, f"good{index}", dims, index) for index in range(3)]
    problem.sample(folder / "new", "fine", dims, 7)
    (folder / "new" / f"fine_labels{'.png' if dims == 2 else '.nii.gz'}").unlink()
    write = {
        "data list": _data_list, "checkpoint": _checkpoint, "configuration": _configuration,
    }.get(case.format, _image)  # fmt: skip
    return write(case, rng, folder, templates / str(dims), dims, good)


def _mutation(case: Case, templates: Path) -> Mutation:
    if case.kind == "of another format":
        others = tuple(
            file for file in sorted(templates.glob("other*")) if not file.name.endswith(FORMATS[case.format].ending)
        )
        return partial(of_another_format, others=others)
    return FORMATS[case.format].kinds()[case.kind]


def _image(case: Case, rng: Any, folder: Path, templates: Path, dims: int, good: list[Any]) -> Made:
    ending = FORMATS[case.format].ending
    role = "segment" if ending != ".jpg" and (case.kind in LABELS or rng.integers(4) == 0) else "image"
    image, labels = problem.values(dims, 5)
    entry = dict(good[0])
    bad = (folder / "new" if role == "image" else folder) / f"case{ending}"
    problem.write(bad, image if role == "image" else labels)
    entry[role] = str(bad)
    if role == "image":
        other = folder / ("case_labels.png" if dims == 2 else "case_labels.nii.gz")
        entry["segment"] = str(problem.write(other, labels))
    else:
        other = folder / ("case_image.png" if dims == 2 else "case_image.nii.gz")
        entry["image"] = str(problem.write(other, image))
    _mutation(case, templates)(bad, rng)
    mine = problem.write_json(folder / "mine.json", problem.overlay(folder, dims, [entry, good[1]], [good[2]]))
    runs = {"train": _train(mine)}
    if role == "image":
        runs["predict"] = _predict(mine, folder, templates / "network.pt")
    original = image if role == "image" else labels
    return Made(dims, runs, [bad.name], entry, role, original, images=1 if case.kind == "missing" else 2)


def _data_list(case: Case, rng: Any, folder: Path, templates: Path, dims: int, good: list[Any]) -> Made:
    names = [{key: Path(file).name for key, file in entry.items()} for entry in good]
    path = problem.write_json(folder / "list.json", {"train": names[:2], "val": names[2:]})
    _mutation(case, templates)(path, rng)
    data = [LINE.format(path, section, "") for section in ("train", "val")]
    mine = problem.write_json(folder / "mine.json", problem.overlay(folder, dims, *data))
    images = ["--val_data", LINE.format(path, "train", ", keys='image'")]
    runs = {"train": _train(mine), "predict": _predict(mine, folder, templates / "network.pt") + images}
    return Made(dims, runs, [path.name, "good", "image: ", "segment: "], images=0)


def _checkpoint(case: Case, rng: Any, folder: Path, templates: Path, dims: int, good: list[Any]) -> Made:
    path = folder / "out" / "checkpoints" / "last.pt"
    path.parent.mkdir(parents=True)
    shutil.copyfile(templates / "last.pt", path)
    _mutation(case, templates)(path, rng)
    mine = problem.write_json(folder / "mine.json", problem.overlay(folder, dims, good[:2], good[2:]))
    runs = {
        "predict": _predict(mine, folder, path),
        "resume": [*_train(mine), "--resume", "true", "--max_epochs", "2"],
        "pretrained": [*_train(mine), "--pretrained", str(path), "--output_dir", str(folder / "other")],
    }
    return Made(dims, runs, [path.name], images=1, inputs=[path], is_damaged=_has_wrong_checksum(path))


def _has_wrong_checksum(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() is not None
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def _configuration(case: Case, rng: Any, folder: Path, templates: Path, dims: int, good: list[Any]) -> Made:
    good_overlay = problem.overlay(folder, dims, good[:2], good[2:])
    path = problem.write_json(folder / f"mine.{('json', 'yaml')[int(rng.integers(2))]}", good_overlay)
    _mutation(case, templates)(path, rng)
    runs = {"train": _train(path), "predict": _predict(path, folder, templates / "network.pt")}
    return Made(dims, runs, [path.name, *_changed(good_overlay, path)], images=1)


def _changed(before: dict[str, Any], path: Path) -> list[str]:
    """Names of the items that are others now, and short values of theirs."""
    try:
        after = _leaves("", json.loads(path.read_text()))
    except (OSError, ValueError):
        return []
    known = _leaves("", before)
    items = {item for item in {*known, *after} if known.get(item, ...) != after.get(item, ...)}
    names = {part for item in items for part in item.split("#")}
    return [part for part in (*names, *(str(after.get(item)) for item in items)) if len(part) > 2]


def _leaves(name: str, content: Any) -> dict[str, Any]:
    """{"load#0#_target_": "LoadSampled", ...}"""
    if not isinstance(content, dict | list) or not content:
        return {name: content}
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    return {leaf: value for key, part in inner for leaf, value in _leaves(f"{name}#{key}".lstrip("#"), part).items()}


def _train(mine: Path) -> list[str]:
    """Without panels, which take longer than the training."""
    files = f"['{problem.UMC}/train.json','{mine}']"
    return ["run", "--config_file", files, "--validate#handlers#0#panel_interval", "1000"]


def _predict(mine: Path, folder: Path, checkpoint: Path) -> list[str]:
    files = f"['{problem.UMC}/inference.json','{mine}','{problem.UMC}/files.json']"
    return ["run", "--config_file", files, "--input_dir", str(folder / "new"), "--ckpt_path", str(checkpoint)]
