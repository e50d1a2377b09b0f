"""``python -m monai_mtunet metadata BUNDLE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["metadata"]


def metadata(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder, as bundles/umc.")],
) -> None:
    """Write a bundle's outputs into its metadata.json.

    They follow from the tasks in its inference.json; the rest stays.
    """
    from ..bundle.metadata import write_outputs

    typer.echo(f"The outputs are written in {write_outputs(bundle)}.")
