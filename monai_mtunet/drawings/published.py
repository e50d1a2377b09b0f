"""The networks of this package as the documentation draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from ..networks import (
    MTAN,
    STAN,
    UMC,
    CrossStitchSegNet,
    DenseSegNet,
    DilatedResNet,
    MTUNet,
    MultiTaskHourglass,
    NetworkChain,
    SegNet,
    sunet_64,
)
from ..pictures import rasterize
from .drawing import draw_network

__all__ = ["DRAWN", "draw_published"]

_DENOISE = {"denoise": 3, "depth": 1, "segment": 19}
_DEPTH = {"segment": 7, "depth": 1}
_PETS = {"segment": 2}, {"species": 2, "box": 4}
_EDGES = {"edges": 1, "segment": 19, "distance": 1}

# Each with the settings and the tasks of its paper.
DRAWN: dict[str, Callable[[], nn.Module]] = {
    "umc_shared": lambda: UMC(2, 3, _DENOISE, connectivity="shared"),
    "umc_causal": lambda: UMC(2, 3, _DENOISE, connectivity="causal"),
    "umc_dense": lambda: UMC(2, 3, _DENOISE, connectivity="dense"),
    "network_chain": lambda: NetworkChain([UMC(2, 3, {"denoise": 3}), UMC(2, 3, {"segment": 19})], via="denoise"),
    "mtunet": lambda: MTUNet(2, 3, _DEPTH),
    "mtunet_no_cross_talk": lambda: MTUNet(2, 3, _DEPTH, cross_talk=False),
    "segnet": lambda: SegNet(2, 3, _DEPTH),
    "mtan_both": lambda: MTAN(2, 3, _DEPTH),
    "mtan_encoder": lambda: MTAN(2, 3, *_PETS, attention="encoder"),
    "stan": lambda: STAN(2, 3, {"segment": 7}),
    "cross_stitch_segnet": lambda: CrossStitchSegNet(2, 3, _DEPTH),
    "dense_segnet": lambda: DenseSegNet(2, 3, _DEPTH),
    "hourglass": lambda: MultiTaskHourglass(2, 3, _EDGES),
    "sunet": lambda: sunet_64(2, 3, {"segment": 21}, {"classify": 20}),
    "sunet_dilated": lambda: sunet_64(2, 3, {"segment": 21, "depth": 1}, output_stride=8),
    "dilated_resnet": lambda: DilatedResNet(2, 3, {"segment": 21, "depth": 1}, output_stride=16),
}


def draw_published(folder: str | Path, names: Sequence[str] = (), file_format: str = "png") -> list[Path]:
    """Write ``network_<name>.<file_format>`` for networks of the package.

    Args:
        folder: where to; it is made if it is not there.
        names: of these networks, keys of `DRAWN`; by default of all.
        file_format: "png", or "svg" or "pdf" for print.

    Returns:
        The written files.

    Raises:
        ValueError: When there is no network of a name.
    """
    if unknown := [name for name in names if name not in DRAWN]:
        raise ValueError(f"There is no network {unknown[0]!r} to draw; there are {', '.join(DRAWN)}.")
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for name in names or DRAWN:
        with torch.device("meta"):
            figure = draw_network(DRAWN[name]())
        paths.append(Path(folder) / f"network_{name}.{file_format}")
        if file_format == "png":  # in few colors, for a small file
            Image.fromarray(rasterize(figure)).quantize(64).save(paths[-1], optimize=True)
        else:
            figure.savefig(paths[-1])
    return paths
