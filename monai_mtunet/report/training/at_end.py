"""The report at the end of a training, which must not fail what is finished."""

from __future__ import annotations

import logging
from pathlib import Path

import ignite.distributed as idist

from ...engines import MultiTaskEvaluator
from .case_pictures import draw_cases
from .training_page import write_training_page

__all__ = ["report_at_end"]

logger = logging.getLogger(__name__)


def report_at_end(output_dir: str | Path, evaluator: MultiTaskEvaluator) -> None:
    """Draw the best, the median and the worst case with the best checkpoint, and write ``<output_dir>/report.html``.

    Call it in ``finalize``. Whatever goes wrong is told as a warning: the training is done, and its files are written.

    Args:
        output_dir: of the training.
        evaluator: what validated it, with its network and data.
    """
    if idist.get_rank():
        return
    folder, note = Path(output_dir), ""
    try:
        draw_cases(folder, evaluator)
    except Exception as error:  # of data, network, disk: the page tells it
        note = f"Pictures of cases could not be drawn: {_told(error)}"
        logger.warning(note)
    try:
        print("The report is", write_training_page(folder, note=note))
    except Exception as error:
        logger.warning(
            "The report could not be written: %s. The training is complete, and its files are in %s; "
            "python -m monai_mtunet report %s tries again.", _told(error), folder, folder,
        )  # fmt: skip


def _told(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
