"""Sliding-window inference over all tasks in one pass, of images in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from monai.data import MetaTensor
from monai.data.utils import compute_importance_map
from monai.inferers import Inferer
from monai.utils import fall_back_tuple
from torch import Tensor
from tqdm import tqdm

from ..tasks import Task
from .heads import Heads
from .rolling_sum import RollingSum
from .window_batches import predicted_windows
from .window_grid import WindowGrid, all_channels

Place = tuple[int, tuple[int, ...]]  # number of the image in the batch, and the window's start


class MultiTaskSlidingWindowInferer(Inferer):
    """Sliding windows for networks with one output per task, with the arguments of MONAI's ``SlidingWindowInferer``.

    MONAI's own sorts the tasks, with ``buffer_steps`` silently returns only the first, and its last batch is not full,
    so that a window's last digit depends on the others. Here all heads are summed at once, in full batches, in the
    order of :class:`WindowGrid`; volumes that are predicted block by block (`monai_mtunet.inferers.blocks`) give equal
    bits.

    A task with one vector per image gets the network's own output where the window is the whole image. Otherwise a
    class gets the mean of its windows' logits, a choice that no paper makes, and a box an error, since what is in a
    window tells no place in the image. Which is which, the tasks say (``Task.has_window_mean``).

    Args:
        roi_size: size of the windows; not positive: the image's own, along that axis.
        sw_batch_size: windows per batch, at most as many as there are.
        overlap: of neighboring windows, 0 up to 1, one or one per axis.
        mode: "constant": windows have the same weight everywhere; "gaussian": less at their borders.
        sigma_scale: of the Gaussian, as a part of the window's length, one or one per axis.
        padding_mode: how an image is padded that is smaller than the window, as of `torch.nn.functional.pad`.
        cval: with what, if ``padding_mode`` is "constant".
        sw_device: where the network is; by default where the image is.
        device: where sums and results are; by default where the image is.
        progress: whether to show a bar.
        buffer_steps: if given, sums stay on ``sw_device`` until they are finished, and only then go to ``device``.
        buffer_dim: taken as MONAI's configurations give it, and without effect: sums are finished along the image's
            longest axis.
        tasks: the declared tasks. A vector of a task that is not among them is treated as a box.
        shrink: whether windows shrink to images that are smaller, instead of images being padded.

    Example:
        >>> inferer = MultiTaskSlidingWindowInferer(roi_size=(96, 96, 96), sw_batch_size=4, overlap=0.5)
        >>> inferer(volume, network)["segment"]  # (B, C, *spatial of the volume)
    """

    def __init__(
        self,
        roi_size: Sequence[int] | int,
        sw_batch_size: int = 1,
        overlap: Sequence[float] | float = 0.25,
        mode: str = "constant",
        sigma_scale: Sequence[float] | float = 0.125,
        padding_mode: str = "constant",
        cval: float = 0.0,
        sw_device: torch.device | str | None = None,
        device: torch.device | str | None = None,
        progress: bool = False,
        buffer_steps: int | None = None,
        buffer_dim: int = -1,
        tasks: Sequence[Task] = (),
        shrink: bool = False,
    ) -> None:
        super().__init__()
        self.roi_size = roi_size
        self.sw_batch_size = sw_batch_size
        self.overlap = overlap
        self.mode = mode
        self.sigma_scale = sigma_scale
        self.padding_mode = padding_mode
        self.cval = cval
        self.sw_device = sw_device
        self.device = device
        self.progress = progress
        self.buffered = bool(buffer_steps)
        self.tasks = tuple(tasks)
        self.shrink = shrink

    def __call__(
        self, inputs: Tensor, network: Callable[..., dict[str, Tensor]], *args: Any, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Infer.

        Args:
            inputs: (B, C, *spatial).
            network: returns ``{task name: (B, C', *window)}``, or (B, C') for tasks with one vector per image.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``{task name: (B, C', *spatial)}``, or (B, C'), in the network's order.

        Raises:
            ValueError: When a dense head is not at its input's resolution. When the window is not the whole image, and
                a task has one vector per image that windows do not tell.
        """
        # Windows of a MetaTensor would carry its meta data through the network.
        inputs = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        grid = self.grid(inputs.shape[2:])
        heads = Heads(self.tasks, grid)
        network_device = torch.device(self.sw_device or inputs.device)
        result_device = torch.device(self.device or inputs.device)
        sum_device = network_device if self.buffered else result_device
        weights = self.importance(grid).to(network_device, inputs.dtype)
        total = len(inputs) * grid.count(grid.whole)

        results: list[Tensor] = []  # per image (C, *spatial)
        vectors: dict[str, list[Tensor]] = {}
        sums = [RollingSum(grid, grid.whole, weights, sum_device) for _ in inputs]
        predicted = predicted_windows(
            lambda windows: network(windows, *args, **kwargs), self._windows(inputs, grid), heads,
            min(self.sw_batch_size, total), network_device,
        )  # fmt: skip
        for (index, start), stacked, of_window in tqdm(predicted, total=total, disable=not self.progress):
            if len(results) <= index:
                results.append(torch.empty(len(stacked), *grid.image_size, dtype=inputs.dtype, device=result_device))
            if (finished := sums[index].until(start[grid.rolling_axis])) is not None:
                results[index][all_channels(finished[0])] = finished[1].to(result_device)
            sums[index].add(start, stacked)
            for name, vector in of_window.items():
                vectors.setdefault(name, []).append(vector)
            if start == grid.last:
                box, means = sums[index].rest()
                results[index][all_channels(box)] = means.to(result_device)
        by_image = [heads.split(result) for result in results]
        merged = {name: torch.stack([parts[name] for parts in by_image]) for name in heads.channels}
        # The windows come image after image.
        merged |= {name: torch.stack(rows).unflatten(0, (len(inputs), -1)).mean(1) for name, rows in vectors.items()}
        return {name: merged[name] for name in heads.order}

    def grid(self, image_size: Sequence[int]) -> WindowGrid:
        """Where the windows of an image lie."""
        roi_size = fall_back_tuple(self.roi_size, image_size)
        if self.shrink:
            roi_size = tuple(map(min, roi_size, image_size))
        return WindowGrid.of(image_size, roi_size, self.overlap)

    def importance(self, grid: WindowGrid) -> Tensor:
        """The weights within a window (*window)."""
        return compute_importance_map(grid.window, mode=self.mode, sigma_scale=self.sigma_scale)

    def padded(self, part: Tensor, grid: WindowGrid) -> Tensor:
        """A part of an image (..., *spatial), whole along the axes that are shorter than the window, padded there."""
        if not any(grid.padding):
            return part
        return F.pad(part, grid.padding, mode=self.padding_mode, value=self.cval)

    def _windows(self, inputs: Tensor, grid: WindowGrid) -> Iterator[tuple[Place, Tensor]]:
        padded = self.padded(inputs, grid)
        before = grid.padding[-2::-2]  # per axis, the first first
        for index in range(len(inputs)):
            for start in grid.windows(grid.whole):
                place = tuple(
                    slice(begin + pad, begin + pad + length)
                    for begin, pad, length in zip(start, before, grid.window, strict=True)
                )
                yield (index, start), padded[index][all_channels(place)]
