"""Draws the package's networks: ``python -m monai_mtunet.drawings docs/images``."""

from __future__ import annotations

from pathlib import Path

import fire
import torch
from PIL import Image

from ..pictures import rasterize
from .drawing import draw_network
from .published import DRAWN


def draw(folder: str, only: str = "", suffix: str = "png") -> None:
    """Write ``network_<name>.<suffix>`` for every network of the package.

    Args:
        folder: where to.
        only: the name of one network.
        suffix: "png", or "svg" or "pdf" for print.

    Raises:
        ValueError: When there is no network of this name.
    """
    if only not in ("", *DRAWN):
        raise ValueError(f"There is no network {only!r} to draw; there are {', '.join(DRAWN)}.")
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, build in DRAWN.items():
        if only in ("", name):
            with torch.device("meta"):
                figure = draw_network(build())
            path = Path(folder) / f"network_{name}.{suffix}"
            if suffix == "png":  # in few colors, for a small file
                Image.fromarray(rasterize(figure)).quantize(64).save(path, optimize=True)
            else:
                figure.savefig(path)


if __name__ == "__main__":
    fire.Fire(draw)
