"""The post-processing of a bundle's evaluator, derived from its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monai.transforms import Compose, FlattenSubKeysd, Invertd

from ..tasks import Task
from .save_predictions import PostprocessTasksd, SavePaneld, SavePredictionsd


def postprocessing(tasks: Sequence[Task], output_dir: str | Path, preprocessing: Compose | None = None) -> Compose:
    """From a decollated network output to files: post-process, draw, undo the preprocessing, save.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files.
        preprocessing: the transforms that made ``image``; the invertible ones (orientation, resampling, padding,
            intensity scaling) are undone, so that files fit the original image. ``None`` leaves them.

    Returns:
        Transforms for ``SupervisedEvaluator(postprocessing=..., decollate=True)``.
    """
    undo = [
        Invertd(
            keys=f"pred_{task.name}",
            transform=preprocessing,
            orig_keys="image",
            nearest_interp=task.is_label,
            to_tensor=True,
        )
        for task in tasks
        if preprocessing is not None
    ]
    return Compose(
        [
            FlattenSubKeysd(keys="pred", prefix="pred"),
            PostprocessTasksd(tasks),
            SavePaneld(tasks, output_dir),
            *undo,
            SavePredictionsd(tasks, output_dir),
        ]
    )
