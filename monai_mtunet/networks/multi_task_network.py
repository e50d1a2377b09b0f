"""The front that all networks of several tasks share."""

from collections.abc import Mapping, Sequence

from torch import nn
from typing_extensions import Self

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

    def keep_only(self, tasks: Sequence[str] | str) -> Self:
        """Take away what the given tasks do not need: prediction of some of a trained network's tasks.

        Their predictions stay the same, bit for bit, and so do the names of the parameters that are left. Heads and
        decoders of the other tasks go, so call it after weights are loaded. What the given tasks hear from the others
        stays: earlier pathways of UMC, cross-talk, cross-stitched networks; their heads go.

        Args:
            tasks: names of the tasks to predict, in any order, as a list or separated by blanks.

        Returns:
            The network itself, changed in place. `out_channels` and `out_features` are those of the given tasks.

        Raises:
            ValueError: When there is no name, or the network predicts no task of a name.

        Example:
            >>> network = UMC(2, 3, {"denoise": 3, "segment": 19}, connectivity="shared")
            >>> list(network.keep_only("segment")(torch.rand(1, 3, 64, 64)))
            ['segment']

        """
        predicted = [*self.out_channels, *self.out_features]
        names = tasks.split() if isinstance(tasks, str) else list(tasks)
        unknown = [name for name in names if name not in predicted]
        if unknown or not names:
            raise ValueError(f"keep_only must name one or more of the network's tasks {predicted}, got {names}.")
        kept = [name for name in predicted if name in names]
        if kept != predicted:
            self.out_channels = {name: number for name, number in self.out_channels.items() if name in kept}
            self.out_features = {name: number for name, number in self.out_features.items() if name in kept}
            self._keep(kept)
        return self

    def _keep(self, tasks: list[str]) -> None:
        """Remove the modules that no task of `tasks` needs, some of the network's and in their order.

        `out_channels` and `out_features` hold these tasks already. A network of several tasks gives this.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say which of its modules {tasks} need (_keep).")
