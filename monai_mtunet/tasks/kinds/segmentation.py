"""Semantic segmentation as a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ignite.metrics import ConfusionMatrix, Metric, MetricsLambda
from monai.handlers import IgniteMetricHandler
from monai.utils import convert_to_dst_type
from torch import Tensor, nn

from ...losses import MissingAwareSegmentationLoss
from ...metrics import MissingAwareDiceMetric
from ...pictures import distinct_colors
from ...pictures.picture import Picture
from ..averaging import ProbabilityAveraging
from ..saved_as import SavedAs
from ..task import Task
from .class_numbers import check_class_numbers
from .file_labels import FileLabels


class SegmentationTask(Task):
    """One label per voxel, by softmax over classes.

    Targets are (1, *spatial) integers in 0..C-1, or ``ignore_index`` where there is none. Metrics, from one confusion
    matrix over the data set: ``<name>_miou`` (mean over the classes that occur), ``<name>_accuracy`` (voxel accuracy)
    and ``<name>_iou_<class>``; with ``dice`` also ``<name>_dice``, the mean Dice of the foreground classes (1..C-1)
    per image, averaged over images (MONAI's ``DiceMetric``). With ``f1``, ``<name>_f1_<class>`` of the foreground
    classes, and with ``fwiou``, ``<name>_fwiou``, the mean IoU weighted by how often classes occur, are of the same
    confusion matrix. All are NaN where no image has a target.

    Where files hold other numbers, ``labels`` says so: `LoadSampled` makes class numbers of them, and predictions are
    written with them again, as 8 bits, or 16 bits where one exceeds 255. All between, ``ignore_index`` included, are
    class numbers.

    Args:
        name: the task's name.
        classes: class names; class 0 is the background where there is one.
        palette: RGB per class, 0..255; by default colors that stay apart for the color blind.
        ignore_index: the class number of voxels without a target; in files as well, unless it is in ``labels``.
        labels: what files hold for each class: a number, or several, of which the first is written. Default: 0, 1, ...
        ignored_labels: further numbers that files hold where there is no class.
        dice: whether to measure the per-image Dice, as is customary for organs and lesions.
        f1: whether to measure F1, 2 TP / (2 TP + FP + FN), the Dice of the whole data set.
        fwiou: whether to measure the frequency-weighted IoU.
        loss: replaces the default, cross-entropy over the valid voxels.

    Raises:
        ValueError: for fewer than two classes, two of the same name, a palette of another length, an ``ignore_index``
            that is a class, labels that do not number the classes.

    Example:
        >>> SegmentationTask("segment", classes=["background", "anterior", "posterior"], dice=True)
        >>> SegmentationTask("segment", classes=["background", "lesion"], labels=[0, 255])
    """

    averaging = ProbabilityAveraging()

    def __init__(
        self,
        name: str,
        classes: Sequence[str],
        palette: Sequence[Sequence[int]] | None = None,
        ignore_index: int = 255,
        labels: Sequence[int | Sequence[int]] | None = None,
        ignored_labels: Sequence[int] = (),
        dice: bool = False,
        f1: bool = False,
        fwiou: bool = False,
        loss: nn.Module | None = None,
    ) -> None:
        super().__init__(name, len(classes), loss)
        if len(classes) < 2:
            raise ValueError(f"Task {name!r}: segmentation needs at least two classes, got {list(classes)}.")
        if len({in_metric(label) for label in classes}) < len(classes):
            raise ValueError(f"Task {name!r}: class names must differ (spaces count as _), got {list(classes)}.")
        if not 0 <= ignore_index <= 255:
            raise ValueError(f"Task {name!r}: ignore_index must be in 0..255 (labels are 8 bit), got {ignore_index}.")
        if ignore_index < len(classes):
            raise ValueError(f"Task {name!r}: ignore_index {ignore_index} is the class {classes[ignore_index]!r}.")
        self.classes = tuple(classes)
        self.target_classes = len(classes)
        self.palette = np.asarray(distinct_colors(len(classes)) if palette is None else palette, dtype=np.uint8)
        if self.palette.shape != (len(classes), 3):
            raise ValueError(
                f"Task {name!r}: the palette must hold one RGB color for each of the {len(classes)} classes, "
                f"got an array of shape {self.palette.shape}."
            )
        self.ignore_index = ignore_index
        numbers = FileLabels(name, labels, ignored_labels, len(classes), ignore_index)
        self.label_of_class, self.class_of_label = numbers.of_class, numbers.class_of
        self.saved_as = SavedAs.LABELS if max(self.label_of_class) <= 255 else SavedAs.IDS
        self.dice = dice
        self.f1 = f1
        self.fwiou = fwiou

    def default_loss(self) -> nn.Module:
        """Cross-entropy over the valid voxels (UMC paper, section 4.1)."""
        return MissingAwareSegmentationLoss(ignore_index=self.ignore_index)

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        metrics = self.metrics_of_parts(spatial_dims)
        if self.dice:
            metrics[f"{self.name}_dice"] = IgniteMetricHandler(
                MissingAwareDiceMetric(include_background=False, num_classes=self.channels),
                output_transform=self._label_maps,
            )
        return metrics

    def metrics_of_parts(self, spatial_dims: int) -> dict[str, Metric]:
        """See :meth:`Task.metrics_of_parts`."""
        confusion = ConfusionMatrix(self.channels, output_transform=self._logits_and_labels)
        union = confusion.sum(dim=0) + confusion.sum(dim=1) - confusion.diag()
        iou = confusion.diag() / union  # 0 / 0 = NaN: a class that neither occurs nor is predicted
        metrics: dict[str, Metric] = {
            f"{self.name}_miou": MetricsLambda(lambda values: torch.nanmean(values).item(), iou),
            f"{self.name}_accuracy": MetricsLambda(
                lambda matrix: (matrix.diag().sum() / matrix.sum()).item(), confusion
            ),
        }
        if self.dice:
            metrics[f"{self.name}_dice"] = MetricsLambda(_dice, confusion)
        for index, label in enumerate(self.classes):
            metrics[f"{self.name}_iou_{in_metric(label)}"] = iou[index]
        if self.f1:
            for index, label in enumerate(self.classes[1:], start=1):
                metrics[f"{self.name}_f1_{in_metric(label)}"] = (2 * iou / (1 + iou))[index]
        if self.fwiou:
            metrics[f"{self.name}_fwiou"] = MetricsLambda(_weighted_by_frequency, iou, confusion)
        return metrics

    def _logits_and_labels(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        return output["pred"][self.name], output["label"][self.name].squeeze(1)

    def _label_maps(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        prediction = output["pred"][self.name].argmax(dim=1, keepdim=True)
        target = output["label"][self.name]
        ignored = target == self.ignore_index
        # Background on both sides: Dice of the foreground classes then does not see these voxels.
        return prediction.masked_fill(ignored, 0), target.masked_fill(ignored, 0)

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, 1, *spatial) labels -> int64, checked to be classes or ``ignore_index``."""
        if target.shape[1] != 1:
            raise ValueError(
                f"Task {self.name!r}: labels must have one channel (B, 1, *spatial), got {tuple(target.shape)}."
            )
        return check_class_numbers(target, self.name, self.channels, self.ignore_index)

    def missing_value(self) -> Tensor:
        """See :meth:`Task.missing_value`."""
        return torch.tensor([self.ignore_index], dtype=torch.int16)

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Logits (C, *spatial) -> label map (1, *spatial), uint8."""
        return prediction.argmax(dim=0, keepdim=True).to(torch.uint8)

    def to_file(self, values: Tensor) -> Tensor:
        """Class numbers (1, *spatial) -> the numbers that files hold for them."""
        numbers = torch.tensor(self.label_of_class, dtype=torch.int32)[torch.as_tensor(values).cpu().long()]
        result: Tensor = convert_to_dst_type(numbers, dst=values, dtype=torch.int32)[0]
        return result

    def file_legend(self) -> dict[int, tuple[str, tuple[int, int, int]]]:
        """Class name and RGB of each number that files hold."""
        return dict(zip(self.label_of_class, self.legend().items(), strict=True))

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Label map (1, *spatial) -> 1 for its class and 0 for others (C, *spatial), uint8.

        Raises:
            ValueError: When it holds what is no class.
        """
        labels = values.long()
        wrong = (labels != values) | (labels < 0) | (labels >= self.channels)
        if len(values) != 1 or wrong.any():
            found = f"{len(values)} channels" if len(values) != 1 else values[wrong].unique()[:10].tolist()
            raise ValueError(
                f"Task {self.name!r}: a label map has one channel of class numbers 0..{self.channels - 1}, got {found}."
            )
        return torch.stack([labels[0] == number for number in range(self.channels)]).to(torch.uint8)

    def draw(self, values: Tensor) -> Picture:
        """Labels (1, H, W) in the palette's colors; missing is white."""
        colors = np.full((256, 3), 255, dtype=np.uint8)
        colors[: self.channels] = self.palette
        return colors[values[0].cpu().numpy().astype(np.uint8)]

    def legend(self) -> dict[str, tuple[int, int, int]]:
        """Class names and their colors."""
        return {label: (int(r), int(g), int(b)) for label, (r, g, b) in zip(self.classes, self.palette, strict=True)}

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`."""
        return super().metadata(spatial_dims) | {
            "format": "segmentation",
            "channel_def": {str(index): label for index, label in enumerate(self.classes)},
        }


def _dice(confusion: Tensor) -> float:
    """Of one image, the mean over what it has of the foreground classes; NaN where it has none."""
    counts = confusion.double()
    dice = 2 * counts.diag() / (counts.sum(dim=0) + counts.sum(dim=1))
    return torch.nanmean(dice.masked_fill(counts.sum(dim=1) == 0, torch.nan)[1:]).item()


def _weighted_by_frequency(iou: Tensor, confusion: Tensor) -> float:
    frequency = confusion.sum(dim=1) / confusion.sum()  # rows are the true classes
    return (frequency * iou.nan_to_num(nan=0.0)).sum().item()  # NaN is the IoU of classes that do not occur


def in_metric(label: str) -> str:
    """A class name as metrics bear it."""
    return label.replace(" ", "_")
