"""Optional packages, and how they are installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["optional_package"]


def optional_package(name: str, purpose: str) -> ModuleType:
    """Import a package of the extra ``files``.

    Args:
        name: of the package.
        purpose: what it is needed for, as the start of a sentence.

    Raises:
        ImportError: When it is not installed, or too old; with the line that installs it.
    """
    try:
        module = import_module(name)
    except ImportError as error:
        raise ImportError(f"{purpose} needs the package {name}: pip install 'monai_mtunet[files]'") from error
    if name == "zarr" and not hasattr(module, "create_array"):
        raise ImportError(
            f"{purpose} needs zarr 3, found {module.__version__}: pip install 'monai_mtunet[files]' "
            "(Python 3.11 or newer)"
        )
    return module
