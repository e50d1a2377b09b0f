"""What windows, blocks, workers and the command cost over the network's own passes."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from math import prod
from pathlib import Path

# Before torch is imported: worker processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import nibabel
import numpy as np
import torch
from monai.inferers import SlidingWindowInferer
from paired_runs import arguments, paired_times, print_environment, print_ratio
from peak_memory import peak_memory

from monai_mtunet.bundle.trained_bundle import TrainedBundle
from monai_mtunet.engines import TaskPreprocessing
from monai_mtunet.files import open_image
from monai_mtunet.files.ledger import Ledger
from monai_mtunet.inferers import MultiTaskSlidingWindowInferer
from monai_mtunet.inferers.window_grid import Box
from monai_mtunet.networks import UMC
from monai_mtunet.prediction.blocks.block_job import BlockJob
from monai_mtunet.prediction.cluster import cluster_client, longest_run, predict_on_cluster
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.memory import whole_image_bytes
from monai_mtunet.prediction.parts import PredictionParts
from monai_mtunet.prediction.predictor import Predictor
from monai_mtunet.tasks import DepthTask, DistanceTask, RestorationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LoadSampled

TASKS = TaskList(
    [
        RestorationTask("denoise", 1, data_range=(0, 1), mean=0.0, std=1.0),
        SegmentationTask("segment", ["background", "cell", "wall"]),
        DistanceTask("distance"),
        DepthTask("depth"),
    ]
)
OVERLAP = 0.25
BUNDLE = Path(__file__).parents[1] / "bundles" / "umc"


def make_parts(names: Sequence[str], window: Sequence[int], features: Sequence[int]) -> PredictionParts:
    torch.manual_seed(0)
    tasks = TaskList(TASKS, names)
    network = UMC(3, 1, tasks.out_channels, features=features).eval()
    inferer = MultiTaskSlidingWindowInferer(window, 4, OVERLAP, "gaussian", tasks=tasks)
    preprocessing = TaskPreprocessing(None, 3, 1, load=[LoadSampled("image")], normalize=[])
    return PredictionParts(network, tasks, tuple(tasks), preprocessing, inferer, torch.device("cpu"))


def save_volume(folder: Path, size: Sequence[int]) -> str:
    path = folder / f"{'x'.join(map(str, size))}.nii"
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    return str(path)


def windows_over_forwards(size: Sequence[int], window: int, features: Sequence[int], pairs: int) -> None:
    names = ["denoise", "segment", "distance"]
    parts = make_parts(names, [window] * 3, features)
    image, network, inferer = torch.rand(1, 1, *size), parts.network, parts.windows
    assert inferer is not None
    count = inferer.grid(size).count(inferer.grid(size).whole)
    batch = torch.rand(4, 1, *[window] * 3)
    monai_inferer = SlidingWindowInferer([window] * 3, 4, OVERLAP, "gaussian")

    @torch.inference_mode()
    def forwards() -> None:
        for _ in range(-(-count // 4)):
            network(batch)

    @torch.inference_mode()
    def windows() -> None:
        inferer(image, network)

    @torch.inference_mode()
    def a_pass_per_task() -> None:
        for name in names:
            monai_inferer(image, lambda x, name=name: network(x)[name])

    runs = {"forwards": forwards, "windows": windows, "a pass per task": a_pass_per_task}
    times = paired_times(runs, pairs)
    print_ratio("windows of three tasks / the sum of their forwards", "time", times["windows"], times["forwards"], 1.03)
    of_tasks = times["a pass per task"]
    print_ratio("windows of three tasks / MONAI's windows, task by task", "time", times["windows"], of_tasks, 0.36)


def little_memory(parts: PredictionParts, file: str) -> float:
    """Somewhat less than the whole image takes."""
    return 0.9 * whole_image_bytes(open_image([file]), parts.tasks)


def stream(parts: PredictionParts, file: str, memory: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Predictor(parts, memory).predict([file], Path(folder) / "image")


def blocks_over_memory(folder: Path, size: Sequence[int], window: int, features: Sequence[int], pairs: int) -> None:
    parts, file = make_parts(["denoise", "segment"], [window] * 3, features), save_volume(folder, size)
    memory = little_memory(parts, file)
    runs = {"memory": partial(stream, parts, file, 1e12), "blocks": partial(stream, parts, file, memory)}
    times = paired_times(runs, pairs)
    print_ratio("block by block / in memory", "time", times["blocks"], times["memory"], 1.05)


def memory_of_depths(folder: Path, plane: int, depths: Sequence[int], window: int, pairs: int) -> None:
    parts = make_parts(["denoise", "segment"], [window] * 3, (4, 8))
    memory = 60 * plane * plane * window
    short, long = (save_volume(folder, (plane, plane, depth)) for depth in depths)
    tiny = partial(stream, parts, save_volume(folder, (window, window, 2 * window)), 1e12)
    peaks = [[peak_memory(partial(stream, parts, file, memory), tiny) for _ in range(pairs)] for file in (long, short)]
    print_ratio(f"depth {depths[1]} / {depths[0]}, block by block", "memory", *peaks, 1.05)


def windows_computed(folder: Path, workers: int, target: float) -> None:
    """512 x 512 x 2000 in windows of 128 x 128 x 16 and 350 MB; no value is read."""
    path, size = folder / "large.nii", (512, 512, 2000)
    header = nibabel.Nifti1Image(np.zeros((1, 1, 1), np.float32), np.eye(4)).header
    header.set_data_shape(size)
    header["vox_offset"] = 352
    with path.open("wb") as file:
        file.write(header.binaryblock)
        file.truncate(352 + 4 * prod(size))  # sparse
    job = BlockJob(
        make_parts(["denoise", "segment"], (128, 128, 16), (4, 8)), [str(path)], folder / "x", 3.5e8, workers
    )
    longest = None if workers == 1 else longest_run(job, workers)
    with Ledger(folder / f"{workers}.jsonl", {}) as ledger:
        regions = [[job.blocks[number] for number in run] for run in job.runs(ledger, longest)]
    computed = [job.grid.count(enclosing(region)) for region in regions]
    needed = job.grid.count(job.grid.whole)
    print_ratio(f"windows computed / needed, {workers} process(es)", "windows", [sum(computed)], [needed], target)


def enclosing(boxes: Sequence[Box]) -> Box:
    return tuple(
        slice(min(part.start for part in along), max(part.stop for part in along)) for along in zip(*boxes, strict=True)
    )


def two_workers_over_one(folder: Path, size: Sequence[int], window: int, features: Sequence[int], pairs: int) -> None:
    parts, file = make_parts(["denoise", "segment"], [window] * 3, features), save_volume(folder, size)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for pair in range(pairs):
        for workers in (1, 2):
            with cluster_client(workers) as client:
                predict_on_cluster(client, parts, find_inputs([file]), folder / f"warm {pair} {workers}", 1e12)
                start = time.perf_counter()  # of both processes
                output = folder / f"{pair} {workers}"
                predict_on_cluster(client, parts, find_inputs([file]), output, little_memory(parts, file))
                seconds[workers].append(time.perf_counter() - start)
    print_ratio("voxels per second of two workers / one", "speed", seconds[1], seconds[2], 1.8)


FIRST_WINDOW = """
import os, resource, sys
from torch.nn.modules.module import register_module_forward_pre_hook
from monai_mtunet.commands.app import main

def first(module, inputs):
    if inputs and getattr(inputs[0], "ndim", 0) == 5 and inputs[0].device.type == "cpu" and type(inputs[0]) is T:
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(used.ru_utime + used.ru_stime, flush=True)
        os._exit(0)

import torch
T = torch.Tensor
register_module_forward_pre_hook(first)
main()
"""
IMPORTS = """
import resource, torch, monai
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""


def command_over_imports(folder: Path, pairs: int) -> None:
    torch.save({}, folder / "any.pt")
    bundle = TrainedBundle(BUNDLE, [BUNDLE / "volume.json"], [folder / "any.pt"])
    torch.save({"network": bundle._config.get_parsed_content("network_def").state_dict()}, folder / "weights.pt")
    (folder / "load.json").write_text('{"load": [{"_target_": "LoadSampled", "keys": "image"}]}')
    command = ["-c", FIRST_WINDOW, "predict", str(BUNDLE), save_volume(folder, (32, 32, 32))]
    command += ["--config", str(BUNDLE / "volume.json"), "--config", str(folder / "load.json")]
    command += ["--checkpoint", str(folder / "weights.pt"), "--overwrite", "--output"]
    started = [cpu_seconds([*command, str(folder / f"out{pair}")]) for pair in range(pairs)]
    print_ratio("the command until its first window / import torch, monai", "time", started, [
        cpu_seconds(["-c", IMPORTS]) for _ in range(pairs)
    ], 1.3)  # fmt: skip


def cpu_seconds(command: Sequence[str]) -> float:
    run = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    side, window, features = (24, 16, (4, 8)) if args.quick else (160, 64, (8, 16, 32, 64))
    few = 1 if args.quick else min(args.pairs, 3)
    windows_over_forwards((side, side, side), window, features, args.pairs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks_over_memory(folder, (side, side, 3 * side), window, features, args.pairs)
        depths = (64, 128) if args.quick else (64, 512)
        memory_of_depths(folder, side if args.quick else 96, depths, 16 if args.quick else 32, few)
        windows_computed(folder, 1, 1.05)
        windows_computed(folder, 8, 1.25)
        two_workers_over_one(folder, (side, side, 3 * side), window, features, few)
        command_over_imports(folder, few)


if __name__ == "__main__":
    main()
