"""Several trained networks as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ...tasks import Task
from .declared import check_declared


class NetworkEnsemble(nn.Module):
    """The mean of several networks' predictions, such as those of the folds of a cross-validation.

    It is called as a network is, so any inferer takes it. What is averaged is declared by the task (`Task.averaging`):
    probabilities of classes, each network's after its own softmax, unit vectors of directions, values otherwise. Logits
    of networks that were trained apart have scales of their own, and the surest network would outvote the others. (The
    predictor of nnU-Net 2 averages logits over folds; nnU-Net 1, and ``ensemble`` of both, average probabilities.)

    Results are used as a network's: of classes they are the logarithms of averaged probabilities. One network alone is
    that network, bit for bit. Networks run one after another, so that memory is needed for all weights, but for one
    network's maps.

    For the mean over flips as well, give networks that see flips, ``[FlippedWindows(network, tasks, axes), ...]``:
    flips are merged network by network.

    Args:
        networks: with the same tasks, each returns ``{task name: (B, C', *window)}``, or (B, C').
        tasks: the declared tasks, at least those that the networks predict.

    Raises:
        ValueError: When there is no network.

    Example:
        >>> folds = [load_pretrained(copy.deepcopy(network), file) for file in files]
        >>> inferer(volume, NetworkEnsemble(folds, tasks))["segment"].exp()  # probabilities (B, classes, *spatial)
    """

    def __init__(self, networks: Sequence[nn.Module], tasks: Sequence[Task]) -> None:
        super().__init__()
        if not networks:
            raise ValueError("NetworkEnsemble needs at least one network.")
        self.networks = nn.ModuleList(networks)
        self.tasks = {task.name: task for task in tasks}

    def forward(self, windows: Tensor, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Predict.

        Args:
            windows: (B, C, *window).
            args: further arguments of the networks.
            kwargs: further arguments of the networks.

        Returns:
            ``{task name: prediction}``, float32 where there are several networks, in the first one's order.

        Raises:
            ValueError: When networks predict different tasks, or one that is not among the tasks.
        """
        totals: dict[str, Tensor] = {}
        for number, network in enumerate(self.networks):
            predictions: dict[str, Tensor] = network(windows, *args, **kwargs)
            if len(self.networks) == 1:
                return predictions
            self._check(predictions, totals, number)
            for name, prediction in predictions.items():
                values = self.tasks[name].averaging.merge(prediction.float(), 1)
                totals[name] = totals[name] + values if name in totals else values
        return {
            name: self.tasks[name].averaging.to_prediction(total / len(self.networks)) for name, total in totals.items()
        }

    def _check(self, predictions: dict[str, Tensor], totals: dict[str, Tensor], number: int) -> None:
        check_declared(predictions, self.tasks)
        if number and predictions.keys() != totals.keys():
            raise ValueError(
                f"Network {number} of the ensemble predicts {list(predictions)}, those before it {list(totals)}: "
                "only predictions of the same tasks can be averaged."
            )
