"""``python -m monai_mtunet predict BUNDLE INPUT... --output DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["predict"]


def predict(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder, as bundles/umc.")],
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Files, folders, patterns in quotes, lists (JSON, CSV).")
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the predictions.")],
    config: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Overlay that the network was trained with; may repeat.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Trained weights; several are averaged. Default: the configuration's."),
    ] = None,
    all_folds: Annotated[
        bool, typer.Option("--all-folds", help="Average the networks of all folds that the plan (--config) trained.")
    ] = False,
    tasks: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this task; may repeat. Nothing else is computed.")
    ] = None,
    channels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDING",
            help="How names of files end that are a channel each, in order: --channels _t1 --channels _t2.",
        ),
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="For the whole process, each where there are several.")
    ] = "4GB",
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes on this machine; needs Dask.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address or scheduler file of a running Dask cluster.")
    ] = None,
    part: Annotated[int, typer.Option(min=1, metavar="N", help="Which part of the images, of --parts.")] = 1,
    parts: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many processes share the images, each with its own --part.")
    ] = 1,
    tta: Annotated[
        bool, typer.Option("--tta", help="Average over flips, along the axes that training flipped.")
    ] = False,
    panels: Annotated[bool, typer.Option("--panels", help="Draw input and predictions side by side.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace predictions that are there.")] = False,
) -> None:
    """Predict files of any kind and size. What is done already is kept; what fails is told at the end."""
    from ..cross_validation import PlannedFolds
    from ..prediction.predict_files import predict_files

    if all_folds:
        if not config or checkpoint:
            raise ValueError(
                "--all-folds takes the networks of a plan: give its overlay by --config, and no --checkpoint."
            )
        checkpoint = PlannedFolds(config[-1]).checkpoints()
    report = predict_files(
        bundle, inputs, output, overlays=config or (), checkpoints=checkpoint or (), tasks=tasks or (),
        channels=channels or (), memory=memory, workers=workers, scheduler=scheduler, part=part, parts=parts,
        flips=tta, panels=panels, overwrite=overwrite,
    )  # fmt: skip
    typer.echo(report.summary(output))
    if report.failed:
        raise typer.Exit(1)
