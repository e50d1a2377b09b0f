"""``python -m monai_mtunet plan DATA --bundle FOLDER --output FILE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .data_argument import DataArgument

__all__ = ["plan"]


def plan(
    data: DataArgument,
    bundle: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The bundle whose network is trained, as bundles/umc.")
    ],
    output: Annotated[Path, typer.Option(metavar="FILE", help="Overlay (.json) that is written, lists beside it.")],
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=KIND]",
            help="Target to learn, and what it is (labels=segmentation); may repeat. Default: all. denoise: without "
            "clean images.",
        ),
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(min=0, metavar="SIGMA", help="Images are clean: add noise to learn from, of 0..1 or 0..255."),
    ] = None,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="For training.")] = "8GB",
    hours: Annotated[float, typer.Option(metavar="HOURS", help="For the training of a fold, on this machine.")] = 2,
    folds: Annotated[int, typer.Option(min=2, metavar="N", help="Folds of cross-validation.")] = 5,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an overlay that is there.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes that read files. Default: one per processor.")
    ] = None,
) -> None:
    """Look at all files of a data set, and write the overlay that trains a network on it, with a reason for each item.

    Nothing is planned on broken data: all that is wrong is told, and the exit status is 1.
    """
    from ..planning.plan_folder import plan_folder
    from ..prediction.memory import parse_bytes
    from ..report.data.data_page import write_data_page

    planned = plan_folder(
        data, bundle, output, tasks=tasks or (), noise=noise, memory=parse_bytes(memory), hours=hours, folds=folds,
        workers=workers, overwrite=overwrite,
    )  # fmt: skip
    typer.echo(planned.text)
    page = write_data_page(
        planned.data, planned.fingerprint, output.with_suffix(".html"), planned.plan.choices if planned.plan else ()
    )
    typer.echo(f"All of this, with pictures, is in {page}.")
    if not planned.is_ready:
        raise typer.Exit(1)
