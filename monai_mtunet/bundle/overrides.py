"""Noticing overrides of a bundle, on the command line and in overlays, that would change nothing."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fire.parser import DefaultParseValue
from monai.bundle import ConfigParser
from monai.bundle.reference_resolver import ReferenceResolver
from monai.bundle.scripts import run
from monai.bundle.utils import ID_SEP_KEY, MERGE_KEY

from .command_line import is_bundle_run
from .number_signs import check_number_signs

_SIMILAR = 0.8  # of two names; less would take other names for mistyped ones


def check_overrides(arguments: Sequence[str] | None = None) -> None:
    """Fail on an override that names nothing in the configuration, which MONAI accepts in silence.

    An override must name an item of the configuration files, or an argument of a component in them
    (``--network_def#dropout 0.1`` where ``network_def`` has a ``_target_``). What an overlay adds to a configuration
    that trains must be referred to: otherwise it is mistyped, or the overlay it belongs with is not there. Elsewhere
    it must not be nearly the name of another item of the bundle. No value holds ``#`` but in references, since MONAI
    would change it. Call it first in ``initialize``.

    Args:
        arguments: command line of ``python -m monai.bundle run``; by default this process's, if it is one.

    Raises:
        ValueError: When an override is unknown or mistyped; it names the nearest one. When an overlay adds an item that
            nothing refers to; it names the file and the item. When a value, such as a path, holds ``#``.
    """
    if arguments is None:
        if not is_bundle_run():
            return  # started from Python or by another program: its arguments are not ours to judge
        arguments = sys.argv[2:]
    options = _options(arguments)
    files = DefaultParseValue(options.get("config_file", "")) or []
    config = ConfigParser()
    config.read_config(files)
    parameters = inspect.signature(run).parameters
    for name in options:
        if name not in parameters and not _is_known(config, name):
            known = list(config.get())
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean --{nearest[0]}?" if nearest else f" There are: {', '.join(known)}."
            raise ValueError(f"The override --{name} names nothing in {files}.{hint}")
        if name not in parameters:
            check_number_signs(name, options[name], "the command line")
    check_overlays([files] if isinstance(files, str) else files)


def check_overlays(files: Sequence[str]) -> None:
    """Fail on an item of an overlay that would change nothing, and on a value that MONAI would change.

    Args:
        files: a bundle's configuration and its overlays, in their order.

    Raises:
        ValueError: When an item is mistyped or idle, see `check_overrides`; it names the file and the item.
    """
    for file in files:
        for name, value in ConfigParser.load_config_file(file).items():
            check_number_signs(name, value, file)
    if files:
        config = ConfigParser()
        config.read_config(files)
        _check_overlays(files, config)


def _check_overlays(files: Sequence[str], config: ConfigParser) -> None:
    first, *overlays = files
    known = {*_items(first), *_references(config.get())}
    if "train" not in config:  # what an overlay says about training has nothing to act on
        _check_spelling(overlays, known | _items_beside(first), files)
        return
    for overlay in overlays:
        if idle := sorted(_items(overlay) - known):
            raise ValueError(
                f"{overlay} adds {idle}, to which nothing in {files} refers: mistyped, or it belongs after another "
                "overlay that is missing. Correct the name, or put that overlay before it."
            )


def _check_spelling(overlays: Sequence[str], known: set[str], files: Sequence[str]) -> None:
    for overlay in overlays:
        given = _items(overlay)
        for name in sorted(given - known):
            # What the overlay gives by its right name is not what this one was meant to be.
            if nearest := difflib.get_close_matches(name.strip().lower(), known - given, n=1, cutoff=_SIMILAR):
                raise ValueError(
                    f"{overlay} adds {name!r}, to which nothing in {files} refers. Did you mean {nearest[0]!r}? "
                    "Correct the name."
                )


def _items_beside(file: str) -> set[str]:
    """Names of the items in all configurations of a bundle."""
    names: set[str] = set()
    for other in Path(file).parent.glob("*.json"):
        with suppress(ValueError, AttributeError):  # a file of something else
            names |= _items(str(other))
    return names


def _items(file: str) -> set[str]:
    """Names of the file's items at top level, of nested ids (``validate#handlers``) their first part."""
    names = ConfigParser.load_config_file(file).keys()
    return {ReferenceResolver.normalize_id(name).lstrip(MERGE_KEY).split(ID_SEP_KEY)[0] for name in names}


def _references(content: Any) -> set[str]:
    """First parts of all ids that the configuration refers to, wherever it does."""
    if isinstance(content, str):
        return {name.split(ID_SEP_KEY)[0] for name in ReferenceResolver.match_refs_pattern(content)}
    parts = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return set().union(*map(_references, parts))


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """``--name value`` and ``--name=value`` -> {name: value}."""
    options = {}
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            options[name.replace("#", ID_SEP_KEY)] = value if equals else following
    return options


def _is_known(config: ConfigParser, name: str) -> bool:
    parent, _, _ = name.rpartition(ID_SEP_KEY)
    return name in config or (bool(parent) and parent in config and "_target_" in config[parent])
