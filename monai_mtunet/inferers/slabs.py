"""Parts of a volume that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

__all__ = ["slabs"]


def slabs(size: Sequence[int], memory: float, bytes_per_voxel: float) -> Iterator[slice]:
    """Parts along the first axis that fit into memory, one plane at least."""
    plane = float(np.prod(size[1:])) * bytes_per_voxel
    thickness = max(int(memory // plane), 1)
    for start in range(0, size[0], thickness):
        yield slice(start, min(start + thickness, size[0]))
