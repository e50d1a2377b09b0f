"""The table of what became of all bad inputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .verdict import BEFORE, GOOD, TOLD

_FIRST, _LAST = "<!-- the table of python -m tests.reliability -->\n", "<!-- its end -->\n"


def write_table(rows: Sequence[Any], file: Path | None = None) -> str:
    """Count by format and kind of mutation, and write the table between its marks in a page.

    Args:
        rows: case, verdicts by run, last lines by run, seconds.
        file: the page. Default: none.
    """
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for case, verdicts, _, _ in rows:
        found = set(verdicts.values())
        column = 3 if not found <= GOOD else 2 if BEFORE in found else 1 if TOLD in found else 0
        counts[case["format"], case["kind"]][column] += 1
    lines = [
        "| format | what is wrong with it | cases | right | told | told by MONAI | neither |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {kind} | {sum(found)} | {' | '.join(map(str, found))} |" for (name, kind), found in counts.items()
    ]
    total = [sum(found[column] for found in counts.values()) for column in range(4)]
    lines.append(f"| all | | {sum(total)} | {' | '.join(map(str, total))} |")
    text = "\n".join(lines) + "\n"
    if file is not None:
        before, _, rest = file.read_text(encoding="utf-8").partition(_FIRST)
        _, _, after = rest.partition(_LAST)
        file.write_text(before + _FIRST + text + _LAST + after, encoding="utf-8")
    return text
