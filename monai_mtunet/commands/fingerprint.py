"""``python -m monai_mtunet fingerprint DATA --output FILE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .data_argument import DataArgument

__all__ = ["fingerprint"]


def fingerprint(
    data: DataArgument,
    output: Annotated[Path, typer.Option(metavar="FILE", help="JSON file that is written.")],
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=KIND", help="What a target is (labels=segmentation); may repeat."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="HTML page that is written as well, with pictures.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Number of processes. Default: one per processor.")
    ] = None,
) -> None:
    """Look at all files of a data set, and tell all that is wrong with them.

    An interrupted run goes on where it was. The exit status is 0 only if nothing is to be mended before training.
    """
    from ..planning.data import find_data
    from ..planning.fingerprint import fingerprint_data
    from ..planning.fingerprint.summary import summary

    kinds = dict(one.partition("=")[::2] for one in target or ())
    data_found = find_data(data, kinds)
    result = fingerprint_data(data_found, output, workers)
    typer.echo(summary(data_found, result))
    if report is not None:
        from ..report.data.data_page import write_data_page

        typer.echo(f"The page is {write_data_page(data_found, result, report)}")
    if any(problem.stops for problem in result.all_problems):
        raise typer.Exit(1)
