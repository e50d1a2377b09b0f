"""The best, the median and the worst case, predicted with the best checkpoint and drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import torch
from matplotlib.colors import to_hex
from monai.data import list_data_collate
from torch import Tensor, nn

from ...engines import MultiTaskEvaluator
from ...engines.handlers.checkpoints import load_checkpoint, or_last
from ...pretrained.network_state import unwrapped
from ...tasks import SegmentationTask, TaskList
from ...tasks.panel import draw_row, intensity_limits, panel_legend
from ..picture_bytes import encode_picture
from ..pictured_case import PicturedCase, some_slices
from .measured import Measured, read_measured
from .picture_archive import PictureArchive, write_pictures

__all__ = ["PICTURES_FILE", "NoPicturesError", "draw_cases"]

PICTURES_FILE = Path("validation", "best", "pictures.zip")

_LONGEST = {2: 512, 3: 256}  # pixels of a picture's side, of images and of volumes
_BAR_COLORS = 9


class NoPicturesError(RuntimeError):
    """Why no case is drawn."""


def draw_cases(folder: Path, evaluator: MultiTaskEvaluator) -> None:
    """Predict three cases with the best checkpoint, and write their pictures. The network stays as it is.

    Args:
        folder: of a training, whose validation wrote its tables.
        evaluator: of the training, which holds network and data.

    Raises:
        NoPicturesError: When it is not known which cases to draw, or where they are.
    """
    measured = read_measured(folder / "validation")
    chosen = _places(measured, evaluator)
    network, device = unwrapped(evaluator.network), torch.device(evaluator.state.device)
    with _weights_of(network, folder / "checkpoints" / "best.pt", measured.epoch, device), _network(evaluator, network):
        cases = [_draw(role, name, evaluator, index) for role, (name, index) in chosen.items()]
    assert measured.epoch is not None
    legend, bars = list(panel_legend(evaluator.tasks).items()), _bars(evaluator.tasks)
    write_pictures(folder / PICTURES_FILE, PictureArchive(measured.epoch, cases, legend, bars))


def _places(measured: Measured, evaluator: MultiTaskEvaluator) -> dict[str, tuple[str, int]]:
    """Name and place in the data set of each case to draw."""
    if measured.epoch is None:
        raise NoPicturesError("No epoch has a key metric, so that none of the cases is the best.")
    if measured.processes > 1:
        raise NoPicturesError(
            f"The cases were measured by {measured.processes} processes, in another order than the data set's."
        )
    dataset: Any = getattr(evaluator.data_loader, "dataset", None)
    if not hasattr(dataset, "__getitem__") or len(dataset) != len(measured.order):
        raise NoPicturesError("The validation data give their samples in an order of their own, or are others now.")
    return {role: (case.name, measured.order.index(case.name)) for role, case in measured.chosen().items()}


@contextmanager
def _weights_of(
    network: nn.Module, checkpoint: Path, measured_epoch: int | None, device: torch.device
) -> Iterator[None]:
    before = {name: value.detach().clone() for name, value in network.state_dict().items()}
    try:
        epoch = load_checkpoint(or_last(checkpoint), {"network": network}, device)
        if epoch != measured_epoch:
            raise NoPicturesError(
                f"{checkpoint} is of epoch {epoch}, and the tables of the best epoch are of epoch {measured_epoch}."
            )
        yield
    finally:
        network.load_state_dict(before)


@contextmanager
def _network(evaluator: MultiTaskEvaluator, network: nn.Module) -> Iterator[None]:
    wrapped, evaluator.network = evaluator.network, network
    try:
        yield
    finally:
        evaluator.network = wrapped


def _draw(role: str, name: str, evaluator: MultiTaskEvaluator, index: int) -> PicturedCase:
    sample: Any = evaluator.data_loader.dataset[index]  # type: ignore[union-attr]
    evaluator.state.batch = list_data_collate([sample])
    # What an iteration is for the evaluator, derived tasks included, without the handlers of an epoch.
    output: Any = evaluator._process_function(evaluator, evaluator.state.batch)
    tasks, image = evaluator.tasks, output["image"][0].cpu().float()
    predictions = {task.name: task.postprocess(output["pred"][task.name][0]).cpu() for task in tasks}
    targets = {task.name: output["label"][task.name][0].cpu() for task in tasks if _is_known(task, output)}
    return draw_case(role, name, tasks, image, predictions, targets)


def _is_known(task: Any, output: Any) -> bool:
    """Whether a case has a target of the task."""
    target = output["label"][task.name][0].cpu()
    missing = task.missing_value()
    unknown = target.isnan() if target.is_floating_point() else target == missing.flatten()[0].to(target.dtype)
    return not bool(unknown.all())


def draw_case(
    role: str,
    name: str,
    tasks: TaskList,
    image: Tensor,
    predictions: dict[str, Tensor],
    targets: dict[str, Tensor],
) -> PicturedCase:
    """Draw input, predictions and targets of a case, of a volume slice by slice along its last axis.

    Args:
        role: what it is shown as.
        name: of the case.
        tasks: the tasks.
        image: the network's input (C, *spatial).
        predictions: post-processed.
        targets: prepared ones; those that the case lacks are left out.
    """
    is_volume = image.ndim == 4
    count = image.shape[-1] if is_volume else 1
    limits = intensity_limits(image)
    exact = {task.name for task in tasks if isinstance(task, SegmentationTask)}
    case = PicturedCase(role, name, [], some_slices(count), count)
    for number in case.numbers:
        at = slice(number, number + 1) if is_volume else slice(None)
        dense = {task.name for task in tasks if task.is_dense}
        predicted, true = (
            {key: values[..., at] if key in dense else values for key, values in given.items()}
            for given in (predictions, targets)
        )
        row = draw_row(tasks, image[..., at], predicted, true, limits)
        case.columns = list(row)
        longest = _LONGEST[image.ndim - 1]
        case.pictures.append([
            encode_picture(picture, longest, column.removesuffix(": target") in exact)
            for column, picture in row.items()
        ])  # fmt: skip
    return case


def _bars(tasks: TaskList) -> list[list[Any]]:
    bars = []
    for task in tasks:
        if (bar := task.color_bar()) is not None:
            colors = matplotlib.colormaps[bar.colormap](torch.linspace(0, 1, _BAR_COLORS).numpy())
            bars.append([bar.label, bar.low, bar.high, [to_hex(color) for color in colors]])
    return bars
