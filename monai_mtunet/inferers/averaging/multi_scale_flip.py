"""Inference at several scales, on the image and its flips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from monai.data import MetaTensor
from monai.inferers import Inferer, SimpleInferer
from torch import Tensor

from ...tasks import Task
from .flipped_windows import FlippedWindows, Network


class MultiScaleFlipInferer(Inferer):
    """Averages the predictions of all tasks over scaled and flipped copies of the image, in 2D and 3D.

    As the SUNet paper does for segmentation (section 7.3, and its code). At each scale, the logits of a window and of
    its flips, turned back, are summed before the softmax (`FlippedWindows`); probabilities are averaged where windows
    overlap, brought back to the image's size (bilinear or trilinear), renormalized, and averaged over scales.
    Predictions of other tasks take the same way, with a mean in place of sum and softmax, and of directions with unit
    length.

    What a flip or a scale does to values is declared by the task (`Task.undo_flip`, `Task.undo_scale`): a flip
    negates the component of normals along its axis; enlarged by s, what is seen is s times as near, so that depth is
    multiplied by s and disparity divided by it, and distances to boundaries are s times as long. All else keeps its
    value. Tasks with one vector per image are averaged as well.

    Results are used as a network's: of classes they are the logarithms of averaged probabilities, which softmax and
    argmax take as they take logits.

    Args:
        tasks: the declared tasks, at least those that the network predicts.
        scales: sizes of the copies, relative to the image, or to ``shorter_side``. The paper's are the default, on
            Cityscapes also 1.5, 1.75, 2, 2.25 and 2.5.
        flip_axes: spatial axes along which copies are flipped, in every combination: n axes make 2^n copies. For the
            paper's left-right flip of images it is ``(1,)``.
        inferer: how a copy is inferred, for example `MultiTaskSlidingWindowInferer`; by default in one piece.
        shorter_side: the length, in voxels, that scale 1 gives the image's shortest axis; by default it keeps it. The
            paper's is 512.

    Raises:
        ValueError: When there is no scale, or a scale or ``shorter_side`` is not positive.

    Example:
        The paper's, with windows 342 pixels apart:

        >>> windows = MultiTaskSlidingWindowInferer(roi_size=(512, 512), overlap=0.332)
        >>> inferer = MultiScaleFlipInferer(tasks, flip_axes=(1,), inferer=windows, shorter_side=512)
        >>> inferer(image, network)["segment"].exp()  # probabilities (B, classes, H, W)
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        scales: Sequence[float] = (0.5, 0.75, 1.0, 1.25),
        flip_axes: Sequence[int] = (),
        inferer: Inferer | None = None,
        shorter_side: int | None = None,
    ) -> None:
        super().__init__()
        self.tasks = {task.name: task for task in tasks}
        self.scales = tuple(map(float, scales))
        if not self.scales or min(self.scales) <= 0:
            raise ValueError(f"scales must hold positive factors, got {tuple(scales)}.")
        if shorter_side is not None and shorter_side < 1:
            raise ValueError(f"shorter_side must be at least 1, got {shorter_side}.")
        self.flip_axes = tuple(flip_axes)
        self.inferer = inferer or SimpleInferer()
        self.shorter_side = shorter_side

    def __call__(self, inputs: Tensor, network: Network, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Infer.

        Args:
            inputs: (B, C, *spatial).
            network: returns ``{task name: (B, C', *spatial)}``, or (B, C') for tasks with one vector per image.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``{task name: (B, C', *spatial)}``, or (B, C'), float32, in the network's order.

        Raises:
            ValueError: When the image has no such axis to flip, or the network predicts what is not among the tasks.
        """
        inputs = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        flipping = FlippedWindows(network, list(self.tasks.values()), self.flip_axes)
        whole = 1.0 if self.shorter_side is None else self.shorter_side / min(inputs.shape[2:])
        totals: dict[str, Tensor] = {}
        for scale in self.scales:
            factor = scale * whole
            copy = _resized(inputs, [max(1, round(size * factor)) for size in inputs.shape[2:]])
            for name, values in self.inferer(copy, flipping.merged, *args, **kwargs).items():
                task = self.tasks[name]
                values = task.undo_scale(values, factor)
                values = task.averaging.renormalize(_resized(values, inputs.shape[2:]) if task.is_dense else values)
                totals[name] = totals[name] + values if name in totals else values
        return {
            name: self.tasks[name].averaging.to_prediction(total / len(self.scales)) for name, total in totals.items()
        }


def _resized(values: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, *spatial) interpolated linearly; the outer borders of the outer voxels stay where they are."""
    if list(values.shape[2:]) == list(size):
        return values
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(size)]
    return F.interpolate(values.float(), size=list(size), mode=mode, align_corners=False)
