"""Noticing ``#`` in what a configuration says, which MONAI reads as a separator of ids everywhere."""

from __future__ import annotations

import json
import re
from typing import Any

from monai.bundle.utils import MACRO_KEY

__all__ = ["check_number_signs"]

_REFERENCES = re.compile(r"[@%][\w#:]+")


def check_number_signs(name: str, value: Any, where: str) -> None:
    """Refuse a value with ``#`` outside of references: MONAI would make ``::`` of it, of a path another path.

    Args:
        name: of the item.
        value: its content, looked through as a whole.
        where: where it stands, for the message.

    Raises:
        ValueError: It names the item, and how to write the value.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            check_number_signs(f"{name}#{key}", inner, where)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            check_number_signs(f"{name}#{index}", inner, where)
    elif isinstance(value, str) and "#" in _REFERENCES.sub("", value) and not value.startswith(MACRO_KEY):
        raise ValueError(
            f'{where}: {name} is {value!r}, but MONAI makes "::" of every "#". Rename the file or folder, or write '
            f"{_instead(value)}. Paths in a data list that is read from a file may hold it."
        )


def _instead(value: str) -> str:
    if value.startswith("$"):
        return "chr(35) for it"
    return json.dumps("$" + " + chr(35) + ".join(map(repr, value.split("#"))))
