"""All commands, and how they end: what is wrong stands on the last line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from .draw import draw
from .evaluate import evaluate
from .fingerprint import fingerprint
from .metadata import metadata
from .plan import plan
from .predict import predict
from .report import report
from .reproduce import reproduce
from .train import train

__all__ = ["app", "main"]

COMMANDS: tuple[Callable[..., None], ...] = (
    fingerprint, plan, train, report, predict, evaluate, reproduce, draw, metadata,
)  # fmt: skip


class _Command(TyperCommand):
    """Imports the package once its arguments are right: help and refusals need not wait for torch.

    All of the package, since configurations name its classes without saying where they are.
    """

    def invoke(self, ctx: Any) -> Any:
        for room in import_module("..", __package__).__all__:
            import_module(f"..{room}", __package__)
        return super().invoke(ctx)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("monai_mtunet"))
        raise typer.Exit


# Plain text, which logs and terminals of any width show alike.
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Multi-task dense prediction; networks are trained by MONAI's own command, python -m monai.bundle run."""


for command in COMMANDS:
    app.command(cls=_Command)(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; end with exit status 0 only if all that was asked is done.

    Args:
        arguments: by default this process's.
    """
    try:
        app(args=arguments)
    except Exception as error:
        from ..bundle.plain_errors import report_error

        report_error(error)
        sys.exit(1)
