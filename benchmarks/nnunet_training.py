"""A planned network beside nnU-Net's own planner and trainer, with the same core-minutes, folds and images.

Needs ``pip install nnunetv2`` in an environment of its own, which also holds this package. What is finished is not run
again.

    OMP_NUM_THREADS=1 python benchmarks/nnunet_training.py hippocampus/Task04_Hippocampus --minutes 30 --seeds 0 1 2
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np

NAME = "Dataset004_Hippocampus"
TRAINER = "nnUNetTrainerForMinutes"
PROBE = 4  # iterations whose time is measured
EPOCHS = 20  # of nnU-Net's polynomial schedule
FOLD = 0
CLASSES = {"anterior": 1, "posterior": 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a Decathlon folder with splits.json")
    parser.add_argument("--minutes", type=float, default=30, help="of one core, for training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--noise", type=float, default=0.1, help="that denoising beside learns from")
    parser.add_argument("--output", type=Path, default=Path("outputs/nnunet_training"))
    arguments = parser.parse_args()
    output, data = arguments.output.absolute(), arguments.data.absolute()
    output.mkdir(parents=True, exist_ok=True)
    plan(data, output, arguments.minutes, arguments.noise)
    prepare_nnunet(data, output)
    for seed in arguments.seeds:
        for method in ("nnU-Net", "segmentation alone", "with denoising"):
            result = output / f"{method.replace(' ', '_')}_{seed}.json"
            if not result.is_file():
                started = os.times()
                if method == "nnU-Net":
                    predictions = train_nnunet(output, seed, arguments.minutes)
                else:
                    predictions = train(data, output, method, seed)
                minutes = core_seconds(started) / 60
                result.write_text(json.dumps({"dice": dice(data, output, predictions), "minutes": minutes}))
            print(method, seed, result.read_text(), flush=True)
    print(table(output))


def run(*command: object, **environment: str) -> None:
    subprocess.run(list(map(str, command)), check=True, env={**os.environ, **environment})


def core_seconds(since: os.times_result) -> float:
    """That processes started since then took, those that have ended."""
    now = os.times()
    return now.children_user + now.children_system - since.children_user - since.children_system


def plan(data: Path, output: Path, minutes: float, noise: float) -> None:
    """Overlays for both, of images without and with noise; both are measured on images without."""
    for name, options in (("segment", ["--tasks", "segment"]), ("both", ["--noise", noise])):
        if not (output / f"{name}.json").is_file():
            command = [
                sys.executable,
                "-m",
                "monai_mtunet",
                "plan",
                data,
                "--bundle",
                "bundles/umc",
                "--hours",
                minutes / 60,
            ]
            run(*command, "--output", output / f"{name}.json", *options)


def train(data: Path, output: Path, method: str, seed: int) -> Path:
    """Train by the plan, and predict the fold's images; returns the folder of label maps."""
    name = "segment" if method == "segmentation alone" else "both"
    folder = output / f"{name}_{seed}"
    configs = ["bundles/umc/train.json", str(output / f"{name}.json")]
    resume = ["--resume", "true"] if (folder / "checkpoints" / "last.pt").is_file() else []
    run(
        sys.executable, "-m", "monai.bundle", "run", "--config_file", configs, "--fold", FOLD, "--seed", seed,
        "--output_dir", folder, *resume,
    )  # fmt: skip
    run(
        sys.executable, "-m", "monai_mtunet", "predict", "bundles/umc", *held_out(data, output), "--config",
        output / f"{name}.json", "--checkpoint", folder / "checkpoints" / "best.pt", "--tasks", "segment", "--output",
        folder / "predictions",
    )  # fmt: skip
    return folder / "predictions"


def held_out(data: Path, output: Path, key: str = "image") -> list[Path]:
    """The fold's files."""
    entries = json.loads((output / "segment.cases.json").read_text())
    return [data / entry[key] for entry in entries if entry["fold"] == FOLD]


def dice(data: Path, output: Path, predictions: Path) -> dict[str, list[float]]:
    """Dice of each class and image; the same for both sides."""
    found: dict[str, list[float]] = {name: [] for name in CLASSES}
    for file in held_out(data, output, "segment"):
        stem = file.name.removesuffix(".nii.gz")
        (predicted,) = (nibabel.load(path) for path in predictions.glob(f"{stem}*.nii.gz"))
        prediction, target = (np.rint(np.asarray(one.dataobj)) for one in (predicted, nibabel.load(file)))
        for name, number in CLASSES.items():
            both = (prediction == number).sum() + (target == number).sum()
            found[name].append(float(2 * ((prediction == number) & (target == number)).sum() / both))
    return found


def nnunet_environment(output: Path) -> dict[str, str]:
    places = {name: str(output / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    return {**places, "nnUNet_n_proc_DA": "0", "nnUNet_compile": "false", "PYTHONPATH": str(Path.cwd())}


def prepare_nnunet(data: Path, output: Path) -> None:
    """Its raw data, its own plan, and the plan's folds instead of its own."""
    raw, preprocessed = output / "nnUNet_raw" / NAME, output / "nnUNet_preprocessed" / NAME
    if (preprocessed / "splits_final.json").is_file():
        return
    entries = json.loads((output / "segment.cases.json").read_text())
    for folder in ("imagesTr", "labelsTr"):
        shutil.rmtree(raw / folder, ignore_errors=True)
        (raw / folder).mkdir(parents=True)
    names = []
    for entry in entries:
        names.append(Path(entry["image"]).name.removesuffix(".nii.gz"))
        shutil.copy(data / entry["image"], raw / "imagesTr" / f"{names[-1]}_0000.nii.gz")
        shutil.copy(data / entry["segment"], raw / "labelsTr" / f"{names[-1]}.nii.gz")
    labels = {"background": 0, **CLASSES}
    content = {"channel_names": {"0": "MRI"}, "labels": labels, "numTraining": len(names), "file_ending": ".nii.gz"}
    (raw / "dataset.json").write_text(json.dumps(content))
    install_trainer()
    run("nnUNetv2_plan_and_preprocess", "-d", 4, "-c", "3d_fullres", "-np", 1, "-npfp", 1, **nnunet_environment(output))
    val = [name for name, entry in zip(names, entries, strict=True) if entry["fold"] == FOLD]
    split = {"train": [name for name in names if name not in val], "val": val}
    (preprocessed / "splits_final.json").write_text(json.dumps([split]))


def install_trainer() -> None:
    """Where nnU-Net looks for trainers: its own package."""
    import nnunetv2

    target = Path(nnunetv2.__path__[0]) / "training" / "nnUNetTrainer" / f"{TRAINER}.py"
    target.write_text((Path(__file__).with_name("nnunet_trainer.py")).read_text())


def train_nnunet(output: Path, seed: int, minutes: float) -> Path:
    """Train it for the minutes, by iterations that a probe measured; returns the folder of its own validation."""
    install_trainer()
    results = output / f"nnunet_{seed}"
    environment = {**nnunet_environment(output), "nnUNet_results": str(results), "NNUNET_SEED": str(seed)}
    common = ["nnUNetv2_train", 4, "3d_fullres", FOLD, "-tr", TRAINER, "-device", "cpu"]
    probe = output / "nnunet_seconds.json"
    if not probe.is_file():
        seconds = []
        for iterations in (PROBE, 3 * PROBE):
            started = os.times()
            one_epoch = {"NNUNET_EPOCHS": "1", "NNUNET_ITERATIONS": str(iterations), "NNUNET_VALIDATION": "0"}
            run(*common, **{**environment, "nnUNet_results": str(output / "probe")}, **one_epoch)
            seconds.append(core_seconds(started))
            shutil.rmtree(output / "probe")
        probe.write_text(json.dumps({"per_iteration": (seconds[1] - seconds[0]) / (2 * PROBE)}))
    per_iteration = json.loads(probe.read_text())["per_iteration"]
    iterations = max(1, int(minutes * 60 / per_iteration / EPOCHS))
    going_on = ["--c"] if list(results.rglob("checkpoint_latest.pth")) else []
    run(*common, *going_on, **environment, NNUNET_EPOCHS=str(EPOCHS), NNUNET_ITERATIONS=str(iterations))
    (predictions,) = results.rglob("validation")
    return predictions


def table(output: Path) -> str:
    lines = []
    for method in ("nnU-Net", "segmentation alone", "with denoising"):
        found = [json.loads(path.read_text()) for path in sorted(output.glob(f"{method.replace(' ', '_')}_?.json"))]
        if not found:
            continue
        cells = []
        for name in CLASSES:
            values = [statistics.fmean(one["dice"][name]) for one in found]
            spread = statistics.stdev(values) if len(values) > 1 else 0
            cells.append(f"{name} {statistics.fmean(values):.3f} ± {spread:.3f}")
        minutes = statistics.fmean(one["minutes"] for one in found)
        lines.append(f"{method}: {', '.join(cells)}; {minutes:.0f} core-minutes, {len(found)} seeds")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
