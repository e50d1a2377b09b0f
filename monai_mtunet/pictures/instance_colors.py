"""Colors for instances, of which neighbors differ."""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import expand_labels

from .palette import distinct_colors

_NEAR = 2  # voxels between neighbors


def instance_colors(instances: NDArray[np.integer]) -> NDArray[np.uint8]:
    """A color for every instance, so that those that touch or nearly touch differ.

    There are as few colors as that needs, seven at most in nearly all pictures: those of `distinct_colors` but black,
    which are apart for the color blind as well.

    Args:
        instances: (H, W), 0 for none, then ids.

    Returns:
        RGB by id (ids + 1, 3), black for 0.
    """
    graph = nx.Graph()
    graph.add_nodes_from(int(number) for number in np.unique(instances) if number > 0)
    grown = expand_labels(instances, distance=_NEAR)
    for a, b in (
        (grown[1:], grown[:-1]),
        (grown[:, 1:], grown[:, :-1]),
        (grown[1:, 1:], grown[:-1, :-1]),
        (grown[1:, :-1], grown[:-1, 1:]),
    ):
        touching = (a != b) & (a > 0) & (b > 0)
        graph.add_edges_from(np.unique(np.stack([a[touching], b[touching]], axis=1), axis=0).tolist())
    chosen = nx.greedy_color(graph, strategy="saturation_largest_first")
    colors = np.asarray(distinct_colors(2 + max(chosen.values(), default=0))[1:], dtype=np.uint8)
    by_id = np.zeros((int(instances.max(initial=0)) + 1, 3), dtype=np.uint8)
    for number, color in chosen.items():
        by_id[number] = colors[color]
    return by_id
