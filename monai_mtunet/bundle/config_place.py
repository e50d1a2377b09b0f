"""Where in a configuration an error came up, as MONAI's own errors around it say."""

from __future__ import annotations

import re
import traceback

__all__ = ["place_in_config"]

_COMPONENT = re.compile(r"Failed to instantiate component '([\w.]+)' with keywords: (.*)")
_EXPRESSION = re.compile(r"Failed to evaluate ConfigExpression:\s*(.+)", re.DOTALL)
_NO_CLASS = re.compile("Cannot locate class or function path")
_UNDEFINED = re.compile(r"referring item `@?([^`]*)` is not defined")
_REFERENCE = re.compile(r"__local_refs\['([^']+)'\]")
_CIRCULAR = "detected circular references"
_RESOLVING = "_resolve_one_item"  # of MONAI's ReferenceResolver


def place_in_config(error: BaseException | None) -> str | None:
    """Find the innermost item of a configuration that an error came up in, and say what to check.

    Args:
        error: the last of a chain.

    Returns:
        A sentence; ``None`` when nothing tells.
    """
    item = advice = None
    while error is not None:
        item, advice = _item(error) or item, _advice(error) or advice
        error = error.__cause__ or error.__context__
    if item is None:
        return None if advice is None else f"It came up {advice}"
    return f"It came up in {item}" + (f", {advice}" if advice else ": check this item")


def _item(error: BaseException) -> str | None:
    """Name of the innermost item that was being resolved, which MONAI's messages leave out."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == _RESOLVING)
    items = [str(frame.f_locals.get("id", "")) for frame in frames]
    return next((item.replace("::", "#") for item in reversed(items) if item), None)


def _advice(error: BaseException) -> str | None:
    text = str(error)
    if isinstance(error, SyntaxError):
        return f"with the expression {(error.text or '').strip()}: correct it"
    if _NO_CLASS.match(text):
        return 'with a "_target_": check its name, and that its module is in "imports"'
    if _CIRCULAR in text:
        return "with a reference that leads back to itself: name another item"
    if component := _COMPONENT.search(text):
        return f"while making {component[1]} of {component[2]}: check these items"
    if expression := _EXPRESSION.search(text):
        parts = "".join(re.findall(r"""["'](.*)["']""", expression[1]))
        return f"in the expression {_REFERENCE.sub(_as_written, parts)}: check it"
    if reference := _UNDEFINED.search(text):
        return f"with the reference @{reference[1].replace('::', '#')}: name an item that is there"
    return None


def _as_written(reference: re.Match[str]) -> str:
    return "@" + reference[1].replace("::", "#")
