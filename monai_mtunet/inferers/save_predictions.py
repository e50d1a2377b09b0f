"""Writing what a multi-task network predicts: one file per task, and a panel."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor
from monai.transforms import MapTransform, SaveImage
from monai.utils import ImageMetaKey
from PIL import Image
from torch import Tensor

from ..label_png import label_png
from ..tasks import DerivedTask, Task, draw_panel, save_panel


class PostprocessTasksd(MapTransform):
    """Raw predictions -> what each task saves (label maps, intensities in the data's units), in place.

    Derived tasks, such as instances, are made from the raw predictions.

    Args:
        tasks: the declared tasks; the prediction of task ``x`` is under ``pred_x``.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__([f"pred_{task.name}" for task in tasks])
        self.tasks = tuple(tasks)

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Post-process one sample."""
        sample = dict(data)
        raw = {task.name: data[f"pred_{task.name}"] for task in self.tasks if not task.sources}
        for task in self.tasks:
            values = task.derive(raw) if isinstance(task, DerivedTask) else raw[task.name]
            sample[f"pred_{task.name}"] = task.postprocess(values)
        return sample


class SampleWriter(MapTransform):
    """Base of what writes files named after the sample's own."""

    def __init__(self, tasks: Sequence[Task], output_dir: str | Path, image_key: str = "image") -> None:
        super().__init__([f"pred_{task.name}" for task in tasks])
        self.tasks = tuple(tasks)
        self.output_dir = Path(output_dir)
        self.image_key = image_key
        self._sources: dict[str, str] = {}

    def path(self, meta: Mapping[str, Any], ending: str, dropped: str = "") -> Path:
        """``<output_dir>/<stem><ending>``, unless another sample's files have that name.

        Args:
            meta: the sample's meta data.
            ending: of the file's name.
            dropped: end of the sample's stem that the file's name does without.
        """
        source = str(meta.get(ImageMetaKey.FILENAME_OR_OBJ, "sample"))
        stem = Path(Path(source).name.removesuffix(".gz")).stem.removesuffix(dropped)
        earlier = self._sources.setdefault(stem, source)
        if earlier != source:
            raise ValueError(
                f"{source} and {earlier} would both be saved as {stem}{ending} in {self.output_dir}: "
                "give them different names, or infer them into different folders."
            )
        return self.output_dir / f"{stem}{ending}"


class SavePaneld(SampleWriter):
    """Writes ``<stem>_panel.png``: the input and every post-processed prediction side by side.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files, made when missing.
        image_key: the network's input, whose meta data name the file.

    Raises:
        ValueError: When samples from different files would be saved under the same name.
    """

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Draw one sample."""
        image = data[self.image_key]
        path = self.path(meta_of(image), "_panel.png")
        predictions = {task.name: data[f"pred_{task.name}"] for task in self.tasks}
        save_panel(draw_panel(self.tasks, [image], [predictions], title=path.stem.removesuffix("_panel")), path)
        return dict(data)


class SavePredictionsd(SampleWriter):
    """Writes ``<stem>_<task>.nii.gz`` for volumes, with the input's affine, or ``.png`` or ``.npy`` for images.

    Label PNGs are 8-bit indices with the task's palette, of instances 16-bit ids; intensity PNGs are the task's
    picture, which for restoration is the data range clipped and rounded to 8 bit. What 8 bits do not hold, such as
    depth in meters, goes to ``<stem>_<task>.npy``: float32, (H, W) of one channel, else (C, H, W). Tasks that are not
    dense go to ``<stem>_<task>.json``.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files, made when missing.
        image_key: the network's input, whose meta data name the file and hold the affine.

    Raises:
        ValueError: When samples from different files would be saved under the same name.
    """

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Write one sample's files."""
        meta = meta_of(data[self.image_key])
        self.output_dir.mkdir(parents=True, exist_ok=True)
        for task in self.tasks:
            path = self.path(meta, f"_{task.name}")
            prediction = data[f"pred_{task.name}"]
            if not task.is_dense:
                content = json.dumps(task.to_json(prediction), indent=2, ensure_ascii=False)
                path.with_name(path.name + ".json").write_text(content + "\n", encoding="utf-8")
            elif prediction.ndim == 3:
                _save_image(task, prediction, path)
            else:
                _save_volume(task, prediction, meta, path)
        return dict(data)


def _save_volume(task: Task, prediction: Tensor, meta: Mapping[str, Any], path: Path) -> None:
    dtype = np.dtype(task.label_dtype if task.is_label else "float32")
    saver = SaveImage(output_ext=".nii.gz", output_dtype=dtype, resample=False, print_log=False)
    # SaveImage takes a plain tensor's first spatial axis for channels, and fails or mixes up the affine.
    saver(prediction if isinstance(prediction, MetaTensor) else MetaTensor(prediction, meta=dict(meta)), filename=path)


def _save_image(task: Task, prediction: Tensor, path: Path) -> None:
    if task.is_label or task.is_picture:
        _png(task, prediction).save(path.with_name(path.name + ".png"))
    else:
        values = prediction.cpu().numpy().astype(np.float32)
        np.save(path.with_name(path.name + ".npy"), values[0] if len(values) == 1 else values)


def _png(task: Task, prediction: Tensor) -> Image.Image:
    if not task.is_label:
        return Image.fromarray(task.draw(prediction))
    if task.label_dtype != "uint8":
        return Image.fromarray(prediction[0].cpu().numpy().astype(task.label_dtype))
    return label_png(prediction[0].cpu().numpy(), list(task.legend().values()))


def meta_of(image: Any) -> Mapping[str, Any]:
    """The meta data of an image that may have none."""
    return image.meta if isinstance(image, MetaTensor) else {}
