"""From a collated batch to what the network and the losses take."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.engines import PrepareBatch
from monai.utils import ImageMetaKey
from torch import Tensor

from ..tasks import Task

logger = logging.getLogger(__name__)


class MultiTaskPrepareBatch(PrepareBatch):
    """``{"image": ..., task name: ...}`` -> ``(image, {task name: target})``, as plain tensors on the device.

    Tensors lose their meta data here, since MetaTensor inside the network costs time and memory; the batch itself,
    ``engine.state.batch``, keeps it for writers. Targets are checked by their tasks. Voxels of the image that are not
    finite are filled with 0, the mean of normalized intensities, and reported once per file; the batch keeps them.

    Args:
        tasks: the declared tasks; none for inference, where the batch holds no targets.
        image_key: where the network's input is.
        keep_meta: whether the image stays a MetaTensor in ``engine.state.output``: writers of decollated outputs take
            the file name, the affine and the applied transforms from there.

    Example:
        >>> SupervisedTrainer(..., prepare_batch=MultiTaskPrepareBatch(tasks), decollate=False)
    """

    def __init__(self, tasks: Sequence[Task] = (), image_key: str = "image", keep_meta: bool = False) -> None:
        self.tasks = tuple(tasks)
        self.image_key = image_key
        self.keep_meta = keep_meta
        self._reported: set[str] = set()

    def __call__(
        self,
        batchdata: Mapping[str, Any],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        """Prepare one batch.

        Args:
            batchdata: the collated batch.
            device: where to.
            non_blocking: whether the copy may be asynchronous.
            kwargs: further arguments of ``Tensor.to``.

        Returns:
            Image (B, C, *spatial) and targets by task name; ``None`` instead of targets when there is no task.

        Raises:
            ValueError: When the batch lacks the image or a target, or a target cannot be of its task or does not fit
                the image; the message names the task and the files.
        """
        image = self._get(batchdata, self.image_key, "the network's input")
        finite = image.isfinite()
        targets = {}
        for task in self.tasks:
            target = self._get(batchdata, task.name, f"the target of task {task.name!r}")
            try:
                target = task.prepare_target(target)
                if task.is_dense and target.shape[2:] != image.shape[2:]:
                    raise ValueError(
                        f"Task {task.name!r}: its target has spatial size {tuple(target.shape[2:])}, "
                        f"the image {tuple(image.shape[2:])}."
                    )
            except ValueError as error:
                raise ValueError(f"{error} Batch: {_files(batchdata, task.name, self.image_key)}.") from error
            targets[task.name] = target.to(device=device, non_blocking=non_blocking, **kwargs)
        if self.keep_meta:
            image = batchdata[self.image_key]
        if not finite.all():
            self._report(batchdata, finite)
            image = image.masked_fill(~finite, 0)
        return image.to(device=device, non_blocking=non_blocking, **kwargs), targets or None

    def _report(self, batchdata: Mapping[str, Any], finite: Tensor) -> None:
        """Say of each file, once, how many voxels are filled."""
        for index, valid in enumerate(finite):
            filled, file = int((~valid).sum()), files_of(batchdata, self.image_key, index)
            if 2 * filled > valid.numel():
                raise ValueError(
                    f"{filled} of {valid.numel()} values of {file} are not finite when they reach the network: look "
                    "for a transform that spreads NaN, such as scaling by the mean, or leave the file out."
                )
            if filled and file not in self._reported:
                self._reported.add(file)
                logger.warning(
                    "%s: %d of %d values are not finite. The network sees 0 there (of normalized intensities their "
                    "mean), its classes there are guesses, and restored images are NaN.", file, filled, valid.numel(),
                )  # fmt: skip

    def _get(self, batchdata: Mapping[str, Any], key: str, role: str) -> Tensor:
        if key not in batchdata:
            raise ValueError(
                f"The batch holds no {key!r}, {role}; it holds {sorted(map(str, batchdata))}. "
                "Add the transform that makes it, or take the task off the list."
            )
        value = batchdata[key]
        return value.as_tensor() if isinstance(value, MetaTensor) else torch.as_tensor(value)


def file_of(batchdata: Mapping[str, Any], index: int, key: str = "image") -> str | None:
    """The file of one image of a batch, of several the first; None where it has none."""
    value = batchdata.get(key)
    names = value.meta.get(ImageMetaKey.FILENAME_OR_OBJ) if isinstance(value, MetaTensor) else None
    name = names if isinstance(names, str) or not names else names[index]
    return str(name) if name else None


def files_of(batchdata: Mapping[str, Any], key: str = "image", index: int | None = None) -> str:
    """The file behind an image of a batch, or all of them, as far as its meta data tell."""
    value = batchdata.get(key)
    names = value.meta.get(ImageMetaKey.FILENAME_OR_OBJ) if isinstance(value, MetaTensor) else None
    if not names:
        return "an unnamed sample"
    if isinstance(names, str):
        return names
    return str(names[index]) if index is not None else ", ".join(map(str, names))


def _files(batchdata: Mapping[str, Any], *keys: str) -> str:
    """The files behind a batch, as far as its meta data tell."""
    for key in keys:
        value = batchdata[key]
        names = value.meta.get(ImageMetaKey.FILENAME_OR_OBJ) if isinstance(value, MetaTensor) else None
        if names:
            return f"{key} from {names}"
    return "of unnamed samples"
