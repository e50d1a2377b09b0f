"""Writing what a multi-task network predicts: one file per task, and a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform, SaveImage
from monai.utils import ImageMetaKey
from PIL import Image
from torch import Tensor

from ..tasks import Task, draw_panel, save_panel


class PostprocessTasksd(MapTransform):
    """Raw predictions -> what each task saves (label maps, intensities in the data's units), in place.

    Args:
        tasks: the declared tasks; the prediction of task ``x`` is under ``pred_x``.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__([f"pred_{task.name}" for task in tasks])
        self.tasks = tuple(tasks)

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Post-process one sample."""
        sample = dict(data)
        for task in self.tasks:
            sample[f"pred_{task.name}"] = task.postprocess(sample[f"pred_{task.name}"])
        return sample


class SavePaneld(MapTransform):
    """Writes ``<stem>_panel.png``: the input and every post-processed prediction side by side.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files, made when missing.
        image_key: the network's input, whose meta data name the file.
    """

    def __init__(self, tasks: Sequence[Task], output_dir: str | Path, image_key: str = "image") -> None:
        super().__init__([f"pred_{task.name}" for task in tasks])
        self.tasks = tuple(tasks)
        self.output_dir = Path(output_dir)
        self.image_key = image_key

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Draw one sample."""
        image = data[self.image_key]
        stem = _stem(_meta(image))
        predictions = {task.name: data[f"pred_{task.name}"] for task in self.tasks}
        save_panel(draw_panel(self.tasks, [image], [predictions], title=stem), self.output_dir / f"{stem}_panel.png")
        return dict(data)


class SavePredictionsd(MapTransform):
    """Writes ``<stem>_<task>.nii.gz`` for volumes, with the input's affine, or ``<stem>_<task>.png`` for images.

    Label PNGs are 8-bit indices with the task's palette; intensity PNGs are the task's picture, which for restoration
    is the data range clipped and rounded to 8 bit.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files, made when missing.
        image_key: the network's input, whose meta data name the file and hold the affine.
    """

    def __init__(self, tasks: Sequence[Task], output_dir: str | Path, image_key: str = "image") -> None:
        super().__init__([f"pred_{task.name}" for task in tasks])
        self.tasks = tuple(tasks)
        self.output_dir = Path(output_dir)
        self.image_key = image_key

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Write one sample's files."""
        meta = _meta(data[self.image_key])
        self.output_dir.mkdir(parents=True, exist_ok=True)
        for task in self.tasks:
            path = self.output_dir / f"{_stem(meta)}_{task.name}"
            prediction = data[f"pred_{task.name}"]
            if prediction.ndim == 3:
                _png(task, prediction).save(path.with_name(path.name + ".png"))
            else:
                _save_volume(prediction, meta, path)
        return dict(data)


def _save_volume(prediction: Tensor, meta: Mapping[str, Any], path: Path) -> None:
    dtype = np.uint8 if prediction.dtype == torch.uint8 else np.float32
    saver = SaveImage(output_ext=".nii.gz", output_dtype=dtype, resample=False, print_log=False)
    saver(prediction, meta_data=dict(meta), filename=path)


def _png(task: Task, prediction: Tensor) -> Image.Image:
    if not task.is_label:
        return Image.fromarray(task.draw(prediction))
    picture = Image.fromarray(torch.as_tensor(prediction)[0].cpu().numpy().astype(np.uint8), mode="P")
    picture.putpalette([channel for colour in task.legend().values() for channel in colour])
    return picture


def _meta(image: Any) -> Mapping[str, Any]:
    return image.meta if isinstance(image, MetaTensor) else {}


def _stem(meta: Mapping[str, Any]) -> str:
    """The file name without folder and extension; synthetic samples carry a name of that form as well."""
    name = Path(str(meta.get(ImageMetaKey.FILENAME_OR_OBJ, "sample"))).name
    return Path(name.removesuffix(".gz")).stem
