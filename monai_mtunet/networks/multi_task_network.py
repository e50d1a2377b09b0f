"""The front that all networks of several tasks share."""

from collections.abc import Mapping

from torch import nn

from .blocks.task_channels import check_tasks


class MultiTaskNetwork(nn.Module):
    """A module with one prediction per task, all of them in the dict that `forward` returns.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction, in the order of the predictions.
        out_features: length of each prediction that is one vector per image; they come after the dense ones.

    Attributes:
        spatial_dims: as given.
        in_channels: as given.
        out_channels: as given, in a plain dict.
        out_features: as given, in a plain dict; empty where all predictions are maps.

    Raises:
        ValueError: When `spatial_dims` is neither 2 nor 3, or the tasks do not pass `check_tasks`.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int] | None,
        out_features: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}.")
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.out_channels, self.out_features = check_tasks(out_channels, out_features)
