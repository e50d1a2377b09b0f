"""Whether an image is predicted block by block, and can be."""

from __future__ import annotations

from pathlib import Path

from ...files.image import Image
from ...inferers import MultiTaskSlidingWindowInferer
from ...tasks import DerivedTask, InstanceTask, Task
from ..parts import PredictionParts
from .block_preprocessing import WholeImageNeededError

__all__ = ["blocks_ledger", "windows_by_blocks"]


def blocks_ledger(output: Path) -> Path:
    """The ledger of an image that is predicted block by block; there is none before and after that."""
    return output.with_name(output.name + ".blocks.jsonl")


def windows_by_blocks(parts: PredictionParts, image: Image) -> MultiTaskSlidingWindowInferer:
    """The windows that an image is predicted with, if parts of it can be read and nothing needs the whole.

    Raises:
        WholeImageNeededError: When something does; it tells what.
    """
    reasons = []
    if not image.random_access:
        reasons.append(image.reason)
    if parts.windows is None or parts.windows is not parts.inferer:
        reasons.append(f"{type(parts.inferer).__name__} takes the whole image")
    reasons += [_reason(task) for task in parts.tasks]
    reasons = [reason for reason in reasons if reason]
    if reasons or parts.windows is None:
        raise WholeImageNeededError(
            f"{image.path} does not fit into the given memory, and cannot be predicted block by block: "
            f"{'; '.join(reasons)}. Give more --memory, or leave that out."
        )
    return parts.windows


def _reason(task: Task) -> str:
    if not task.is_dense or (isinstance(task, DerivedTask) and not isinstance(task, InstanceTask)):
        return f"task {task.name!r} is of the whole image"
    return ""
