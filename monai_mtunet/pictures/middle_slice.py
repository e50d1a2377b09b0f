"""The plane of a volume that pictures show."""

from __future__ import annotations

import torch
from torch import Tensor


def middle_slice(values: Tensor) -> Tensor:
    """An image as it is; of a volume the middle slice along z, turned so that x runs right and y up.

    Args:
        values: (C, H, W) or (C, X, Y, Z).

    Returns:
        (C, H, W).
    """
    values = torch.as_tensor(values)
    if values.ndim == 3:
        return values
    return torch.rot90(values[..., values.shape[-1] // 2], k=1, dims=(1, 2))
