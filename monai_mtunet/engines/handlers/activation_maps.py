"""Pictures of a network's activations, block by block, during validation (Figure 5 of the SUNet paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from matplotlib.figure import Figure
from monai.networks.utils import eval_mode
from torch import Tensor, nn

from ...pictures import ColorBar
from ...pictures.middle_slice import middle_slice
from ...tasks import Task
from ...tasks.panel import draw_input
from .sample_pictures import SamplePictureHandler

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def read_activation_maps(network: nn.Module, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """Of every layer the channel with the highest total magnitude, as the SUNet paper's Figure 5 shows.

    The network runs once, in eval mode and without gradients, with hooks that are removed afterwards.

    Args:
        network: any network.
        image: (B, C, *spatial).
        layers: names of modules, such as ``"trunk.blocks.0"``.

    Returns:
        ``{layer: (B, 1, *spatial)}`` in the order of ``layers``, each of its own resolution; of a layer that runs
        several times the last output. Which channel it is may differ between samples.

    Raises:
        ValueError: When the network has no such layer, does not run it, or its output is not one map.
    """
    known = dict(network.named_modules())
    unknown = [layer for layer in layers if not layer or layer not in known]
    if unknown:
        parts = [name for name, module in known.items() if name and name.count(".") < 2]
        raise ValueError(f"{type(network).__name__} has no layer(s) {unknown}; among its layers are {parts[:20]}.")
    maps: dict[str, Tensor] = {}

    def keep(layer: str, output: Any) -> None:
        if not isinstance(output, Tensor) or output.ndim < 4:
            found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(f"Layer {layer!r} gives {found}, no map (B, C, *spatial).")
        strongest = output.abs().flatten(2).sum(dim=2, dtype=torch.float32).argmax(dim=1)
        # Copied here: what follows may work in place.
        maps[layer] = output[torch.arange(len(output)), strongest].unsqueeze(1).float().clone()

    with ExitStack() as hooks, eval_mode(network):
        for layer in layers:
            hook = known[layer].register_forward_hook(lambda module, args, output, layer=layer: keep(layer, output))
            hooks.callback(hook.remove)
        network(image)
    idle = [layer for layer in layers if layer not in maps]
    if idle:
        raise ValueError(f"{type(network).__name__} does not run the layer(s) {idle} as modules.")
    return {layer: maps[layer] for layer in layers}


def draw_activation_maps(
    tasks: Sequence[Task], images: Sequence[Tensor], maps: Sequence[Mapping[str, Tensor]], title: str = ""
) -> Figure:
    """Draw a row per sample: the input, then the map of every layer with its size and extremes.

    Every map has a scale of its own, from its lowest to its highest value. Of volumes the middle slice is drawn.

    Args:
        tasks: the declared tasks, which say how the input is drawn.
        images: per sample the network's input (C, *spatial), normalized.
        maps: per sample ``{layer: (1, *spatial)}``.
        title: text above the picture.

    Returns:
        A matplotlib figure, to be saved or turned into an array by :func:`~monai_mtunet.pictures.rasterize`.
    """
    columns = 1 + len(maps[0])
    height, width = draw_input(tasks, images[0]).shape[:2]
    cell = 2.2  # inches
    cell_height = cell * min(max(height / width, 0.3), 1.5)
    figure = Figure(figsize=(cell * columns, (cell_height + 0.5) * len(images) + 0.4), dpi=110, layout="constrained")
    axes = figure.subplots(len(images), columns, squeeze=False)
    for image, of_sample, row_axes in zip(images, maps, axes, strict=True):
        row_axes[0].imshow(draw_input(tasks, image), interpolation="nearest")
        row_axes[0].set_title("input", fontsize=9)
        for axis, (layer, values) in zip(row_axes[1:], of_sample.items(), strict=True):
            plane = middle_slice(values)[0]
            low, high = plane.min().item(), plane.max().item()
            axis.imshow(ColorBar(low, high, layer, colormap="viridis").draw(plane), interpolation="nearest")
            size = " x ".join(map(str, values.shape[1:]))
            axis.set_title(f"{layer}\n{size}: {low:.2g} to {high:.2g}", fontsize=8)
        for axis in row_axes:
            axis.set(xticks=[], yticks=[], frame_on=False)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


class ActivationMapHandler(SamplePictureHandler):
    """Draws the strongest channel of some layers for the first samples of the validation set.

    Files, TensorBoard (under ``activations``) and when the network runs are those of
    :class:`~monai_mtunet.engines.sample_pictures.SamplePictureHandler`.

    Args:
        network: the validated network.
        tasks: the declared tasks.
        layers: names of modules, see :func:`read_activation_maps`.
        output_dir: folder of the PNG files.
        summary_writer: TensorBoard writer.
        samples: how many samples.
        interval: every how many epochs.
        spatial_size: what is cut from the middle of an image, for images too large for the network in one pass; the
            whole image by default.

    Example:
        The levels of the paper's Figure 5, the last one the prediction before it is interpolated:

        >>> layers = ["trunk.residual", *(f"trunk.blocks.{i}" for i in range(4)), "heads.dense.segment"]
        >>> ActivationMapHandler(network, tasks, layers, "outputs/activations").attach(evaluator)
    """

    tag = "activations"

    def __init__(
        self,
        network: nn.Module,
        tasks: Sequence[Task],
        layers: Sequence[str],
        output_dir: str | Path,
        summary_writer: SummaryWriter | None = None,
        samples: int = 3,
        interval: int = 1,
        spatial_size: Sequence[int] | None = None,
    ) -> None:
        super().__init__(network, tasks, output_dir, summary_writer, samples, interval, spatial_size)
        self.layers = tuple(layers)

    def draw(self, images: Sequence[Tensor], device: torch.device, title: str) -> Figure:
        """The maps of every sample, by :func:`draw_activation_maps`."""
        maps: list[dict[str, Tensor]] = []
        for image in images:  # one by one: sizes may differ
            batch = read_activation_maps(self.network, image[None].to(device), self.layers)
            maps.append({layer: values[0].cpu() for layer, values in batch.items()})
        return draw_activation_maps(self.tasks, images, maps, title)
