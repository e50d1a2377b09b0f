"""TorchJD's aggregators by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

Aggregator = Callable[[Tensor], Tensor]


class NonNegativeProjector:
    """Projection onto the dual cone of the gradients, for TorchJD's ``UPGrad`` and ``DualProj``.

    Finds the ``w >= u`` that is smallest in ``w^T G w``, as a non-negative least squares problem: TorchJD's own solver
    needs quadprog, which is under the GPL. It is exact, also where G is singular.

    Example:
        >>> UPGrad(projector=NonNegativeProjector())
    """

    def __call__(self, weights: Tensor, gramian: Tensor) -> Tensor:
        """Project.

        Args:
            weights: (..., T), each vector a ``u``.
            gramian: (T, T) products of the tasks' gradients.

        Returns:
            (..., T).
        """
        values, vectors = np.linalg.eigh(gramian.detach().double().cpu().numpy())
        root = np.sqrt(np.clip(values / max(values[-1], np.finfo(float).tiny), 0, None))[:, None] * vectors.T

        def project(u: NDArray[np.float64]) -> NDArray[np.float64]:
            projected: NDArray[np.float64] = u + nnls(root, -root @ u)[0]
            return projected

        found = np.apply_along_axis(project, -1, weights.detach().double().cpu().numpy())
        return torch.as_tensor(found, dtype=gramian.dtype, device=gramian.device)


def aggregator_by_name(name: str) -> Aggregator:
    """One of TorchJD's aggregators, with its default arguments.

    Args:
        name: its class, such as ``"PCGrad"``, ``"AlignedMTL"``, ``"UPGrad"`` or ``"Sum"``.

    Raises:
        ImportError: when TorchJD is not installed.
        ValueError: when there is no such aggregator, or it needs arguments.
    """
    try:
        from torchjd import aggregation
    except ImportError as error:
        raise ImportError(
            f"Gradient balancing by {name!r} needs TorchJD: install the extra, pip install -e '.[jd]' in a clone."
        ) from error
    bases = ("Aggregator", "WeightedAggregator", "GramianWeightedAggregator")
    classes: dict[str, Any] = {
        key: value
        for key, value in vars(aggregation).items()
        if inspect.isclass(value) and issubclass(value, aggregation.Aggregator) and key not in bases
    }
    if name not in classes:
        raise ValueError(f"There is no aggregator {name!r}; TorchJD's are {sorted(classes)}.")
    parameters = inspect.signature(classes[name]).parameters
    required = [key for key, value in parameters.items() if value.default is value.empty]
    if required:
        raise ValueError(
            f"The aggregator {name!r} needs {required}: give an object, in a configuration "
            f'{{"_target_": "torchjd.aggregation.{name}", "{required[0]}": ...}}.'
        )
    arguments = {"projector": NonNegativeProjector()} if "projector" in parameters else {}
    aggregator: Aggregator = classes[name](**arguments)
    return aggregator
