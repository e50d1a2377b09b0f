"""Starting from VGG-16's weights, of a file or of the network."""

import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from .checkpoint_file import CheckpointError, read_checkpoint
from .vgg16_weights import copy_vgg16

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)

VGG16_URLS = {
    "vgg16": "https://download.pytorch.org/models/vgg16-397923af.pth",
    "vgg16_bn": "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth",
}


def load_vgg16(
    network: Network,
    source: str | Path | None = "vgg16_bn",
    other_channels: str = "average",
    depth_axis: int = -1,
    allow_random: bool = False,
) -> Network:
    """Copy VGG-16's weights into a network's encoders, and log exactly what was copied and what not.

    Args:
        network: a network of SegNet's family; see :func:`~monai_mtunet.pretrained.vgg16_weights.copy_vgg16`.
        source: ``"vgg16_bn"`` or ``"vgg16"`` for torchvision's weights, trained on ImageNet, or the URL or path of a
            state dict in the format of torchvision and timm. URLs are fetched once, into torch.hub's folder. Empty or
            None leaves the network as it is.
        other_channels: what the first convolution does if the image has not three channels, ``"average"`` or
            ``"skip"``.
        depth_axis: for 3D networks, the spatial axis that kernels are repeated along.
        allow_random: go on with the network as it is if the weights can not be had, with a warning, instead of raising.

    Returns:
        The network.

    Raises:
        CheckpointError: When the weights can not be had; it says which file to fetch and where to put it.
        ValueError: When they are not VGG-16's, or do not fit the network.

    Example:
        >>> network = load_vgg16(MTAN(2, 3, {"segment": 2}), "vgg16_bn-6c64b313.pth")

    """
    if not source:
        return network
    try:
        state = _read(str(source))
    except CheckpointError as error:
        if not allow_random:
            raise
        logger.warning("%s starts from random weights: %s", type(network).__name__, error)
        return network
    copied = copy_vgg16(network, state, other_channels, depth_axis)
    logger.info(
        "VGG-16 of %s: copied to %d modules: %s; adapted: %s; not copied to: %s.",
        source,
        len(copied.loaded),
        ", ".join(copied.loaded),
        _listed(copied.adapted),
        _listed(copied.kept),
    )
    return network


def _read(source: str) -> Mapping[str, Tensor]:
    url = VGG16_URLS.get(source, source)
    if urlparse(url).scheme not in ("http", "https"):
        if not Path(url).is_file():
            raise CheckpointError(
                f"There is no file {url} with VGG-16's weights: fetch {VGG16_URLS['vgg16_bn']} (or that of timm), and "
                "give its path as source; or set allow_random=True to start from random weights."
            )
        return read_checkpoint(url, map_location="cpu")
    try:
        state: Mapping[str, Tensor] = torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
        raise CheckpointError(
            f"VGG-16's weights could not be read from {url} ({error}): fetch this file on a machine with access to it, "
            f"and put it at {file}, or give its path as source; or set allow_random=True to start from random weights."
        ) from error
    return state


def _listed(modules: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({what})" for name, what in modules.items()) or "none"
