"""Writing what a multi-task network predicts: one file per task, and a panel."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import ImageMetaKey
from torch import Tensor

from ..data.file_names import stem_of
from ..files.header import Header, Kind
from ..files.replacing import replacing
from ..pictures import save_figure
from ..tasks import Task, draw_panel
from .save_dense import save_dense


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
            sample[f"pred_{task.name}"] = task.postprocess(data[f"pred_{task.name}"])
        return sample


class SampleWriter(MapTransform):
    """Base of what writes files named after the sample's own.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files, made when missing.
        image_key: the network's input, whose meta data name the file.
        stems: names by file, as `relative_stems` gives them; other files give their own name.

    Attributes:
        written: the files so far.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        output_dir: str | Path,
        image_key: str = "image",
        stems: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__([f"pred_{task.name}" for task in tasks])
        self.tasks = tuple(tasks)
        self.output_dir = Path(output_dir)
        self.image_key = image_key
        self.stems = dict(stems or {})
        self._sources: dict[str, str] = {}
        self.written: list[Path] = []

    def path(self, meta: Mapping[str, Any], ending: str, dropped: str = "") -> Path:
        """``<output_dir>/<stem><ending>``, unless another sample's files have that name.

        Args:
            meta: the sample's meta data.
            ending: of the file's name.
            dropped: end of the sample's stem that the file's name does without.
        """
        source = str(meta.get(ImageMetaKey.FILENAME_OR_OBJ, "sample"))
        stem = self.stems.get(os.path.abspath(source), stem_of(source)).removesuffix(dropped)
        earlier = self._sources.setdefault(stem, source)
        if earlier != source:
            raise ValueError(
                f"{source} and {earlier} would both be saved as {stem}{ending} in {self.output_dir}: "
                "give them different names, or infer them into different folders."
            )
        path = self.output_dir / f"{stem}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class SavePaneld(SampleWriter):
    """Writes ``<stem>_panel.png``: the input and every post-processed prediction side by side.

    Voxels are as high and as wide as they are spaced. Of TIFF stacks and zarr y runs down, as programs for them show
    it, of other volumes up.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files, made when missing.
        image_key: the network's input, whose meta data name the file.
        stems: names by file, as `relative_stems` gives them.

    Raises:
        ValueError: When samples from different files would be saved under the same name.
    """

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Draw one sample."""
        image = data[self.image_key]
        path = self.path(meta_of(image), "_panel.png")
        predictions = {task.name: data[f"pred_{task.name}"] for task in self.tasks}
        title, aspect = path.stem.removesuffix("_panel"), _aspect(image)
        if _y_runs_down(image):
            image = _upside_down(image)
            predictions |= {task.name: _upside_down(predictions[task.name]) for task in self.tasks if task.is_dense}
        figure = draw_panel(self.tasks, [image], [predictions], title=title, aspect=aspect)
        with replacing(path) as made:
            save_figure(figure, made)
        return dict(data)


class SavePredictionsd(SampleWriter):
    """Writes one file per task, ``<stem>_<task>`` and an ending; what is in it, the task says (`Task.saved_as`).

    - The file is of the image's kind, with its axes, affine, spacing and units (`monai_mtunet.files.create_like`):
      NIfTI and DICOM become ``.nii.gz``; NRRD, MHA, TIFF, OME-Zarr and ``.npy`` stay what they are. Label maps are of
      8 or 16 bits, and hold the ``labels`` that a task declares for its files. All else is float32; restored TIFFs of
      8 bits are of 8 bits again, and colors of 16 bits of 16.
    - Pictures (PNG, JPEG and the like), as they are displayed: label maps are PNGs of 8-bit class numbers with the
      task's palette, or of 16-bit ids and labels; restored images are PNGs of the task's drawing, gray unless of
      three channels, the data range clipped and rounded to 8 bits. Values, such as depth in meters, are ``.npy``:
      (H, W) of one channel, else (C, H, W).
    - Tasks with one vector per image: ``.json``.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the files, made when missing.
        image_key: the network's input, whose meta data name the file and hold the affine.
        stems: names by file, as `relative_stems` gives them.

    Raises:
        ValueError: When samples from different files would be saved under the same name.
    """

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Write one sample's files."""
        meta = meta_of(data[self.image_key])
        self.output_dir.mkdir(parents=True, exist_ok=True)
        for task in self.tasks:
            path = self.path(meta, f"_{task.name}")
            prediction = task.to_file(data[f"pred_{task.name}"])
            save = save_dense if task.is_dense else _save_json
            self.written.append(save(task, prediction, meta, path))
        return dict(data)


def _aspect(image: Any) -> float:
    """Height of the voxels of a volume over their width; 1 of pictures."""
    if image.ndim != 4 or not isinstance(image, MetaTensor):
        return 1.0
    x, y = map(float, image.pixdim[:2])
    header = Header.of_meta(image.meta)
    if header is not None and header.affine is None and header.spacing is not None:
        x, y = x * header.spacing[0], y * header.spacing[1]  # of TIFF, whose lengths are in no affine
    return y / x if 0 < x < inf and 0 < y < inf else 1.0


def _y_runs_down(image: Any) -> bool:
    """Whether a volume is a stack of pictures, whose first row is above."""
    header = Header.of_meta(meta_of(image))
    return image.ndim == 4 and header is not None and header.kind in (Kind.TIFF, Kind.ZARR)


def _upside_down(volume: Tensor) -> Tensor:
    """The slice that is drawn, (C, X, Y, 1)."""
    middle = volume.shape[-1] // 2
    return volume[..., middle : middle + 1].flip(2)


def _save_json(task: Task, prediction: Tensor, meta: Mapping[str, Any], path: Path) -> Path:
    path = path.with_name(path.name + ".json")
    content = json.dumps(task.to_json(prediction), indent=2, ensure_ascii=False)
    with replacing(path) as made:
        made.write_text(content + "\n", encoding="utf-8")
    return path


def meta_of(image: Any) -> Mapping[str, Any]:
    """The meta data of an image that may have none."""
    return image.meta if isinstance(image, MetaTensor) else {}
