"""The post-processing of a bundle's evaluator, derived from its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.transforms import (
    Compose,
    EnsureTyped,
    FlattenSubKeysd,
    Invertd,
    InvertibleTransform,
    LazyTrait,
    MapTransform,
    Transposed,
)

from ..data.file_names import check_predictions_differ, relative_stems
from ..tasks import SavedAs, Task
from .save_predictions import PostprocessTasksd, SavePaneld, SavePredictionsd


class TaskPostprocessing(Compose):
    """From a decollated network output to files: post-process, draw, undo the preprocessing, save.

    Args:
        tasks: the tasks whose predictions are saved.
        output_dir: folder of the files.
        preprocessing: the transforms that made ``image``; the invertible ones (orientation, resampling, padding,
            intensity scaling) are undone, so that files fit the original image; of what is no picture only the spatial
            ones, by nearest neighbor: neither classes nor depths on both sides of an edge are mixed.
            ``None`` leaves them.
        data: the data list, which names all files beforehand (`relative_stems`); without it each file names its own.
        panels: whether to draw panels.
        stems: names of the predictions by their image's absolute path, instead of those that follow from ``data``.

    Attributes:
        written: the predictions' files so far, panels left out.

    Raises:
        ValueError: When predictions of two images in the data list would have one name.

    Example:
        >>> MultiTaskPredictor(postprocessing=TaskPostprocessing(tasks, "predictions", preprocessing), ...)
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        output_dir: str | Path,
        preprocessing: Compose | None = None,
        data: Sequence[Mapping[str, Any]] = (),
        panels: bool = True,
        stems: Mapping[str, str] | None = None,
    ) -> None:
        stems = relative_stems(data) if stems is None else stems
        check_predictions_differ(stems, [task.name for task in tasks])
        undo = [] if preprocessing is None else [step for task in tasks for step in _undo(task, preprocessing)]
        draw = [SavePaneld(tasks, output_dir, stems=stems)] if panels else []
        save = SavePredictionsd(tasks, output_dir, stems=stems)
        super().__init__([FlattenSubKeysd(keys="pred", prefix="pred"), PostprocessTasksd(tasks), *draw, *undo, save])
        self.written = save.written


def _undo(task: Task, preprocessing: Compose) -> list[MapTransform]:
    if task.saved_as is SavedAs.JSON:
        return []
    is_picture = task.saved_as is SavedAs.PICTURE
    steps: list[Any] = [step for step in preprocessing.flatten().transforms if isinstance(step, InvertibleTransform)]
    if not is_picture:
        # Scaling intensities back would scale class numbers, or meters. MONAI's lazy transforms are the spatial ones.
        steps = [step for step in steps if isinstance(step, LazyTrait | Transposed)]
    if not steps:
        return []
    key = f"pred_{task.name}"
    return [
        EnsureTyped(key, track_meta=True),  # Invertd passes plain tensors by
        Invertd(key, transform=Compose(steps), orig_keys="image", nearest_interp=not is_picture),
    ]
