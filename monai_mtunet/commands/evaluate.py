"""``python -m monai_mtunet evaluate PREDICTIONS TARGETS --bundle BUNDLE --output FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["evaluate"]


def evaluate(
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="Folder of predicted files.")],
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGETS",
            help="Data list (list.json, list.json#section, list.csv); folder of files named as predictions are; or "
            "task=folder of files named as the images are.",
        ),
    ],
    bundle: Annotated[Path, typer.Option(metavar="BUNDLE", help="The bundle's folder, as bundles/umc.")],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Where metrics.csv, cases.csv, evaluation.json go.")],
    config: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Overlay that the predictions were made with; may repeat.")
    ] = None,
    tasks: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this task; may repeat. Default: all.")
    ] = None,
    map_labels: Annotated[
        bool, typer.Option("--map-labels", help="Targets hold the labels that the bundle's load maps to classes.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier evaluation.")] = False,
) -> None:
    """Measure predicted files against target files.

    Metrics are those of validation, of each image and of all. The exit status is 0 only if all were measured.
    """
    from ..evaluation.bundle_tasks import bundle_tasks
    from ..evaluation.evaluate import evaluate_predictions
    from ..evaluation.report import prepare_folder, summary, write_reports

    prepare_folder(output, overwrite)
    declared, spatial_dims, preprocessing = bundle_tasks(bundle, config or ())
    evaluation = evaluate_predictions(
        predictions, targets, declared, spatial_dims, tasks or (), preprocessing, map_labels
    )  # fmt: skip
    typer.echo(summary(evaluation))  # first, so that it is not lost where the disk is full
    write_reports(evaluation, output, declared.error_metrics)
    if not evaluation.is_complete:
        raise typer.Exit(1)
