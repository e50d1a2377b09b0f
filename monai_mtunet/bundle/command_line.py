"""Whether this process is a bundle's run."""

from __future__ import annotations

import sys

__all__ = ["is_bundle_run"]


def is_bundle_run() -> bool:
    """Whether the command line is that of ``python -m monai.bundle run``."""
    return sys.argv[0].endswith("__main__.py") and "run" in sys.argv[1:2]
