"""Classification of whole images as a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from ignite.metrics import Metric, MetricsLambda
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor, nn

from ...losses import MissingAwareSegmentationLoss
from ...metrics import MissingAwareTopKAccuracy
from ...pictures.picture import Picture
from ..averaging import ProbabilityAveraging
from ..saved_as import SavedAs
from ..task import Task
from .class_numbers import check_class_numbers

_DRAWN = 5  # the most probable classes


class ClassificationTask(Task):
    """One label per image, by softmax over classes. It is not dense: the network's head gives (B, classes).

    Targets are one integer per image in 0..C-1, or ``ignore_index`` where there is none. Metrics, of the images that
    have a label: ``<name>_accuracy``, ``<name>_top1_error`` (1 - accuracy) and, of more than five classes,
    ``<name>_top5_error``: the share of images whose label is not among the five highest logits. All are in 0..1, and
    NaN where no image has a label. With ``recall`` also ``<name>_recall_<class>``, the accuracy of the images of one
    class: what accuracy means on a section that holds no other.

    Args:
        name: the task's name.
        classes: class names.
        ignore_index: the label of images without a target. Not the 255 of label maps, which are 8 bit: ImageNet has
            a class of that number.
        loss: replaces the default, the cross-entropy of the labeled images; it takes logits (B, C) and labels (B, 1).
        recall: whether to measure each class's recall.

    Raises:
        ValueError: for fewer than two classes, or an ``ignore_index`` that is a class.

    Example:
        >>> ClassificationTask("classify", classes=["cat", "dog"])
    """

    averaging = ProbabilityAveraging()
    errors = ("top1_error", "top5_error")
    has_window_mean = True
    saved_as = SavedAs.JSON

    def __init__(
        self,
        name: str,
        classes: Sequence[str],
        ignore_index: int = -1,
        loss: nn.Module | None = None,
        recall: bool = False,
    ) -> None:
        super().__init__(name, len(classes), loss)
        if len(classes) < 2:
            raise ValueError(f"Task {name!r}: classification needs at least two classes, got {list(classes)}.")
        if 0 <= ignore_index < len(classes):
            raise ValueError(
                f"Task {name!r}: ignore_index {ignore_index} is the class {classes[ignore_index]!r}; choose -1."
            )
        self.classes = tuple(classes)
        self.target_classes = len(classes)
        self.ignore_index = ignore_index
        self.recall = recall

    def default_loss(self) -> nn.Module:
        """Cross-entropy over the labeled images."""
        return MissingAwareSegmentationLoss(ignore_index=self.ignore_index)

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        accuracy = self._top_k(1)
        metrics: dict[str, Metric] = {f"{self.name}_accuracy": accuracy, f"{self.name}_top1_error": _error(accuracy)}
        if self.channels > 5:  # of fewer it would always be 0
            metrics[f"{self.name}_top5_error"] = _error(self._top_k(5))
        if self.recall:
            metrics |= {
                f"{self.name}_recall_{label.replace(' ', '_')}": self._top_k(1, of_class=number)
                for number, label in enumerate(self.classes)
            }
        return metrics

    def _top_k(self, k: int, of_class: int | None = None) -> Metric:
        def logits_and_labels(output: dict[str, Any]) -> tuple[Tensor, Tensor]:
            logits, labels = self._logits_and_labels(output)
            return logits, labels if of_class is None else labels.where(labels == of_class, self.ignore_index)

        return MissingAwareTopKAccuracy(k, self.ignore_index, output_transform=logits_and_labels)

    def _logits_and_labels(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        return output["pred"][self.name], output["label"][self.name].squeeze(1)

    def prepare_target(self, target: Tensor) -> Tensor:
        """Labels (B,) or (B, 1) -> int64 (B, 1), checked to be classes or ``ignore_index``."""
        if target.ndim not in (1, 2) or target.shape[1:].numel() != 1:
            raise ValueError(
                f"Task {self.name!r}: there must be one label per image, (B,) or (B, 1), got {tuple(target.shape)}."
            )
        return check_class_numbers(target.reshape(-1, 1), self.name, self.channels, self.ignore_index)

    def missing_value(self) -> Tensor:
        """See :meth:`Task.missing_value`."""
        return torch.tensor([self.ignore_index])

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Logits (C,) -> probabilities (C,), float32."""
        return prediction.float().softmax(dim=0)

    def to_json(self, values: Tensor) -> dict[str, Any]:
        """Probabilities (C,) as the most probable class, its number, and all probabilities in the order of classes."""
        number = int(values.argmax())
        return {"class": self.classes[number], "number": number, "probabilities": values.tolist()}

    def from_json(self, content: Mapping[str, Any]) -> Tensor:
        """Probabilities (C,)."""
        return torch.tensor(content["probabilities"], dtype=torch.float32)

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Probabilities (C,) -> their logarithms, which are logits.

        Raises:
            ValueError: When there is not one per class.
        """
        if values.shape != (self.channels,):
            raise ValueError(
                f"Task {self.name!r} has {self.channels} classes, got probabilities of shape {tuple(values.shape)}."
            )
        return values.log()

    def values_of_target(self, target: Tensor) -> Tensor:
        """A label (1,) as probabilities (C,): 1 for its class; NaN where it is missing."""
        if target.item() == self.ignore_index:
            return torch.full((self.channels,), torch.nan)
        return nn.functional.one_hot(target[0].cpu(), self.channels).float()

    def draw(self, values: Tensor) -> Picture:
        """Probabilities (C,) as bars with the names of the most probable classes; nothing where they are missing."""
        figure = Figure(figsize=(2.4, 2.4), dpi=110)
        axis = figure.add_axes((0, 0, 1, 1))
        axis.set(xlim=(0, 1), ylim=(_DRAWN - 0.5, -0.5))
        axis.axis("off")
        probabilities, numbers = values.float().cpu().nan_to_num(nan=0.0).topk(min(_DRAWN, self.channels))
        for row, (probability, number) in enumerate(zip(probabilities.tolist(), numbers.tolist(), strict=True)):
            if probability > 0:
                axis.barh(row, probability, color="lightsteelblue")
                axis.text(0.03, row, f"{self.classes[number]} {probability:.2f}", va="center", fontsize=9)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`."""
        return super().metadata(spatial_dims) | {
            "type": "probabilities",
            "format": "classes",
            "spatial_shape": [],
            "value_range": [0, 1],
            "channel_def": {str(index): label for index, label in enumerate(self.classes)},
        }


def _error(accuracy: Metric) -> MetricsLambda:
    return MetricsLambda(lambda share: 1 - share, accuracy)
