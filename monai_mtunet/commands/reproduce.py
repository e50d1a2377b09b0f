"""``python -m monai_mtunet reproduce EXPERIMENT``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["reproduce"]


def reproduce(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT", help="JSON file, as bundles/umc/experiments/joint_training.json.")
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="What is finished there is not run again.")] = Path(
        "outputs/experiments"
    ),
    config: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Configuration for other data; may repeat.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(metavar="N", min=1, help="Runs at a time; set OMP_NUM_THREADS to cores / N.")
    ] = 1,
    table_only: Annotated[bool, typer.Option("--table-only", help="Print what is there, run nothing.")] = False,
) -> None:
    """Carry out an experiment and print its table.

    What is finished is not run again; what was interrupted is resumed.
    """
    from ..reproduce import carry_out, load_experiment
    from ..reproduce.report import report

    loaded = load_experiment(experiment, config or ())
    try:
        if not table_only:
            carry_out(loaded, output, jobs)
    finally:  # after an interrupt or a failed run too
        typer.echo(report(loaded, output))
