"""Normalization that stays as it was trained."""

from typing import Any, TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

Network = TypeVar("Network", bound=nn.Module)


def freeze_normalization(network: Network, affine: bool = True) -> Network:
    """Fix a network's batch normalizations, for fine-tuning with small batches.

    They use their running statistics and do not take up the batch's: before each pass they go to eval mode, whatever
    ``network.train()`` (which MONAI's trainer calls in every iteration) set. State dict and results in eval mode stay
    the same. A network so changed does not compile to TorchScript: for inference build it without.

    Args:
        network: changed in place.
        affine: whether their weights and biases stop learning as well.

    Returns:
        The network.

    Raises:
        ValueError: When the network has no batch normalization.

    Example:
        >>> network = freeze_normalization(sunet_64(2, 3, {"segment": 21}, output_stride=16))

    """
    normalizations = _batch_normalizations(network)
    if not normalizations:
        raise ValueError(f"{type(network).__name__} has no batch normalization to freeze: take the option away.")
    if affine:
        for normalization in normalizations:
            normalization.requires_grad_(False)
    network.register_forward_pre_hook(_to_eval_mode)
    return network


def _to_eval_mode(network: nn.Module, inputs: Any) -> None:
    for normalization in _batch_normalizations(network):
        normalization.eval()


def _batch_normalizations(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]
