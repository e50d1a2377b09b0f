"""Kills the command in the middle of blocks, lets it go on, and compares: ``python -m tests.prediction.kills``."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from monai_mtunet.bundle.trained_bundle import TrainedBundle
from monai_mtunet.files import create_like
from monai_mtunet.files.header import Header, Kind
from monai_mtunet.prediction.bundle_parts import bundle_parts
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.ledger_names import LEDGER
from monai_mtunet.prediction.predict import predict_inputs
from monai_mtunet.prediction.predictor import Predictor

BUNDLE = Path(__file__).parents[2] / "bundles" / "umc"
KINDS = {Kind.NIFTI: ".nii", Kind.ZARR: ".zarr", Kind.TIFF: ".tif"}
UNFINISHED = re.compile(r"\.partial|\.jsonl|/\.[0-9a-f]{12}\.")  # the last: hidden, being laid out or replaced
PLACE = ((1.0, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
SIZE = (40, 48, 160)
MEMORY = 5e6  # bytes for blocks
OVERLAY = {
    "features": [4, 8],
    "roi_size": [16, 16, 16],
    "load": [{"_target_": "LoadSampled", "keys": "image"}, {"_target_": "ScaleVolumeRanged", "keys": "image"}],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_compare(Path(folder), arguments.kills, arguments.seed)
    print("\n".join(f"{count:4d} {what}" for what, count in found.items()))


def kill_and_compare(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kill until there were so many kills, and compare each completed prediction with one that was not interrupted.

    Raises:
        AssertionError: When bits differ, something unfinished bears a final name, or is left at the end.
    """
    generator, found, bar = random.Random(seed), Counter[str](), tqdm(total=kills, unit="kill")
    expected = prepare(folder)
    while found["kills"] < kills:
        shutil.rmtree(folder / "out", ignore_errors=True)
        for process in iter(lambda: start(folder), None):
            # Sooner or later within a run, reading, computing and writing.
            if found["kills"] < kills and killed(process, folder / "out", generator.uniform(0, 4)):
                found["kills"] += 1
                bar.update()
                found["kills with some blocks of an image done"] += blocks_done(folder / "out") > 0
                assert contents(folder / "out").items() <= expected.items()
                continue
            assert process.wait() == 0
            break
        assert contents(folder / "out") == expected
        assert unfinished(folder / "out") == [LEDGER]
        found["predictions compared"] += 1
    return found


def prepare(folder: Path) -> dict[str, str]:
    """Volumes and weights, and what a run without kills makes of them."""
    values = np.random.default_rng(0).normal(100, 30, SIZE).astype(np.float32)
    (folder / "in").mkdir()
    for kind, ending in KINDS.items():
        header = Header(
            kind,
            3,
            "float32",
            affine=PLACE if kind is Kind.NIFTI else None,
            variant="0.5" if kind is Kind.ZARR else "",
            ending=ending,
        )
        with create_like(header, folder / "in" / f"a_{kind.value}", (1, *SIZE), "float32", blocks=SIZE) as writer:
            writer.write(None, values[None])
    (folder / "overlay.json").write_text(json.dumps(OVERLAY))
    torch.save({}, folder / "any.pt")
    torch.manual_seed(0)
    bundle = TrainedBundle(BUNDLE, overlays(folder), [folder / "any.pt"])
    torch.save({"network": bundle._config.get_parsed_content("network_def").state_dict()}, folder / "weights.pt")
    process = start(folder)
    assert process.wait() == 0
    result = contents(folder / "out")
    assert len({Path(name).parts[0] for name in result}) == 2 * len(KINDS)
    return result


def overlays(folder: Path) -> list[Path]:
    return [BUNDLE / "volume.json", folder / "overlay.json"]


def start(folder: Path) -> subprocess.Popen[bytes]:
    code = "import sys; from tests.prediction.kills import predict; predict(sys.argv[1])"
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=BUNDLE.parents[1], stderr=subprocess.DEVNULL)


def predict(path: str) -> None:
    """In a process of its own, with little memory for blocks."""
    torch.set_num_threads(1)
    folder = Path(path)
    parts = bundle_parts(TrainedBundle(BUNDLE, overlays(folder), [folder / "weights.pt"]))
    report = predict_inputs(Predictor(parts, MEMORY), find_inputs([folder / "in"]), folder / "out")
    sys.exit(f"{report.failed}" if report.failed else 0)


def killed(process: subprocess.Popen[bytes], output: Path, delay: float) -> bool:
    """Kill a process so many seconds after it has begun with blocks, unless it ends before."""
    started = time.time()
    while process.poll() is None and latest(output.glob("*.blocks.jsonl")) < started:
        time.sleep(0.02)
    try:
        process.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def latest(paths: Iterable[Path]) -> float:
    """When the last of the files was written; they may go while they are looked at."""
    times = [0.0]
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)


def contents(output: Path) -> dict[str, str]:
    """Digests of all files that bear a final name, those of stores included."""
    files = [path for path in output.rglob("*") if path.is_file() and not UNFINISHED.search(str(path))]
    return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def unfinished(output: Path) -> list[str]:
    """All that bears no final name, in stores as well."""
    return sorted(str(path.relative_to(output)) for path in output.rglob("*") if UNFINISHED.search(str(path)))


def blocks_done(output: Path) -> int:
    """Of the image under way."""
    return sum('"filled"' in line for path in output.glob("*.blocks.jsonl") for line in path.read_text().splitlines())


if __name__ == "__main__":
    main()
