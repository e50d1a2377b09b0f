"""Pages that need nothing but themselves."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..files.replacing import replacing
from .picture_bytes import data_uri

__all__ = ["write_page"]


def write_page(path: Path, template: str, **content: Any) -> None:
    """Write a page, which replaces an earlier one when it is complete.

    Args:
        path: of the HTML file.
        template: name of a file in ``templates``.
        content: what the template is given; all text in it is escaped.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"number": number, "picture": lambda file: data_uri(file[1], file[0])}
    text = environment.get_template(template).render(**content)
    with replacing(path) as made:
        made.write_text(text, encoding="utf-8")


def number(value: float | None) -> str:
    """A value in four digits; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.4g}"
