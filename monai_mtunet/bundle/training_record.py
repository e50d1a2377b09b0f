"""What a training was started with: the command, the configuration, the environment."""

from __future__ import annotations

import datetime
import inspect
import json
import os
import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser

from .command_line import is_bundle_run

__all__ = ["CONFIGURATION_FILE", "RECORD_FILE", "record_training"]

RECORD_FILE, CONFIGURATION_FILE = "training.json", "configuration.json"

_PACKAGES = ("monai_mtunet", "torch", "monai", "pytorch-ignite", "numpy", "scikit-image", "nibabel")
_VARIABLES = ("MONAI_DATA_DIRECTORY", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "WORLD_SIZE")


def record_training(output_dir: str | Path, device: torch.device, resume: bool = False) -> None:
    """Write ``training.json``, how it was started and with which versions, and ``configuration.json``.

    The configuration is that of all files and overrides together, as ``python -m monai.bundle run`` takes it again.
    Call it in ``initialize``, after :func:`prepare_output_dir`: a run that is killed leaves them as well.

    Args:
        output_dir: where the run's files go.
        device: where the network is.
        resume: whether the run goes on from an earlier one, whose record is kept before its own.
    """
    if int(os.environ.get("RANK", "0")):
        return
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    runs = _runs(folder / RECORD_FILE) if resume else []
    record = {
        "command": _command(),
        "folder": os.getcwd(),
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "environment": _environment(device),
    }
    _write(folder / RECORD_FILE, {"runs": [*runs, record]})
    parser = _running_parser()
    if parser is not None:
        configuration: Any = parser.config
        items = {name: item for name, item in configuration.items() if name != ConfigParser.meta_key}
        _write(folder / CONFIGURATION_FILE, items)


def _runs(path: Path) -> list[Any]:
    try:
        runs: list[Any] = json.loads(path.read_text(encoding="utf-8"))["runs"]
    except (OSError, ValueError, KeyError):  # of a run before there were records, or by another program
        return []
    return runs


def _write(path: Path, content: Any) -> None:
    # What Python gave and JSON has not is told, not kept.
    text = json.dumps(content, indent=4, default=repr, ensure_ascii=False)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text + "\n", encoding="utf-8")
    os.replace(partial, path)


def _command() -> str | None:
    """The command line that started this process, where it is a bundle's; None from Python."""
    if not is_bundle_run():
        return None
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    start = "python" if processes == 1 else f"torchrun --nproc_per_node {processes}"
    return f"{start} -m monai.bundle {' '.join(map(_quoted, sys.argv[1:]))}"


def _quoted(argument: str) -> str:
    """As a shell takes it; lists of files as the documentation writes them."""
    is_plain = "'" in argument and not set(argument) & set('"$`\\!')
    return f'"{argument}"' if is_plain else shlex.quote(argument)


def _environment(device: torch.device) -> dict[str, str]:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "device": f"{device} ({name})",
        "processors": f"{os.cpu_count()}, of which torch uses {torch.get_num_threads()}",
        "system": platform.platform(),
        "Python": platform.python_version(),
        **versions,
        **{name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }


def _running_parser() -> ConfigParser | None:
    """The configuration that an expression is being evaluated of, which MONAI does not give to expressions."""
    frame = inspect.currentframe()
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, ConfigParser):
            return owner
        frame = frame.f_back
    return None
