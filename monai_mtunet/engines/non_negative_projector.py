"""The projection that two of TorchJD's aggregators need, without a GPL library."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor


class NonNegativeProjector:
    """Projection onto the dual cone of the gradients, for TorchJD's ``UPGrad`` and ``DualProj``.

    Finds the ``w >= u`` that is smallest in ``w^T G w``, as a non-negative least squares problem: TorchJD's own solver
    needs quadprog, which is under the GPL. It is exact, also where G is singular. In a configuration it is
    ``{"_target_": "torchjd.aggregation.UPGrad", "projector": {"_target_": "NonNegativeProjector"}}``.

    Example:
        >>> torchjd.aggregation.UPGrad(projector=NonNegativeProjector())
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
