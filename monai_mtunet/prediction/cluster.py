"""Images and runs of blocks as tasks of a Dask cluster: processes of this machine, or of many."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..files import open_image
from ..files.ledger import Ledger, SourceState
from .blocks.block_job import BlockJob
from .blocks.block_plan import BlockPlan
from .blocks.unpacked import unpacked
from .image_ledger import begin, is_done, note, open_ledger, remove_leftovers_of
from .inputs import PredictionInput
from .ledger_names import LEDGER
from .parts import PredictionParts
from .predict import PredictionReport, reason_of
from .predictor import Predictor
from .unwritable import telling_unwritable, unwritable

__all__ = ["cluster_client", "predict_on_cluster"]

_PARTS = "monai_mtunet_parts"  # attribute of a worker
_RUNS_PER_WORKER = 2  # so that workers end at about the same time
_LEAST_STEPS = 6  # windows' steps in a run: at its ends windows are computed for two runs


@contextmanager
def cluster_client(workers: int | None = None, scheduler: str | None = None) -> Iterator[Any]:
    """A client of a new cluster of processes on this machine, or of a running one.

    Args:
        workers: number of processes.
        scheduler: address, ``tcp://...``, or path of a scheduler file.

    Raises:
        ImportError: When Dask is missing; it tells the line that installs it.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError("Several workers need Dask: pip install 'monai_mtunet[cluster]'.") from error
    with ExitStack() as stack:
        if scheduler is None:
            # Without a dashboard Dask still listens for one, at 8787, and warns where another cluster does so already.
            anywhere = {"dashboard_address": "127.0.0.1:0"}
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address=None,
                scheduler_kwargs=anywhere,
            )
            stack.enter_context(cluster)
            yield stack.enter_context(Client(cluster))
        elif "://" in scheduler:
            yield stack.enter_context(Client(scheduler))
        else:
            yield stack.enter_context(Client(scheduler_file=scheduler))


@dataclass
class _Image:
    """An image under way."""

    item: PredictionInput
    tasks: Sequence[str]  # that are saved
    source: SourceState  # before it is read
    job: BlockJob | None = None  # of one that does not fit into a worker's memory
    ledger: Ledger | None = None
    waiting: int = 1  # for so many tasks


def predict_on_cluster(
    client: Any,
    parts: PredictionParts,
    inputs: Sequence[PredictionInput],
    output_dir: Path,
    memory: float,
    panels: bool = False,
    ledger_name: str = LEDGER,
) -> PredictionReport:
    """Predict images by all workers of a cluster: small ones whole, large ones in runs of blocks, with equal bits.

    Each worker holds the network once, and computes with one thread. A task whose worker dies is done by another. All
    workers see the same files, and only this process notes what is done.

    Args:
        client: of ``distributed``.
        parts: what is predicted with; sent to every worker.
        inputs: the images.
        output_dir: folder of the predictions.
        memory: bytes per worker for one image; the network and what it computes are not in it.
        panels: whether to draw input and predictions side by side, of images that fit into memory.
        ledger_name: of the file in that folder that tells which images are done, and with what.

    Raises:
        ValueError: When predictions in the folder were made with something else.
        OSError: When the folder is full or read-only, which ends it; what is done is kept. When another process is at
            work there, unless it has another part of the same images.
    """
    from distributed import as_completed

    workers = max(len(client.scheduler_info()["workers"]), 1)
    client.register_plugin(_worker_setup(parts))
    options: dict[str, Any] = {"pure": False}
    if parts.device.type == "cuda":
        options["resources"] = {"GPU": 1}
    report, under_way = PredictionReport(), {}
    output_dir = output_dir.absolute()
    with telling_unwritable(output_dir, report.done), ExitStack() as stack:
        done = stack.enter_context(open_ledger(output_dir, ledger_name, parts.identity))
        for item in inputs:
            if is_done(done, parts.saved_names, item, output_dir):
                report.kept.append(item.files[0])
                continue
            try:
                source = begin(done, parts.saved_names, item, output_dir)
                image, calls = _calls(parts, item, source, output_dir / item.stem, memory, workers, panels, stack)
                if not calls:  # a kill came between the last block and the names
                    _complete(image, [], done, output_dir, report)
            except Exception as error:  # whatever is wrong with one image
                if unwritable(error):
                    raise
                report.failed[item.files[0]] = reason_of(error)
                continue
            under_way.update({client.submit(_carry_out, *call, **options): image for call in calls})
        for future in as_completed(list(under_way)):
            image = under_way.pop(future)
            try:
                _take_up(image, future.result(), done, output_dir, report)
            except Exception as error:
                if unwritable(error):
                    raise
                report.failed[image.item.files[0]] = reason_of(error)
    return report


def _worker_setup(parts: PredictionParts) -> Any:
    from distributed import WorkerPlugin

    class Setup(WorkerPlugin):
        """Gives a worker the network, one that joins later included."""

        name = _PARTS

        def setup(self, worker: Any) -> None:
            # As many processes as cores. It decides the last digit, since kernels divide their sums among threads.
            torch.set_num_threads(1)
            setattr(worker, _PARTS, parts)

    return Setup()


def _calls(
    parts: PredictionParts,
    item: PredictionInput,
    source: SourceState,
    output: Path,
    memory: float,
    workers: int,
    panels: bool,
    stack: ExitStack,
) -> tuple[_Image, list[tuple[Any, ...]]]:
    """What workers are to do for an image."""
    if Predictor(parts, memory).fits(open_image(item.files), output):
        return _Image(item, parts.saved_names, source), [(_predict_whole, item.files, output, memory, panels)]
    files = stack.enter_context(unpacked(item.files, output))
    job = BlockJob(parts, files, output, memory, workers)
    job.check_disk()
    ledger = stack.enter_context(Ledger(job.ledger_path, job.identity()))
    job.take_up(ledger)
    job.measure(ledger)
    runs = job.runs(ledger, longest=longest_run(job, workers))
    if runs:
        job.outputs()  # made once, before several processes open them; of those that bear their names already none
    what = (files, output, memory, job.plan, ledger.done.get(job.RANGES))
    return _Image(item, parts.saved_names, source, job, ledger, len(runs)), [(_predict_run, *what, run) for run in runs]


def longest_run(job: BlockJob, workers: int) -> int:
    """Blocks per run, so that all workers have some and few windows are computed twice."""
    steps = len(job.grid.starts[job.grid.rolling_axis]) / len(job.plan.columns[0])  # per block
    return max(math.ceil(len(job.blocks) / (workers * _RUNS_PER_WORKER)), math.ceil(_LEAST_STEPS / steps))


def _take_up(image: _Image, result: Any, done: Ledger, output_dir: Path, report: PredictionReport) -> None:
    """Note what a worker has done."""
    if isinstance(result, Exception):
        raise result
    image.waiting -= 1
    if image.ledger is None:
        _complete(image, result, done, output_dir, report)
        return
    for number, filled in result:
        image.ledger.mark(number, filled=filled)
    if image.waiting == 0:
        _complete(image, [], done, output_dir, report)


def _complete(image: _Image, files: Sequence[Path], done: Ledger, output_dir: Path, report: PredictionReport) -> None:
    if image.job is not None and image.ledger is not None:
        files = image.job.finish(image.ledger)
    remove_leftovers_of(output_dir / image.item.stem, image.tasks)  # of workers that were killed
    note(done, image.item, image.source, files, output_dir)
    report.done[image.item.files[0]] = list(files)


def _carry_out(work: Callable[..., Any], *division: Any) -> Any:
    """Errors are results: Dask logs at length what a task raises, and what fails would fail again."""
    try:
        return work(*division)
    except Exception as error:
        full = unwritable(error)
        return RuntimeError(reason_of(error)) if full is None else OSError(full.errno, full.strerror)


def _parts_here() -> PredictionParts:
    from distributed import get_worker

    parts: PredictionParts = getattr(get_worker(), _PARTS)
    return parts


def _predict_whole(files: Sequence[str], output: Path, memory: float, panels: bool) -> list[Path]:
    return Predictor(_parts_here(), memory).predict(files, output, panels)


def _predict_run(
    files: Sequence[str], output: Path, memory: float, plan: BlockPlan, ranges: Any, run: Sequence[int]
) -> list[tuple[int, int]]:
    job = BlockJob(_parts_here(), files, output, memory, plan=plan)
    if ranges is not None:
        job.preprocessing.set_ranges(ranges["values"])
    return list(job.predict(run))
