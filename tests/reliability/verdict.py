"""What became of a bad input: right, or an error that tells what and what to do; or something to mend."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from PIL import Image

from monai_mtunet.files import open_image

from .cases import Made
from .child import LAST_RESORT, SECONDS, Ended
from .problem import SIZE

RIGHT, TOLD, BEFORE = "right", "told", "MONAI's"
GOOD = {RIGHT, TOLD, BEFORE}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\S*/\S*")  # names and paths, which may hold any word
_REMEDY = re.compile(
    r"\b(add|bring|build|change|check|choose|convert|correct|crop|declare|drop|get|give|go|install|keep|leave|look|"
    r"lower|make|map (it|them)|move|pass|put|raise|remove|rename|replace|resample|save|scale|set \w+ to|split|take|"
    r"unpack|use|write|name (an?|one|its|the|another)|must (be|have|hold|name))\b",
    re.IGNORECASE,
)


def judge(made: Made, name: str, ended: Ended, folder: Path) -> str:
    """`RIGHT`, `TOLD`, or what is wrong.

    Args:
        made: the case.
        name: of the run.
        ended: how its process ended.
        folder: of the case.
    """
    if ended.seconds > SECONDS or ended.waited > LAST_RESORT:
        return f"hang: {ended.seconds:.0f} s of a processor, {ended.waited:.0f} s in all"
    if ended.status < 0:
        return f"crash: signal {-ended.status}"
    if halves := [path.name for path in folder.rglob("*") if _is_half_written(path, folder, made)]:
        return f"half-written: {halves[:3]}"
    if ended.status == 0:
        return _right(made, name, ended, folder)
    if ended.told.get("before"):
        return BEFORE  # MONAI could not read the configuration, so that nothing of this package has run
    return TOLD if _is_told(ended, made) else f"unclear: {ended.last_line[:300]}"


def _is_told(ended: Ended, made: Made) -> bool:
    """The last line names the culprit, is this package's own, and says what to do."""
    line = ended.last_line
    names = any(culprit in line for culprit in made.culprits)
    ours = ended.told.get("ours", False) or "(It came up " in line
    return names and ours and _REMEDY.search(_QUOTED.sub("", line)) is not None


def _right(made: Made, name: str, ended: Ended, folder: Path) -> str:
    if made.is_damaged:
        return "wrong: a wrong checksum is not noticed"
    if made.misses_values and name != "load" and not re.search(f"{made.culprits[0]}.*not finite", ended.log):
        return "wrong: nothing is said of values that are not finite"
    if name == "load":
        return RIGHT if ended.told.get("right") else "wrong: values that the file does not hold"
    if name == "predict":
        return _right_predictions(made, folder)
    file = folder / ("other" if name == "pretrained" else "out") / "checkpoints" / "last.pt"
    if not file.is_file():
        return RIGHT  # another output_dir
    network = torch.load(file, weights_only=True)["network"]
    return RIGHT if all(value.isfinite().all() for value in network.values()) else "wrong: weights that are not finite"


def _right_predictions(made: Made, folder: Path) -> str:
    written = {file.name: file for file in (folder / "out" / "predictions").rglob("*_segment*")}
    if made.images and len(written) != made.images:
        return f"wrong: {len(written)} of {made.images} images are predicted"
    fine = next((file for name, file in written.items() if name.startswith("fine")), None)
    if fine is not None and open_image(fine).shape[1:] != SIZE[made.dims]:
        return f"wrong: {fine.name} is of another size"
    return RIGHT


def _is_half_written(path: Path, folder: Path, made: Made) -> bool:
    """Whether a file that a run wrote is not whole, or of a name that is not final."""
    parts = path.relative_to(folder).parts
    if parts[0] not in ("out", "other") or not path.is_file() or path in made.inputs:
        return False
    try:
        if path.name.endswith(".nii.gz"):
            np.asarray(nib.load(path).dataobj)
        elif path.suffix == ".png":
            Image.open(path).load()
        elif path.suffix == ".pt":
            torch.load(path, weights_only=True)
        else:
            return path.suffix in (".tmp", ".partial", ".part")
    except Exception:
        return True
    return False
