"""The command line: ``python -m monai_mtunet``."""

from __future__ import annotations

from .commands.app import main

if __name__ == "__main__":
    main()
