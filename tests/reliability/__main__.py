"""`python -m tests.reliability`: run all bad inputs, and write the table of docs/reliability.md."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from . import problem
from .cases import all_cases, chosen
from .run import run_cases, write_templates
from .table import write_table
from .verdict import GOOD


def main(
    seed: Annotated[int, typer.Option(help="Another thousand.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes at a time.")] = 1,
    only: Annotated[str, typer.Option(help="Cases whose name holds this.")] = "",
    count: Annotated[int | None, typer.Option(help="Only so many, chosen by the seed.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for the files of what went wrong.")] = None,
    table: Annotated[Path | None, typer.Option(help="File between whose marks the table is written.")] = None,
) -> None:
    """Run bad inputs through loading, training and prediction."""
    cases = chosen([case for case in all_cases(seed) if only in str(case)], count, seed)
    started, folder = time.monotonic(), Path(mkdtemp(prefix="reliability_"))
    templates = write_templates(folder / "templates")
    children = []
    for job in range(jobs):
        child = os.fork()
        if child == 0:
            outcomes = run_cases(cases[job::jobs], templates, keep)
            rows = [[vars(o.case), o.verdicts, o.lines, o.seconds] for o in outcomes]
            problem.write_json(folder / f"{job}.json", rows)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    rows = [row for job in range(jobs) for row in json.loads((folder / f"{job}.json").read_text())]
    typer.echo(write_table(rows, table))
    bad = [row for row in rows if not GOOD.issuperset(row[1].values())]
    for case, verdicts, _, _ in bad:
        typer.echo(f"{case['format']} {case['number']}: {case['kind']}: {verdicts}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        problem.write_json(keep / "rows.json", rows)
    longest = max(row[3] for row in rows)
    typer.echo(f"{len(rows)} cases, {len(bad)} bad, {time.monotonic() - started:.0f} s, longest {longest:.1f} s")
    raise typer.Exit(bool(bad))


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
