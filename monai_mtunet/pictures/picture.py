"""What a picture is, and how intensities become one."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Picture = NDArray[np.uint8]  # RGB (H, W, 3)


def draw_intensities(values: Tensor, low: float, high: float) -> Picture:
    """Intensities as gray or RGB.

    Args:
        values: (C, H, W); three channels are red, green and blue, of other counts the first is drawn in gray.
        low: what is black; what is lower is as well.
        high: what is white; what is higher is as well.

    Returns:
        RGB (H, W, 3); NaN is white.
    """
    picture = (values.float().cpu() - low) / (high - low)
    picture = picture.nan_to_num(nan=1.0).clamp(0, 1)
    picture = picture if len(picture) == 3 else picture[:1].expand(3, -1, -1)
    drawn: Picture = (picture * 255).round().to(torch.uint8).permute(1, 2, 0).numpy().astype(np.uint8)
    return drawn
