"""Check of the tensor that a network is given."""

from torch import Tensor


def check_input(x: Tensor, network: str, spatial_dims: int, in_channels: int) -> None:
    """Check rank and channels of a network's input; also compiles to TorchScript and under ``torch.export``.

    Args:
        x: the input, (B, C, *spatial).
        network: the network's name, for the error message.
        spatial_dims: number of spatial dimensions that the network was built for, 2 or 3.
        in_channels: number of channels that the network was built for.

    Raises:
        ValueError: When `x` has another rank or number of channels.

    """
    if x.dim() != spatial_dims + 2 or x.shape[1] != in_channels:
        axes = "H, W" if spatial_dims == 2 else "X, Y, Z"
        raise ValueError(
            f"{network} was built for {spatial_dims}D images (B, {in_channels}, {axes}), got a tensor of shape "
            f"{list(x.shape)}: set spatial_dims and in_channels to the data's, or add the missing axis."
        )
