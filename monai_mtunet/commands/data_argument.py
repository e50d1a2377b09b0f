"""The argument of commands that look at a user's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["DataArgument"]

DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="A folder: nnU-Net's raw data, the Decathlon's, images/ and labels/ and the like; or a table (CSV, JSON) "
        "with a column per file.",
    ),
]
