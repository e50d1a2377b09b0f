"""An overlay as text that people read: an item a line, wrapped where it is long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["overlay_text"]

_WIDTH = 120
_INDENT = 4


def overlay_text(overlay: Mapping[str, Any]) -> str:
    """JSON with an item of the overlay a line; what does not fit into 120 columns goes on in further lines.

    Args:
        overlay: JSON values.
    """
    items = [
        f"{' ' * _INDENT}{json.dumps(name)}: {_value(value, _INDENT, len(name) + 4)}" for name, value in overlay.items()
    ]
    return "{\n" + ",\n".join(items) + "\n}\n"


def _value(value: Any, indent: int, before: int) -> str:
    """A value whose first line begins after ``before`` characters, at an indent."""
    plain = json.dumps(value, ensure_ascii=False)
    if indent + before + len(plain) + 1 <= _WIDTH or not isinstance(value, list | dict):
        return plain
    inner = indent + _INDENT
    if isinstance(value, list) and any(isinstance(one, list | dict) for one in value):
        lines = [" " * inner + _value(one, inner, 0) for one in value]
        return "[\n" + ",\n".join(lines) + "\n" + " " * indent + "]"
    if isinstance(value, list):
        return "[" + _filled([json.dumps(one, ensure_ascii=False) for one in value], inner, indent + before + 1) + "]"
    parts = [f"{json.dumps(key)}: {_value(one, inner, len(key) + 4)}" for key, one in value.items()]
    return "{" + _filled(parts, inner, indent + before + 1) + "}"


def _filled(parts: list[str], indent: int, column: int) -> str:
    """Parts behind each other, with a comma between, broken where a line is full."""
    text = ""
    for number, part in enumerate(parts):
        comma = "," if number < len(parts) - 1 else ""
        if number and column + len(part.split("\n")[0]) + 2 > _WIDTH:
            text, column = text.rstrip() + "\n" + " " * indent, indent
        text += part + comma + (" " if comma else "")
        column = (len(part.rsplit("\n", 1)[-1]) if "\n" in part else column + len(part)) + 2
    return text
