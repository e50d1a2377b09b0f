"""What all files of a data set are like, and all that is wrong with them, at once."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ...files.ledger import Ledger, source_state
from ..data.case import DataCase, FoundData, TargetKind
from .case_fingerprint import CaseFingerprint, Problem, fingerprint_case

__all__ = ["DataFingerprint", "fingerprint_data"]

_VERSION = 2  # of what is measured: a ledger of another one is not taken up
_MISSING_LABEL = "255"


@dataclass
class DataFingerprint:
    """What the files of a data set are like.

    Attributes:
        cases: of each image.
        problems: what is wrong with several of them, or with all.
    """

    cases: list[CaseFingerprint] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def all_problems(self) -> list[Problem]:
        """Those of single images, too; what stops training first."""
        problems = [*(problem for case in self.cases for problem in case.problems), *self.problems]
        return sorted(problems, key=lambda problem: not problem.stops)

    def label_counts(self, target: str) -> Counter[str]:
        """Voxels of each label over all images."""
        counts: Counter[str] = Counter()
        for case in self.cases:
            if isinstance(found := case.targets.get(target), dict):
                counts.update(found.get("labels", {}))
        return counts

    def target_channels(self, target: str) -> list[dict[str, float]]:
        """Statistics of all channels of a target that holds no labels, over all images."""
        known = [found for case in self.cases if isinstance(found := case.targets.get(target), dict)]
        return [channel for found in known for channel in found["channels"]]

    def save(self, path: Path) -> None:
        """As JSON."""
        values = {"cases": [case.to_json() for case in self.cases], "problems": [asdict(one) for one in self.problems]}
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)


def fingerprint_data(data: FoundData, output: Path, workers: int | None = None) -> DataFingerprint:
    """Read all files of a data set, in several processes. An interrupted run goes on where it was.

    Args:
        data: what was found in a folder.
        output: the JSON file that is written; a ledger lies beside it until it is complete.
        workers: number of processes; by default as many as there are processors.

    Raises:
        ValueError: When the ledger is of other data.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    identity = {"version": _VERSION, "kinds": {name: kind.name for name, kind in data.targets.items()}}
    with Ledger(output.with_name(output.name + ".cases.jsonl"), identity) as ledger:
        for number, found in _new(data, ledger, workers or os.cpu_count() or 1):
            case = data.cases[number]
            ledger.mark(case.name, source=_source(case), found=found.to_json())
        cases = [CaseFingerprint.from_json(ledger.done[case.name]["found"]) for case in data.cases]
        result = DataFingerprint(cases, list(_problems_of_all(data, cases)))
        result.save(output)
        ledger.remove()
    return result


def _source(case: DataCase) -> list[list[Any]]:
    """The state of all its files, and targets that are in none; what does not exist is told when it is read."""
    files = [*case.images, *(file for target in case.targets for file in case.files_of(target))]
    values = [[name, value] for name, value in sorted(case.targets.items()) if not case.files_of(name)]
    stated: list[list[Any]] = json.loads(json.dumps(values))  # as the ledger gives it back
    return source_state([file for file in files if Path(file).exists()]) + stated


def _new(data: FoundData, ledger: Ledger, workers: int) -> Iterator[tuple[int, CaseFingerprint]]:
    """The fingerprints of the images that the ledger does not have, as they come."""
    remaining = [
        number for number, case in enumerate(data.cases)
        if ledger.done.get(case.name, {}).get("source") != _source(case)
    ]  # fmt: skip
    bar = tqdm(total=len(data.cases), initial=len(data.cases) - len(remaining), unit="image", desc="files")
    with bar, ExitStack() as stack:
        for done in _found(data, remaining, min(workers, len(remaining)), stack):
            yield done
            bar.update()


def _found(
    data: FoundData, remaining: Sequence[int], workers: int, stack: ExitStack
) -> Iterator[tuple[int, CaseFingerprint]]:
    if workers <= 1:  # in this process
        yield from ((number, fingerprint_case(data.cases[number], data.targets)) for number in remaining)
        return
    pool = stack.enter_context(ProcessPoolExecutor(workers, _processes(), _one_thread))
    futures = {pool.submit(fingerprint_case, data.cases[number], data.targets): number for number in remaining}
    for future in as_completed(futures):
        yield futures[future], future.result()


def _processes() -> Any:
    """They share what is imported, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _one_thread() -> None:
    torch.set_num_threads(1)


def _problems_of_all(data: FoundData, cases: Sequence[CaseFingerprint]) -> Iterator[Problem]:
    yield from _duplicates(data, cases)
    yield from _unlike_the_others(data, cases)
    for name, kind in data.targets.items():
        yield from _problems_of_target(name, kind, data, cases)
    for file, reason in data.left_out:
        yield Problem(str(file), reason, "Name it in a table, or leave it out.", stops=False)


def _duplicates(data: FoundData, cases: Sequence[CaseFingerprint]) -> Iterator[Problem]:
    same = defaultdict(list)
    for case, found in zip(data.cases, cases, strict=True):
        if found.digest:
            same[found.digest].append(case)
    for several in same.values():
        if len(several) > 1:
            names = ", ".join(case.name for case in several[1:5])
            what = f"it has the values of {names}, so that training and validation may share it"
            yield Problem(several[0].images[0], what, "Leave one out, or put them into one group.", stops=False)


def _unlike_the_others(data: FoundData, cases: Sequence[CaseFingerprint]) -> Iterator[Problem]:
    """Images of another number of channels or axes than most."""
    for what, of_case in (("channel(s)", lambda found: len(found.channels)), ("axes", lambda found: len(found.shape))):
        counts = Counter(of_case(found) for found in cases if found.shape)
        for case, found in zip(data.cases, cases, strict=True):
            if found.shape and of_case(found) != (usual := counts.most_common(1)[0][0]):
                problem = f"it has {of_case(found)} {what}, and {counts[usual]} of {counts.total()} images have {usual}"
                yield Problem(case.images[0], problem, "Convert it, or leave it out.")


def _numbers(values: Iterable[int | tuple[int, ...]]) -> list[str]:
    return [str(number) for value in values for number in (value if isinstance(value, tuple) else (value,))]


def _problems_of_target(
    name: str, kind: TargetKind, data: FoundData, cases: Sequence[CaseFingerprint]
) -> Iterator[Problem]:
    known = [case for case in cases if case.targets.get(name) is not None]
    if not known:
        yield Problem(name, "no image has this target", "Give its files, or leave it out.")
    if kind is not TargetKind.SEGMENTATION:
        return
    declared = set(_numbers(data.labels.get(name, {}).values())) | set(_numbers(data.ignored.get(name, ())))
    seen = {label for found in cases for label in (found.targets.get(name) or {}).get("labels", {})}
    masks = seen == {"0", _MISSING_LABEL} and not declared
    if masks:
        yield Problem(name, "all files hold 0 and 255 only", "A plan takes 255 for a class of its own.", stops=False)
    for case, found in zip(data.cases, cases, strict=True):
        labels: Mapping[str, int] = (found.targets.get(name) or {}).get("labels", {})
        file = str(case.targets.get(name))
        if strange := sorted(set(labels) - declared - {_MISSING_LABEL}) if declared else []:
            remedy = f"The declared labels are {', '.join(sorted(declared, key=int))}: declare it, or correct the file."
            yield Problem(file, f"it holds {', '.join(strange[:5])}", remedy)
        if set(labels) == {"0", _MISSING_LABEL} and not masks:
            remedy = 'Declare "labels": [0, 255], so that 255 is a class, or write the file with the numbers of others.'
            yield Problem(file, "it holds 0 and 255 only, and 255 says that there is no target", remedy)
