"""What a bundle predicts with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import psutil
import torch
from torch import nn

from ..bundle.trained_bundle import TrainedBundle
from ..bundle.trained_flips import Flips
from ..inferers import FlippedWindows, MultiScaleFlipInferer, NetworkEnsemble
from ..planning import inference_memory, window_for
from ..planning.window_size import KEPT, MARGIN
from ..tasks import TaskList
from ..tasks.task_names import known_names
from .parts import PredictionParts

__all__ = ["bundle_parts"]

logger = logging.getLogger(__name__)

_LARGEST_WINDOW = {2: 512, 3: 96}  # pixels or voxels along an axis, where a configuration leaves it open
_MOST_FOR_WINDOWS = 2**34  # bytes
_LEFT_RIGHT = {2: 1, 3: 0}  # the axis of images that training flips most often
_BATCH = 4  # fewer windows at once are several times slower on CPUs


def bundle_parts(
    bundle: TrainedBundle,
    wanted: Sequence[str] = (),
    flips: bool = False,
    memory: float = inf,
    begun: Sequence[Mapping[str, Any]] = (),
) -> PredictionParts:
    """Load a bundle's network, leave away what no wanted task needs, and lay windows over images.

    Several networks are averaged (`NetworkEnsemble`). Flips are merged window by window (`FlippedWindows`), and so are
    those of a configuration whose ``MultiScaleFlipInferer`` has no other scale than 1: what is done within windows can
    be done block by block.

    Where the configuration leaves the windows' size open (``roi_size`` -1), they are 512 pixels or 96 voxels long,
    smaller where these do not fit, and shrink to smaller images: never a whole volume by accident.

    Args:
        bundle: the bundle.
        wanted: names of the tasks whose predictions are saved; all by default.
        flips: whether to average over windows and their flips, along the axes that training flipped.
        memory: bytes for the whole process, the network's computation on a batch of windows included. On a GPU that is
            limited by the GPU's own memory.
        begun: identities of predictions that may go on: windows that were chosen for one are kept, since how much of
            the memory is free changes from run to run.

    Raises:
        ValueError: When a wanted task is none of the bundle's, training flipped along no axis, or memory is too little
            for any window.
    """
    names = known_names(wanted, bundle.tasks.names) or bundle.tasks.names
    tasks = TaskList(bundle.tasks, list({*names, *bundle.tasks.needed(names)}))
    saved = tuple(task for task in tasks if task.name in names)
    inferer = bundle.inferer()
    axes = _flips(bundle) if flips else []
    if isinstance(inferer, MultiScaleFlipInferer) and inferer.scales == (1.0,) and inferer.shorter_side is None:
        axes, inferer = axes or list(inferer.flip_axes), inferer.inferer
    # In evaluation mode as a whole: engines restore the mode that they found.
    networks = [FlippedWindows(network, tasks, axes) for network in bundle.networks(tasks.loss_names)]
    network = NetworkEnsemble(networks, tasks).eval()
    identity = {**bundle.identity(), "windows": None, "tasks": [task.name for task in saved], "flips": axes}
    taken = 0.0
    windows = PredictionParts.windows_of(inferer)
    if windows is not None:
        on_gpu = bundle.device.type == "cuda"
        free = torch.cuda.mem_get_info(bundle.device)[0] if on_gpu else memory - psutil.Process().memory_info().rss
        same = (one["windows"] for one in begun if {**one, "windows": None} == identity)
        size, batch = next(same, None) or _window(network, bundle, free)
        windows.roi_size, windows.sw_batch_size, windows.shrink = size, batch, True
        needed = inference_memory(network, (batch, bundle.image_channels, *size)).windows
        taken = 0.0 if on_gpu else MARGIN * needed + KEPT
        identity["windows"] = [size, batch]
    return PredictionParts(network, tasks, saved, bundle.preprocessing(), inferer, bundle.device, identity, taken)


def _flips(bundle: TrainedBundle) -> Flips:
    """Axes of flips that training knows: of others a network predicts nonsense, which the mean would take in."""
    trained = bundle.flips()
    if trained:
        return trained
    if trained is not None:
        raise ValueError(
            f"Training of {bundle.folder} with these configurations flips images along no axis (augment has neither "
            "RandFlipGeometryd nor RandFlipd), so that a mean over flips would spoil the predictions: leave out --tta, "
            "or train with flips."
        )
    axis = _LEFT_RIGHT[len(bundle.window)]
    logger.warning(
        "Along which axes training flipped images is not known, since %s has no train.json, and no overlay an "
        '"augment": --tta flips along axis %d alone. If training did not, predictions become worse: leave out --tta, '
        "or give the overlay that the network was trained with (--config).", bundle.folder, axis,
    )  # fmt: skip
    return [axis]


def _window(network: nn.Module, bundle: TrainedBundle, free: float) -> tuple[list[int], int]:
    """Size and number of windows in a batch: the configuration's size, or one that leaves half of memory to images."""
    if min(bundle.window) > 0:
        return list(bundle.window), _BATCH
    largest = _LARGEST_WINDOW[len(bundle.window)]
    image = [size if size > 0 else largest for size in bundle.window]
    # Longer than any window, so that a batch is of several.
    endless = [size + largest for size in image]
    room = int(min(max(free, 0) / 2, _MOST_FOR_WINDOWS))
    try:
        size, batch = window_for(network, bundle.image_channels, endless, room, _BATCH, largest=largest)
    except ValueError as error:
        used = psutil.Process().memory_info().rss
        raise ValueError(
            f"{error} Half of what is free is for windows, the rest for images; the process itself takes "
            f"{used / 2**20:.0f} MiB (--memory)."
        ) from error
    return [min(length, most) for length, most in zip(size, image, strict=True)], batch
