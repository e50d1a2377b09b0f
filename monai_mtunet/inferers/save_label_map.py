"""Label maps as test servers take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..files.replacing import replacing
from ..pictures import label_png
from ..tasks import SegmentationTask
from .save_predictions import SampleWriter, meta_of


class SaveLabelMapd(SampleWriter):
    """Writes the label map of an image as ``<id>.png``, in the data set's own labels, for its test server.

    It stands after `TaskPostprocessing`, which makes label maps of the image's size. Files are 8-bit PNGs with
    the task's palette.

    Args:
        task: the task, whose label map is under ``pred_<name>``.
        output_dir: folder of the files, made when missing.
        labels: what files hold for each class, such as ``CITYSCAPES.label_of_class``; by default as declared.
        suffix: end of the image files' names that is no part of the id, such as ``"_leftImg8bit"``.
        image_key: the network's input, whose meta data name the file.

    Raises:
        ValueError: When there is not one label in 0..255 per class; when images from different files would be saved
            under the same name.

    Example:
        >>> SaveLabelMapd(task, "results", labels=CITYSCAPES.label_of_class, suffix="_leftImg8bit")
    """

    def __init__(
        self,
        task: SegmentationTask,
        output_dir: str | Path,
        labels: Sequence[int] | None = None,
        suffix: str = "",
        image_key: str = "image",
    ) -> None:
        super().__init__([task], output_dir, image_key)
        labels = task.label_of_class if labels is None else labels
        if len(labels) != task.channels or min(labels) < 0 or max(labels) > 255:
            raise ValueError(
                f"Task {task.name!r}: labels must hold one number in 0..255 for each of the {task.channels} classes, "
                f"got {tuple(labels)}."
            )
        self.labels = np.asarray(labels, dtype=np.uint8)
        self.colors = dict(zip(map(int, labels), task.palette.tolist(), strict=True))
        self.suffix = suffix

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Write one sample's label map.

        Raises:
            ValueError: When it is a volume's.
        """
        key = f"pred_{self.tasks[0].name}"
        classes = data[key]
        if classes.ndim != 3:
            raise ValueError(f"{key} has shape {tuple(classes.shape)}: only label maps (1, H, W) of images are PNGs.")
        self.output_dir.mkdir(parents=True, exist_ok=True)
        path = self.path(meta_of(data[self.image_key]), ".png", dropped=self.suffix)
        with replacing(path) as made:
            label_png(self.labels[classes[0].cpu().numpy().astype(np.uint8)], self.colors).save(made)
        return dict(data)
