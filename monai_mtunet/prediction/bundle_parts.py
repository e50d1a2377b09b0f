"""What a bundle predicts with."""

from __future__ import annotations

from collections.abc import Sequence

from ..bundle.trained_bundle import TrainedBundle
from ..inferers import FlippedWindows, MultiScaleFlipInferer, NetworkEnsemble
from ..tasks import TaskList
from .parts import PredictionParts

__all__ = ["bundle_parts"]

_LARGEST_WINDOW = {2: 512, 3: 96}  # pixels or voxels along an axis, where a configuration leaves it open
_BATCH = 4  # fewer windows at once are several times slower on CPUs


def bundle_parts(bundle: TrainedBundle, wanted: Sequence[str] = (), flips: bool = False) -> PredictionParts:
    """Load a bundle's network, leave away what no wanted task needs, and lay windows over images.

    Several networks are averaged (`NetworkEnsemble`). Flips are merged window by window (`FlippedWindows`), and so are
    those of a configuration whose ``MultiScaleFlipInferer`` has no other scale than 1: what is done within windows can
    be done block by block.

    Where the configuration leaves the windows' size open (``roi_size`` -1), they are 512 pixels or 96 voxels long, and
    shrink to smaller images: never a whole volume by accident.

    Args:
        bundle: the bundle.
        wanted: names of the tasks whose predictions are saved; all by default.
        flips: whether to average over windows and their flips along every axis.

    Raises:
        ValueError: When a wanted task is none of the bundle's.
    """
    saved = TaskList(bundle.tasks, wanted)
    tasks = TaskList(bundle.tasks, list({*saved.names, *bundle.tasks.needed(saved.names)}))
    inferer, dims = bundle.inferer(), len(bundle.window)
    axes = tuple(range(dims)) if flips else ()
    if isinstance(inferer, MultiScaleFlipInferer) and inferer.scales == (1.0,) and inferer.shorter_side is None:
        axes, inferer = axes or inferer.flip_axes, inferer.inferer
    windows = PredictionParts.windows_of(inferer)
    if windows is not None:
        windows.roi_size = roi_size = [size if size > 0 else _LARGEST_WINDOW[dims] for size in bundle.window]
        windows.sw_batch_size = max(windows.sw_batch_size, _BATCH)
        windows.shrink = True
    identity = {
        **bundle.identity(),
        "windows": None if windows is None else [roi_size, windows.sw_batch_size],
        "tasks": list(saved.names),
        "flips": list(axes),
    }
    networks = [FlippedWindows(network, tasks, axes) for network in bundle.networks(tasks.loss_names)]
    # In evaluation mode as a whole: engines restore the mode that they found.
    network = NetworkEnsemble(networks, tasks).eval()
    return PredictionParts(network, tasks, saved, bundle.preprocessing(), inferer, bundle.device, identity)
