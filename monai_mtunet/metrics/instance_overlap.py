"""Which predicted instances overlap which true ones, and by how many voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from skimage.metrics import contingency_table

__all__ = ["MISSING", "InstanceOverlap", "instance_overlap"]

Integers = NDArray[np.int64]

MISSING = -1  # in a map of true instances: unknown


class InstanceOverlap(NamedTuple):
    """The P predicted and T true instances of an image, and the K pairs that share voxels and have one class.

    Sizes are in voxels, where the target is not missing. A predicted instance of which more than half lies where it is
    missing is ``ignored`` unless it is matched: it counts as no error ("void" in Kirillov et al., "Panoptic
    Segmentation", CVPR 2019, section 4.2).
    """

    predicted_size: Integers  # (P,)
    predicted_class: Integers  # (P,), 0 without classes
    ignored: NDArray[np.bool_]  # (P,)
    true_size: Integers  # (T,)
    true_class: Integers  # (T,)
    predicted: Integers  # (K,), 0 .. P - 1
    true: Integers  # (K,), 0 .. T - 1
    shared: Integers  # (K,)
    known: bool  # whether any voxel has a target

    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of the pairs, (K,). Each instance has more than 0.5 with one other at most."""
        union = self.predicted_size[self.predicted] + self.true_size[self.true] - self.shared
        return np.asarray(self.shared / union)

    def of_class(self, number: int) -> InstanceOverlap:
        """What is left of one class; sizes stay, indices are those of what is left."""
        predicted, true = self.predicted_class == number, self.true_class == number
        pairs = predicted[self.predicted]  # and true[self.true], since pairs have one class
        return InstanceOverlap(
            self.predicted_size[predicted],
            self.predicted_class[predicted],
            self.ignored[predicted],
            self.true_size[true],
            self.true_class[true],
            (np.cumsum(predicted) - 1)[self.predicted[pairs]],
            (np.cumsum(true) - 1)[self.true[pairs]],
            self.shared[pairs],
            self.known,
        )


def instance_overlap(maps: Sequence[NDArray[Any]], ignore_index: int = 255) -> InstanceOverlap:
    """Count the voxels that predicted and true instances share.

    Time and memory grow with the voxels and with the pairs that overlap, not with the product of the numbers of
    instances; numbers may have gaps, as Cityscapes' 26001.

    Args:
        maps: integers ``(*spatial)``: the numbers of the predicted instances, 0 for none; those of the true ones, 0 for
            none and -1 for missing; and if there are classes, the predicted and the true ones. The class of an instance
            is that of most of its voxels, of equally frequent ones the lowest. Where the true class is
            ``ignore_index``, the target is missing if it is no instance; so is an instance without any class.
        ignore_index: the class number of voxels without one.

    Returns:
        the table of overlaps.
    """
    prediction, target = maps[0], maps[1].astype(np.int64)
    predicted_classes = true_classes = None
    if len(maps) == 4:
        has_class = maps[3] != ignore_index
        predicted_classes = _majority(prediction, maps[2])
        true_classes = _majority(np.where(has_class, target, 0), maps[3])
        target[~has_class & ~np.isin(target, true_classes[0])] = MISSING
    some = (prediction > 0) | (target > 0)
    predicted, true, table = _table(prediction[some], target[some])
    area, true_size = table.sum(axis=1), table.sum(axis=0)
    missing = table[:, true == MISSING].sum(axis=1)
    real_row, real_column = predicted > 0, true > 0
    predicted_class = _class_of(predicted[real_row], predicted_classes)
    true_class = _class_of(true[real_column], true_classes)
    shared = table[real_row][:, real_column].tocoo()
    row, column = shared.row.astype(np.int64), shared.col.astype(np.int64)
    alike = predicted_class[row] == true_class[column]
    return InstanceOverlap(
        (area - missing)[real_row],
        predicted_class,
        (2 * missing > area)[real_row],
        true_size[real_column],
        true_class,
        row[alike],
        column[alike],
        shared.data[alike],
        bool((target != MISSING).any()),
    )


def _table(first: NDArray[Any], second: NDArray[Any]) -> tuple[Integers, Integers, csr_array]:
    """The numbers in two maps, in order, and how many voxels each pair of them shares, (numbers, numbers)."""
    rows, row = np.unique(first, return_inverse=True)
    columns, column = np.unique(second, return_inverse=True)
    # Of places in order, not of numbers: a table has a row for every number up to the highest, and none below 0.
    counts = contingency_table(row, column) if row.size else csr_array((0, 0))  # empty maps raise an error there
    return rows.astype(np.int64), columns.astype(np.int64), csr_array(counts, dtype=np.int64)


def _majority(instances: NDArray[Any], classes: NDArray[Any]) -> tuple[Integers, Integers]:
    """The numbers of the instances, in order, and the class of most voxels of each."""
    numbers, labels, table = _table(instances, classes)
    real = numbers > 0
    return numbers[real], labels[table.argmax(axis=1)][real]  # of equally frequent ones the first


def _class_of(numbers: Integers, known: tuple[Integers, Integers] | None) -> Integers:
    """The classes of instances, 0 when there are no class maps."""
    return np.zeros_like(numbers) if known is None else known[1][np.searchsorted(known[0], numbers)]
