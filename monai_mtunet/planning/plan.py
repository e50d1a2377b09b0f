"""From what a folder of data holds to the overlay that trains a network on it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monai.config import PathLike

from ..files.replacing import replacing
from .data.case import FoundData
from .fingerprint import DataFingerprint
from .folds import deal_folds, list_cases
from .overlay_items import load_slot, slots, train_data, validation
from .overlay_text import overlay_text
from .planned_bundle import PlannedBundle
from .rules.cache import choose_cache
from .rules.choice import Choice
from .rules.declared import Declared
from .rules.grid import Grid, choose_grid
from .rules.intensities import Intensities, choose_intensities
from .rules.network_size import NetworkSize, choose_size
from .rules.samples import choose_augmentation, choose_crops, choose_noise, choose_sampler, is_photograph
from .rules.schedule import choose_schedule, passes_over_data
from .rules.tasks import DENOISE, choose_tasks, in_order, without_reference
from .window_size import KEPT, MARGIN

__all__ = ["Plan", "PlanOptions", "make_plan"]


@dataclass(frozen=True)
class PlanOptions:
    """What a user says.

    Args:
        bundle: folder of the bundle.
        memory: bytes for a step of training.
        seconds: for the training of a fold.
        folds: how many.
        tasks: names of targets to learn; all by default. "denoise" asks for restoration without clean references.
        noise: standard deviation of noise that is added to clean images, in the scaled unit: 0..1, or 0..255.
    """

    bundle: PathLike
    memory: float
    seconds: float
    folds: int = 5
    tasks: Sequence[str] = ()
    noise: float | None = None


@dataclass(frozen=True)
class Plan:
    """What was planned.

    Args:
        overlay: JSON values, for the bundle's configurations.
        entries: of the data list.
        choices: each with its reason.
    """

    overlay: dict[str, Any]
    entries: list[dict[str, Any]]
    choices: tuple[Choice, ...]

    def save(self, output: Path) -> None:
        """Write the overlay, and the data list beside it."""
        _write(cases_file(output), json.dumps(self.entries, indent=1, ensure_ascii=False) + "\n")
        _write(output, overlay_text(self.overlay))


def _write(path: Path, text: str) -> Path:
    with replacing(path) as made:
        made.write_text(text, encoding="utf-8")
    return path


def cases_file(output: Path) -> Path:
    """The data list of an overlay."""
    return output.with_name(output.stem + ".cases.json")


def make_plan(data: FoundData, found: DataFingerprint, base: Path, output: Path, options: PlanOptions) -> Plan:
    """Choose everything that training needs, by stated rules.

    Args:
        data: what is there.
        found: what it is like, without problems that stop training.
        base: folder of the data; files in it are listed relative to it.
        output: where the overlay will be written.
        options: what the user says.

    Raises:
        ValueError: When nothing can be learned, the bundle cannot learn a task, or memory is too little.
    """
    bundle = PlannedBundle(options.bundle)
    data, found = _for_training(data, found)
    grid = choose_grid(found.cases)
    restored = [name for name, kind in data.targets.items() if kind.value == "restoration"]
    intensities = choose_intensities(found.cases, data.channels, restored)
    tasks, denoise, choices = _tasks(data, found, intensities, grid, options)
    tasks, key_metric, order = in_order(tasks)
    _check_vectors(bundle, tasks)
    dealt, folds = deal_folds(data.cases, options.folds)
    learned = [task.name for task in tasks if task.name in data.targets]
    overlay: dict[str, Any] = {
        "bundle_root": os.path.abspath(options.bundle), "run_name": f"${output.stem + '_fold'!r} + str(@fold)",
        "fold": 0, "dataset_dir": str(base), "data_list": str(cases_file(output)),
        "spatial_dims": grid.spatial_dims, "image_channels": len(data.channels),
        "mean": list(intensities.mean), "std": list(intensities.std),
        "tasks": [declaration for task in tasks for declaration in task.tasks], "key_metric_name": key_metric,
        "weights": {},
        "val_data": "$monai_mtunet.data.fold_datalist(@data_list, 'val', @fold, @dataset_dir)",
        "load": load_slot(grid, intensities, tasks),
    }  # fmt: skip
    entries = list_cases(data, dealt, learned, str(base))
    held_out = sum(fold == 0 for fold in dealt.values())
    images = len(dealt) - held_out
    overlay["train_data"] = train_data(1)
    noise = choose_noise(denoise, options.noise, intensities)
    cache = choose_cache(grid, len(data.channels), tasks)
    overlay |= cache.items
    with TemporaryDirectory() as folder:  # nothing bears a final name before all is chosen
        cases = _write(Path(folder) / "cases.json", json.dumps(entries))
        measured = {**overlay, "data_list": str(cases)}
        size, sizes, seconds = _size(bundle, measured, noise.items, grid, data, found, tasks, options)
    passes = passes_over_data(images, size, seconds, options.seconds)
    crops = choose_crops(grid, size.patch, data, found, tasks)
    changes = choose_augmentation(grid, size.patch, passes, is_photograph(found, grid), tasks)
    schedule = choose_schedule(images, held_out, grid, size, seconds, options.seconds, bundle.learning_rate)
    sampler = choose_sampler(data, tasks)
    repeats = schedule.items.pop("repeats")
    overlay["train_data"] = train_data(repeats)
    overlay |= (
        bundle.items(size) | slots(noise.items, crops.items, changes.items, tasks) | validation(grid, size, tasks)
    )
    overlay |= {**sampler.items, **schedule.items}
    if "@patch_size" not in repr([overlay["augment"], crops.items]):
        del overlay["patch_size"]  # nothing is padded or cropped, and what nothing refers to is refused
    weights = Choice(
        "weights of losses", "1 each", "quantities are scaled to their deviations, so that losses are alike"
    )
    every = (
        *choices, order, *grid.choices, *intensities.choices, *sizes, *crops.choices, *changes.choices,
        *sampler.choices, *cache.choices, weights, *schedule.choices, folds,
    )  # fmt: skip
    return Plan(overlay, entries, every)


def _for_training(data: FoundData, found: DataFingerprint) -> tuple[FoundData, DataFingerprint]:
    """Without test images."""
    kept = [number for number, case in enumerate(data.cases) if case.section != "test"]
    if not kept:
        raise ValueError(f"All images of {data.layout} are for testing: none is left to train on.")
    return (
        replace(data, cases=tuple(data.cases[number] for number in kept)),
        DataFingerprint([found.cases[number] for number in kept], found.problems),
    )


def _tasks(
    data: FoundData, found: DataFingerprint, intensities: Intensities, grid: Grid, options: PlanOptions
) -> tuple[list[Declared], Declared | None, list[Choice]]:
    wanted = [name for name in options.tasks if name != DENOISE or DENOISE in data.targets]
    asked = DENOISE in options.tasks and DENOISE not in data.targets
    tasks, choices = choose_tasks(data, found, intensities, () if asked and not wanted else wanted, grid.spatial_dims)
    if asked and not wanted:
        tasks = []
    denoise = None
    restores = any(task.tasks[-1]["_target_"] == "RestorationTask" for task in tasks)
    if not restores and (asked or not options.tasks):
        denoise, choice = without_reference(intensities, len(data.channels), options.noise, asked)
        choices.append(choice)
    tasks = [*tasks, *([denoise] if denoise else [])]
    if not tasks:
        raise ValueError(f"{data.layout}: there is no target, and the images are hardly noisy. {choices[-1].reason}.")
    return tasks, denoise, choices


def _check_vectors(bundle: PlannedBundle, tasks: Sequence[Declared]) -> None:
    vectors = [task.name for task in tasks if task.has_vector]
    if vectors and not bundle.takes_vectors:
        raise ValueError(
            f"{', '.join(vectors)} is one value per image, which {bundle.folder} cannot learn: take "
            "--bundle bundles/mtan or bundles/sunet, or name the other targets (--tasks)."
        )
    if bundle.takes_vectors and len(vectors) == len(tasks) and "sunet" not in bundle.folder.name:
        raise ValueError(f"{', '.join(vectors)} alone is not dense: take --bundle bundles/sunet.")


def _size(
    bundle: PlannedBundle,
    overlay: dict[str, Any],
    noise: dict[str, Any],
    grid: Grid,
    data: FoundData,
    found: DataFingerprint,
    tasks: Sequence[Declared],
    options: PlanOptions,
) -> tuple[NetworkSize, list[Choice], float]:
    """The size that fits, and the seconds that a step takes with it, as measured."""

    def with_slots(size: NetworkSize) -> dict[str, Any]:
        crops = choose_crops(grid, size.patch, data, found, tasks)
        return {**overlay, **slots(noise, crops.items, {}, tasks)}

    rate: list[float] = []

    def seconds_of(size: NetworkSize) -> float:
        if not rate:
            rate.append(bundle.seconds_per_step(with_slots(size), size) / bundle.operations(overlay, size))
        return rate[0] * bundle.operations(overlay, size)

    def memory_of(size: NetworkSize) -> float:
        return MARGIN * bundle.memory(overlay, size) + KEPT

    size, choices = choose_size(grid, memory_of, seconds_of, options.memory, options.seconds, bundle.sized)
    return size, choices, bundle.seconds_per_step(with_slots(size), size)
