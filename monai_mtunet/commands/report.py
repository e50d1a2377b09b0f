"""``python -m monai_mtunet report FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="output_dir of a training, as outputs/umc.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The HTML file. Default: report.html in the folder.")
    ] = None,
    draw: Annotated[
        bool,
        typer.Option(
            "--draw",
            help="Predict the best, median and worst case anew, which needs the data, and runs the folder's "
            "configuration.json.",
        ),
    ] = False,
) -> None:
    """Write the page of a training, finished or not: curves, metrics, cases, configuration, in one file."""
    from ..bundle.plain_errors import root_cause
    from ..report.training.case_pictures import draw_cases
    from ..report.training.saved_training import saved_evaluator
    from ..report.training.training_page import write_training_page

    note = ""
    if draw:
        try:
            draw_cases(folder, saved_evaluator(folder))
        except Exception as error:  # the page is written without pictures, and says why
            note = f"Pictures of cases could not be drawn: {' '.join(str(root_cause(error)).split())}"
    typer.echo(f"The report is {write_training_page(folder, output, note)}")
    if note:
        typer.echo(note, err=True)
        raise typer.Exit(1)
