"""Tasks of the Medical Segmentation Decathlon, in folds that keep together what belongs together.

Antonelli et al., "The Medical Segmentation Decathlon", Nature Communications 13 (2022).
Home: http://medicaldecathlon.com
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.data import load_decathlon_datalist

from ..dataset_files import check_files, dataset_folder
from ..labels import LabelSet

__all__ = ["HIPPOCAMPUS", "decathlon_datalist", "hippocampus_scan"]

SOURCE = "http://medicaldecathlon.com"
_FOLDS = 5  # of those that are not given

# Task04_Hippocampus: the hippocampus proper and parts of the subiculum, split across the long axis.
HIPPOCAMPUS = LabelSet(
    classes=("background", "anterior", "posterior"), palette=((0, 0, 0), (228, 80, 60), (60, 120, 230))
)


def hippocampus_scan(sample: Mapping[str, Any]) -> int:
    """Number of the scan that a volume of the hippocampus task comes from: cases 2k - 1 and 2k are its two sides.

    Example:
        >>> hippocampus_scan({"image": "imagesTr/hippocampus_001.nii.gz"})
        1
    """
    return (int(Path(sample["image"]).name.split(".")[0].rpartition("_")[2]) + 1) // 2


def decathlon_datalist(
    dataset_dir: str | os.PathLike[str] | None,
    section: str = "train",
    fold: int = 0,
    splits: str | Sequence[Sequence[str]] = "splits.json",
    group: Callable[[Mapping[str, Any]], Hashable] | None = None,
) -> list[dict[str, str]]:
    """List the volumes of a decathlon task, or of any data set with a ``dataset.json`` of that form.

    The decathlon has no validation section, and a random one leaks wherever a patient has several volumes (in the
    hippocampus task, cases 2k - 1 and 2k are the two sides of one scan). So "train" and "val" need a splits file, or
    to be told which volumes belong together; "all" and "test" do not.

    Args:
        dataset_dir: folder of the task, which holds ``dataset.json``.
        section: "train" (every fold but one), "val" (that fold), "all" (every labeled case), or "test" (cases without
            labels).
        fold: which fold to validate on, from 0.
        splits: JSON file in ``dataset_dir``, ``{"folds": [["001", "004"], ["002"], ...]}``, or the folds themselves.
            Cases are named as their files, in full ("hippocampus_001") or by what follows the last underscore.
        group: what a sample belongs to, such as a patient, or the scan (`hippocampus_scan`). Where there is no splits
            file, the groups, in the order in which they are listed, are dealt to five folds in turn.

    Returns:
        ``[{"image": ..., "segment": ...}, ...]``, absolute paths; no "segment" in section "test".

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: When ``dataset_dir`` is not set, the section or the fold is unknown, a labeled case is in no fold
            or in several, or no case is left.

    Example:
        >>> volumes = decathlon_datalist("Task04_Hippocampus", section="val", fold=0, group=hippocampus_scan)
    """
    if section not in ("train", "val", "all", "test"):
        raise ValueError(f"section must be 'train', 'val', 'all' or 'test', got {section!r}.")
    folder = dataset_folder(dataset_dir, "the decathlon task", SOURCE)
    check_files([{"list": str(folder / "dataset.json")}], folder, folder.name, SOURCE)
    try:
        cases = load_decathlon_datalist(folder / "dataset.json", True, "test" if section == "test" else "training")
    except IndexError:  # MONAI looks at the first test case even where there is none
        cases = []
    datalist = [{"segment" if key == "label" else key: str(path) for key, path in case.items()} for case in cases]
    if section in ("train", "val"):
        if not isinstance(splits, str):
            held_out = _held_out(datalist, splits, fold, "splits")
        elif group is not None and not (folder / splits).is_file():
            held_out = _held_out(datalist, _deal(datalist, group), fold, "group")
        else:
            held_out = _held_out(datalist, _read_folds(folder / splits), fold, str(folder / splits))
        datalist = [case for case, held in zip(datalist, held_out, strict=True) if held == (section == "val")]
    check_files(datalist, folder, folder.name, SOURCE)
    return datalist


def _held_out(datalist: list[dict[str, str]], folds: Sequence[Sequence[str]], fold: int, source: str) -> list[bool]:
    """Tell for every case whether it belongs to the fold."""
    if not 0 <= fold < len(folds):
        raise ValueError(f"{source} has the folds 0..{len(folds) - 1}, got {fold}.")
    held_out = []
    for case in datalist:
        name = Path(case["image"]).name.split(".")[0]
        inside = [i for i, members in enumerate(folds) if not {name, name.rpartition("_")[2]}.isdisjoint(members)]
        if len(inside) != 1:
            raise ValueError(f"{source}: case {name} must be in one fold, but is in {inside or 'none'}.")
        held_out.append(inside[0] == fold)
    return held_out


def _deal(datalist: list[dict[str, str]], group: Callable[[Mapping[str, Any]], Hashable]) -> list[list[str]]:
    groups = list(dict.fromkeys(map(group, datalist)))
    folds: list[list[str]] = [[] for _ in range(_FOLDS)]
    for case in datalist:
        folds[groups.index(group(case)) % _FOLDS].append(Path(case["image"]).name.split(".")[0])
    return folds


def _read_folds(splits: Path) -> list[list[str]]:
    if not splits.is_file():
        raise FileNotFoundError(
            f"{splits} does not exist, and a random split could put volumes of one patient on both sides. Write it as "
            '{"folds": [["001", "004"], ...]}, every list the cases of one fold, tell by "group" which volumes belong '
            'together, or ask for section "all".'
        )
    folds: list[list[str]] = json.loads(splits.read_text())["folds"]
    return folds
