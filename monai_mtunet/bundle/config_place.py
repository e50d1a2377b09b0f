"""Where in a configuration an error came up, as MONAI's own errors around it say."""

from __future__ import annotations

import re

__all__ = ["place_in_config"]

_COMPONENT = re.compile(r"Failed to instantiate component '([\w.]+)' with keywords: (.*)")
_EXPRESSION = re.compile(r"Failed to evaluate ConfigExpression:\s*(.+)", re.DOTALL)
_NO_CLASS = re.compile("Cannot locate class or function path")
_UNDEFINED = re.compile(r"referring item `@?([^`]+)` is not defined")
_REFERENCE = re.compile(r"__local_refs\['([^']+)'\]")


def place_in_config(error: BaseException | None) -> str | None:
    """Find the innermost item of a configuration that an error came up in, and say what to check.

    Args:
        error: the last of a chain.

    Returns:
        A sentence; ``None`` when nothing tells.
    """
    place = None
    while error is not None:
        place = _of(error) or place
        error = error.__cause__ or error.__context__
    return place


def _of(error: BaseException) -> str | None:
    text = str(error)
    if isinstance(error, SyntaxError):
        return f"It came up with the expression {(error.text or '').strip()}: correct it"
    if _NO_CLASS.match(text):
        return 'It came up with a "_target_": check its name, and that its module is in "imports"'
    if component := _COMPONENT.search(text):
        return f"It came up while making {component[1]} of {component[2]}: check these items"
    if expression := _EXPRESSION.search(text):
        parts = "".join(re.findall(r"""["'](.*)["']""", expression[1]))
        return f"It came up in the expression {_REFERENCE.sub(_as_written, parts)}: check it"
    if reference := _UNDEFINED.search(text):
        return f"It came up with the reference @{reference[1].replace('::', '#')}: name an item that is there"
    return None


def _as_written(reference: re.Match[str]) -> str:
    return "@" + reference[1].replace("::", "#")
