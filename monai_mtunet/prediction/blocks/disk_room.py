"""Whether a disk has room for predictions, before they are begun."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["check_disk_room"]


def check_disk_room(image: Path, output: Path, tasks: Sequence[str], named: Iterable[Path], wanted: float) -> None:
    """Refuse to begin, or to go on with, what has no room.

    Args:
        image: that is predicted.
        output: path of its predictions, without the task's name and the ending; its folder is made when missing.
        tasks: that are saved, whose unfinished files need no room again.
        named: finished files of the same predictions, which do not either.
        wanted: what all predictions take, in bytes.

    Raises:
        OSError: When the disk has less room than that.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    patterns = [f"{glob.escape(f'{output.name}_{task}')}.*partial" for task in tasks]
    written = [*named, *(path for pattern in patterns for path in output.parent.glob(pattern))]
    files = [file for path in written for file in (path, *path.rglob("*")) if file.is_file()]
    free = shutil.disk_usage(output.parent).free + sum(file.stat().st_size for file in files)
    if wanted > free:
        raise OSError(
            f"The predictions of {image} take {wanted / 1e9:.3g} GB, and {output.parent} has room for "
            f"{free / 1e9:.3g} GB: choose another output folder, or fewer tasks."
        )
