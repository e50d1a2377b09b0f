"""Single-Task Attention Network (Liu, Johns, Davison 2019): MTAN for one task, its baseline."""

from collections.abc import Mapping

from typing_extensions import Unpack

from .layout import LayoutArguments
from .mtan import MTAN


class STAN(MTAN):
    """:class:`MTAN` for exactly one task; several tasks are several STANs.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of the dense task's prediction; empty if the task is in `out_features`.
        out_features: number of features of the task, if it has one vector per image.
        attention: as of :class:`MTAN`.
        arguments: of :class:`SegNetLayout`, as of :class:`MTAN`.

    Raises:
        ValueError: When there is more than one task, or MTAN raises it.

    Example:
        >>> STAN(spatial_dims=2, in_channels=3, out_channels={"depth": 1})(torch.rand(2, 3, 65, 97))["depth"].shape
        torch.Size([2, 1, 65, 97])

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int] | None = None,
        out_features: Mapping[str, int] | None = None,
        attention: str = "both",
        **arguments: Unpack[LayoutArguments],
    ) -> None:
        tasks = [*(out_channels or {}), *(out_features or {})]
        if len(tasks) > 1:
            raise ValueError(f"STAN has one task, got {tasks}: build one STAN for each, or an MTAN.")
        super().__init__(spatial_dims, in_channels, out_channels, out_features, attention, **arguments)
