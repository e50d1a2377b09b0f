"""Long lists of a network's tensors, told in few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["listed", "listed_with_reasons"]

_AT_MOST = 8


def listed(names: Iterable[str], among: Iterable[str]) -> str:
    """Names of tensors, with a module's name for all of its tensors.

    Args:
        names: the tensors.
        among: all tensors there are.

    Example:
        >>> listed(["head.weight", "head.bias", "stem.bias"], ["stem.weight", "stem.bias", "head.weight", "head.bias"])
        'head (2 tensors), stem.bias'
    """
    names = list(names)
    here, everywhere = _per_module(names), _per_module({*among, *names})
    entries: dict[str, None] = {}
    for name in names:
        module = next(m for m in _modules_of(name) if here[m] >= everywhere[m])
        entries[f"{module} ({here[module]} tensors)" if here[module] > 1 else name] = None
    return _joined(list(entries), ", ")


def listed_with_reasons(reasons: Mapping[str, str], among: Iterable[str]) -> str:
    """The same of names with reasons, those of one reason together."""
    among = list(among)
    groups: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        groups.setdefault(reason, []).append(name)
    return _joined([f"{listed(names, among)} ({reason})" for reason, names in groups.items()], "; ")


def _joined(entries: list[str], separator: str) -> str:
    more = f" and {len(entries) - _AT_MOST} more" if len(entries) > _AT_MOST else ""
    return separator.join(entries[:_AT_MOST]) + more or "none"


def _modules_of(name: str) -> list[str]:
    """The modules that a tensor is in, outermost first, and the tensor itself."""
    words = name.split(".")
    return [".".join(words[:depth]) for depth in range(1, len(words) + 1)]


def _per_module(names: Iterable[str]) -> Counter[str]:
    return Counter(module for name in names for module in _modules_of(name))
