"""Writes what a bundle predicts into its ``metadata.json``: ``python -m monai_mtunet.bundle bundles/umc``."""

from __future__ import annotations

import fire

from .metadata import write_outputs

if __name__ == "__main__":
    fire.Fire(write_outputs)
