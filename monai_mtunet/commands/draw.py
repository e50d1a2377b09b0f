"""``python -m monai_mtunet draw FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["draw"]


def draw(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the drawings go, as docs/images.")],
    network: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this network; may repeat.")] = None,
    file_format: Annotated[str, typer.Option("--format", metavar="ENDING", help="png; svg or pdf for print.")] = "png",
) -> None:
    """Draw the package's networks.

    Nothing is drawn by hand: drawings are made of what a network does with an image.
    """
    from ..drawings.published import draw_published

    for path in draw_published(folder, network or (), file_format):
        typer.echo(path)
