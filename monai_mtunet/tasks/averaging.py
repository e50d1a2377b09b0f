"""How several predictions of one image become one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


class Averaging:
    """The mean of the predicted values; other kinds of predictions have subclasses.

    Predictions (B, C, *spatial) of an image and its flips are summed and merged; what is merged is averaged over
    networks, windows and, renormalized, scales; and the average becomes a prediction again, such as a network's.
    """

    def merge(self, total: Tensor, count: int) -> Tensor:
        """The sum of ``count`` predictions -> float32 values of which means make sense."""
        return total.float() / count

    def renormalize(self, values: Tensor) -> Tensor:
        """Merged values after averaging or interpolation -> such values as :meth:`merge` gives."""
        return values

    def to_prediction(self, values: Tensor) -> Tensor:
        """Averaged values -> what metrics and post-processing take."""
        return values


class ProbabilityAveraging(Averaging):
    """The mean of probabilities: logits are summed, not averaged, before the softmax, as the SUNet paper's code does.

    The result is their logarithm: its softmax gives the averaged probabilities, and its argmax the most probable class.
    """

    def merge(self, total: Tensor, count: int) -> Tensor:
        """Summed logits -> probabilities."""
        return total.float().softmax(dim=1)

    def renormalize(self, values: Tensor) -> Tensor:
        """Divide by the sum over classes."""
        return values / values.sum(dim=1, keepdim=True)

    def to_prediction(self, values: Tensor) -> Tensor:
        """Probabilities -> their logarithms, which are finite."""
        return values.clamp_min(torch.finfo(values.dtype).tiny).log()


class DirectionAveraging(Averaging):
    """The mean of directions: vectors have unit length before they are averaged."""

    def merge(self, total: Tensor, count: int) -> Tensor:
        """Summed vectors -> unit vectors."""
        return self.renormalize(total.float())

    def renormalize(self, values: Tensor) -> Tensor:
        """Divide by the length."""
        return F.normalize(values, dim=1)
