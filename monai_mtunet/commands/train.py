"""``python -m monai_mtunet train OVERLAY --folds all``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train"]


def train(
    overlay: Annotated[Path, typer.Argument(metavar="OVERLAY", help="JSON file that plan wrote.")],
    folds: Annotated[list[str] | None, typer.Option(metavar="K", help="Number of a fold, may repeat; or all.")] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM=VALUE", help="Item of the configuration, for all folds (max_epochs=5); may repeat."),
    ] = None,
) -> None:
    """Train and measure the network of a plan, fold by fold; what is finished is kept, what was interrupted goes on.

    Each fold is the bundle's own run (python -m monai.bundle run ... --fold K).
    """
    from ..cross_validation import PlannedFolds, fold_results, train_folds

    planned = PlannedFolds(overlay)
    wanted = folds or ["0"]
    numbers = planned.folds if "all" in wanted else [_number(fold) for fold in wanted]
    overrides = dict(map(_item, override or ()))
    train_folds(planned, numbers, overrides)
    results = fold_results(planned)
    folder = overlay.with_name(f"{overlay.stem}.results")
    results.save(folder)
    typer.echo(f"{results.text()}\nThe tables are in {folder}.")


def _number(fold: str) -> int:
    if not fold.isdigit():
        raise ValueError(f"--folds {fold} is no number of a fold: give 0, 1, ..., or all.")
    return int(fold)


def _item(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--override {text} must be ITEM=VALUE, as max_epochs=5.")
    return name, value
