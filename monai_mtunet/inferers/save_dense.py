"""One task's prediction of one image as a file of the image's kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor
from monai.data.utils import to_affine_nd
from torch import Tensor

from ..files import create_like
from ..files.header import Header, Kind, Legend
from ..files.region_writer import RegionWriter
from ..tasks import SavedAs, SegmentationTask, Task

__all__ = ["prediction_writer", "save_dense", "saved_dtype"]

_LARGEST = 65535  # of 16 bits


def save_dense(task: Task, prediction: Tensor, meta: Mapping[str, Any], path: Path) -> Path:
    """Write a prediction.

    Args:
        task: says what is in the file.
        prediction: ``(C, *spatial)``, as files hold it (`Task.to_file`). Its affine is that of the file, or the
            image's where it has none.
        meta: the image's meta data. Without a file it is NIfTI of volumes, PNG or ``.npy`` of 2D images.
        path: of the file, without its ending.

    Returns:
        The file.
    """
    header, values = _header(prediction, meta), prediction.detach().cpu().numpy()
    if task.saved_as is SavedAs.PICTURE and header.kind is Kind.PICTURE:
        values = np.moveaxis(task.draw(prediction), -1, 0)[: 3 if len(prediction) == 3 else 1]
    dtype = saved_dtype(task, header, int(values.max()) if task.saved_as is SavedAs.IDS else 0)
    writer = prediction_writer(task, header, path, values.shape, dtype)
    try:
        with writer:
            writer.write(None, values)
    except BaseException:
        writer.discard()  # no run goes on with it, and on a full disk it would take the room of others
        raise
    return writer.path


def prediction_writer(
    task: Task,
    header: Header,
    path: Path,
    shape: Sequence[int],
    dtype: str,
    blocks: Sequence[int] | None = None,
    resume: bool = False,
) -> RegionWriter:
    """Begin the file of a task's prediction.

    Args:
        task: says what is in the file.
        header: of the image.
        path: of the file, without its ending.
        shape: ``(C, *spatial)``.
        dtype: see :func:`saved_dtype`.
        blocks: see `create_like`.
        resume: see `create_like`.
    """
    labels: Legend | None = {} if task.saved_as is SavedAs.IDS else None
    if isinstance(task, SegmentationTask):
        labels = task.file_legend()
    return create_like(header, path, shape, dtype, labels, blocks, name=task.name, resume=resume)


def saved_dtype(task: Task, header: Header, largest_id: int = 0) -> str:
    """What a task's voxels are in a file.

    Args:
        task: says what is in the file.
        header: of the image.
        largest_id: of ids, which take 16 bits, or 32 where that is more than 65535.
    """
    if task.saved_as is SavedAs.LABELS:
        return "uint8"
    if task.saved_as is SavedAs.IDS:
        return "uint16" if largest_id <= _LARGEST else "uint32"
    if task.saved_as is not SavedAs.PICTURE:
        return "float32"
    # Restored images as other programs show them. Gray of 16 bits is measured, and keeps fractions.
    shown = ("uint8", "uint16") if "s" in header.axes else ("uint8",)
    if header.kind is Kind.TIFF and header.dtype in shown:
        return header.dtype
    return "uint8" if header.kind is Kind.PICTURE else "float32"


def _header(prediction: Tensor, meta: Mapping[str, Any]) -> Header:
    """The image's, with the place of the prediction, which may be resampled."""
    spatial_dims = prediction.ndim - 1
    header = Header.of_meta(meta)
    if header is None or header.spatial_dims != spatial_dims:
        header = Header.without_file(spatial_dims)
    if header.kind is Kind.NIFTI or header.affine is not None:
        affine = prediction.affine if isinstance(prediction, MetaTensor) else meta.get("affine", np.eye(4))
        header = header.placed(to_affine_nd(3, np.asarray(affine, dtype=np.float64)))
    return header
