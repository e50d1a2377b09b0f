"""Predict files with a trained bundle: the command as a function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psutil
from monai.config import PathLike

from ..bundle.output_folder import make_output_folder
from ..bundle.trained_bundle import TrainedBundle
from ..data.file_names import check_predictions_differ
from ..files.ledger import identity_in
from .bundle_parts import bundle_parts
from .image_ledger import remove_predictions
from .inputs import find_inputs
from .ledger_names import ledger_name, ledgers
from .memory import parse_bytes
from .predict import PredictionReport, predict_inputs
from .predictor import Predictor

__all__ = ["predict_files"]


def predict_files(
    bundle: PathLike,
    inputs: Sequence[PathLike],
    output_dir: PathLike,
    overlays: Sequence[PathLike] = (),
    checkpoints: Sequence[PathLike] = (),
    tasks: Sequence[str] = (),
    channels: Sequence[str] = (),
    memory: str | float = "4GB",
    workers: int | None = None,
    scheduler: str | None = None,
    part: int = 1,
    parts: int = 1,
    flips: bool = False,
    panels: bool = False,
    overwrite: bool = False,
) -> PredictionReport:
    """Predict images of any kind and size, in memory or block by block, in this process or by many.

    Predictions are of the input's kind, below the output folder as the inputs lie. What is done already, with the same
    network and configuration, is kept. An image that fails does not stop the others.

    Args:
        bundle: its folder, copied and packed ones included.
        inputs: files, folders, patterns and data lists, see `find_inputs`.
        output_dir: folder of the predictions.
        overlays: configuration files that the network was trained with.
        checkpoints: trained weights, several of which are averaged; by default the configuration's.
        tasks: names of the tasks to predict; all by default. Only what they need is computed.
        channels: how names of files end that are a channel each.
        memory: for the whole process, as ``"4GB"`` or in bytes.
        workers: number of processes on this machine; needs Dask.
        scheduler: address or scheduler file of a running Dask cluster.
        part: which part of the images, from 1.
        parts: into how many parts the images are dealt, each for a process of its own.
        flips: whether to average over flips, along the axes that training flipped.
        panels: whether to draw input and predictions of images that fit into memory.
        overwrite: whether to replace predictions that are there.

    Returns:
        What became of each image.

    Raises:
        FileNotFoundError: When an input, the bundle or its checkpoint does not exist.
        ValueError: When two predictions would have one name, memory is too little, or the folder holds predictions
            made with something else.
        OSError: When the folder is full, read-only or a file, or another process is at work there, unless it has
            another part of the same images.

    Example:
        >>> report = predict_files("bundles/umc", ["scans"], "predictions", memory="2GB")
        >>> report.failed
        {}
    """
    output, limit = Path(output_dir), parse_bytes(memory) if isinstance(memory, str) else float(memory)
    if not 1 <= part <= parts:
        raise ValueError(f"part must be in 1..{parts}, got {part}.")
    found = find_inputs(inputs, channels, output)
    begun = [] if overwrite and parts == 1 else [identity_in(path) or {} for path in ledgers(output)]
    made = bundle_parts(TrainedBundle(Path(bundle), overlays, checkpoints), tasks, flips, limit, begun)
    check_predictions_differ({item.files[0]: item.stem for item in found}, made.saved_names)
    items, ledger = found[part - 1 :: parts], ledger_name(part, parts)
    room = limit - psutil.Process().memory_info().rss - made.network_bytes
    if room <= 0:
        raise ValueError(
            f"{memory} of memory are too little: the process takes {(limit - room) / 1e9:.2g} GB before it reads an "
            "image. Give more (--memory)."
        )
    make_output_folder(output)
    if overwrite:
        remove_predictions(items, made, output, ledger)
    if workers is not None or scheduler is not None:
        from .cluster import cluster_client, predict_on_cluster

        with cluster_client(workers, scheduler) as client:
            return predict_on_cluster(client, made, items, output, room, panels, ledger)
    return predict_inputs(Predictor(made, room), items, output, panels, ledger)
