"""Pictures of a network's attention masks, during validation (Figure 5 of the MT-UNet paper)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from matplotlib.figure import Figure
from monai.engines import Workflow
from monai.networks.utils import eval_mode
from torch import Tensor, nn

from ...networks.blocks.attention_gate import AttentionGate
from ...pictures import ColorBar
from ...pictures.middle_slice import middle_slice
from ...tasks import Task
from ...tasks.panel import draw_input
from .sample_pictures import SamplePictureHandler

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

logger = logging.getLogger(__name__)

_SHARED = "all tasks"  # no task can have this name


def read_attention_masks(network: nn.Module, image: Tensor, tasks: Sequence[str]) -> dict[str, list[Tensor]]:
    """The attention masks of a network, averaged over their channels.

    Every :class:`~monai_mtunet.networks.blocks.attention_gate.AttentionGate` in the network is read, by a hook that is
    removed afterwards. The network runs once, in eval mode and without gradients.

    Args:
        network: any network with attention gates.
        image: (B, C, *spatial).
        tasks: names of the tasks. A gate is of the task that its place in the network names, as in
            ``levels.0.blocks.segment.attention``, else of ``"all tasks"``. The attribute that is the gate itself
            (``attention``) names no task, a key of a `ModuleDict` does.

    Returns:
        Per task the masks in the order in which they are computed, each (B, 1, *spatial) of its own resolution, 0 to 1.
        Empty when there is no gate.
    """
    masks: dict[str, list[Tensor]] = {}

    def keep(task: str, mask: Tensor) -> None:
        masks.setdefault(task, []).append(mask.float().mean(dim=1, keepdim=True))

    with ExitStack() as hooks, eval_mode(network):
        for task, gate in _gates(network, tasks):
            hook = gate.mask.register_forward_hook(lambda module, args, mask, task=task: keep(task, mask))
            hooks.callback(hook.remove)
        network(image)
    return {task: masks[task] for task in (*tasks, _SHARED) if task in masks}


def draw_attention_masks(
    tasks: Sequence[Task],
    images: Sequence[Tensor],
    masks: Sequence[Mapping[str, Sequence[Tensor]]],
    value_range: tuple[float, float] = (0.0, 1.0),
    title: str = "",
) -> Figure:
    """Draw a row per sample and task: the input, then the task's masks with their size and extremes.

    Of volumes the middle slice is drawn.

    Args:
        tasks: the declared tasks, which say how the input is drawn.
        images: per sample the network's input (C, *spatial), normalized.
        masks: per sample ``{task name: masks (1, *spatial)}``.
        value_range: what the ends of the color bar are.
        title: text above the picture.

    Returns:
        A matplotlib figure, to be saved or turned into an array by :func:`~monai_mtunet.pictures.rasterize`.
    """
    scale = ColorBar(*value_range, label="channel mean of the attention mask", colormap="viridis")
    samples = zip(images, masks, strict=True)
    rows = [(image, task, of_task) for image, of_tasks in samples for task, of_task in of_tasks.items()]
    columns = 1 + max(len(of_task) for _, _, of_task in rows)
    height, width = draw_input(tasks, images[0]).shape[:2]
    cell = 2.2  # inches
    cell_height = cell * min(max(height / width, 0.3), 1.5)
    figure = Figure(figsize=(cell * columns, (cell_height + 0.3) * len(rows) + 0.9), dpi=110, layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for (image, task, of_task), row_axes in zip(rows, axes, strict=True):
        row_axes[0].imshow(draw_input(tasks, image), interpolation="nearest")
        row_axes[0].set_title("input", fontsize=9)
        row_axes[0].set_ylabel(task, fontsize=9)
        for axis, mask in zip(row_axes[1:], of_task, strict=False):
            plane = middle_slice(mask)[0]
            size = " x ".join(map(str, mask.shape[1:]))
            axis.imshow(scale.draw(plane), interpolation="nearest")
            axis.set_title(f"{size}: {plane.min():.2f} to {plane.max():.2f}", fontsize=8)
        for axis in row_axes:
            axis.set(xticks=[], yticks=[], frame_on=False)
    bar = figure.colorbar(scale.mappable(), ax=axes, location="bottom", aspect=22 * columns, shrink=0.9, pad=0.02)
    bar.set_label(scale.label, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


class AttentionMaskHandler(SamplePictureHandler):
    """Draws what the attention gates let through for the first samples of the validation set, per task and level.

    Files, TensorBoard (under ``attention``) and when the network runs are those of
    :class:`~monai_mtunet.engines.sample_pictures.SamplePictureHandler`. A network without attention gates is told
    once, and nothing drawn.

    Args:
        network: the validated network, with gates of the class
            :class:`~monai_mtunet.networks.blocks.attention_gate.AttentionGate`.
        tasks: the declared tasks.
        output_dir: folder of the PNG files.
        summary_writer: TensorBoard writer.
        samples: how many samples.
        interval: every how many epochs.
        spatial_size: what is cut from the middle of an image, for images too large for the network in one pass; the
            whole image by default.
        value_range: what the ends of the color bar are. Means over many channels stay close to 0.5; (0.3, 0.7), say,
            shows more of them.

    Example:
        >>> AttentionMaskHandler(network, tasks, "outputs/attention").attach(evaluator)
    """

    tag = "attention"

    def __init__(
        self,
        network: nn.Module,
        tasks: Sequence[Task],
        output_dir: str | Path,
        summary_writer: SummaryWriter | None = None,
        samples: int = 3,
        interval: int = 1,
        spatial_size: Sequence[int] | None = None,
        value_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__(network, tasks, output_dir, summary_writer, samples, interval, spatial_size)
        self.value_range = value_range

    def attach(self, engine: Workflow) -> None:
        """Attach to an evaluator that is not decollated."""
        if not _gates(self.network, [task.name for task in self.tasks]):
            logger.warning("%s has no attention gates: no masks are drawn.", type(self.network).__name__)
            return
        super().attach(engine)

    def draw(self, images: Sequence[Tensor], device: torch.device, title: str) -> Figure:
        """The masks of every sample, by :func:`draw_attention_masks`."""
        names = [task.name for task in self.tasks]
        masks: list[dict[str, list[Tensor]]] = []
        for image in images:  # one by one: sizes may differ
            batch = read_attention_masks(self.network, image[None].to(device), names)
            masks.append({task: [mask[0].cpu() for mask in of_task] for task, of_task in batch.items()})
        return draw_attention_masks(self.tasks, images, masks, self.value_range, title)


def _gates(network: nn.Module, tasks: Sequence[str]) -> list[tuple[str, AttentionGate]]:
    """Every gate with the task that its place names; the innermost name counts."""
    gates: list[tuple[str, Any]] = [(name, m) for name, m in network.named_modules() if isinstance(m, AttentionGate)]
    return [
        (next((part for part in reversed(_place(network, name)) if part in tasks), _SHARED), gate)
        for name, gate in gates
    ]


def _place(network: nn.Module, name: str) -> list[str]:
    """Names of what a gate is in. Its own is a word of the code (`attention`, as a task may be called), or a key."""
    *place, own = name.split(".")
    return [*place, own] if isinstance(network.get_submodule(".".join(place)), nn.ModuleDict) else place
