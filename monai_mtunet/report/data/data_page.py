"""The page of a data set: what its files are like, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...planning.data.case import FoundData, TargetKind
from ...planning.fingerprint import DataFingerprint
from ..charts import Chart, band_chart, bar_chart, histogram
from ..page import number, write_page
from .example_cases import Examples, draw_examples

__all__ = ["write_data_page"]

_MOST_CASES = 2000  # rows of the table
_MOST_PROBLEMS = 1000
_MOST_LABELS = 60
_BAND = ("p0.5", "p5", "p50", "p95", "p99.5")


def write_data_page(
    data: FoundData, found: DataFingerprint, output: Path, decisions: Sequence[tuple[str, str, str]] = ()
) -> Path:
    """Write what a data set holds as one HTML file: problems, distributions, targets, examples, all cases.

    Some images are read again for the examples.

    Args:
        data: what was found in the user's folder.
        found: its fingerprint.
        output: the HTML file.
        decisions: what was chosen for these data, as (what, value, reason), which the page tells first.

    Returns:
        The page's path.
    """
    examples = draw_examples(data, found)
    read = [case for case in found.cases if case.shape]
    output.parent.mkdir(parents=True, exist_ok=True)
    write_page(
        output, "data.html",
        title=f"{len(found.cases)} images", facts=_facts(data, found), decisions=decisions,
        problems=found.all_problems, most_problems=_MOST_PROBLEMS, images=[*_image_charts(read)],
        channels=[*_channel_charts(data, read, examples)], targets=[*_targets(data, found, examples)],
        examples=examples, cases=_rows(data, found), most_cases=_MOST_CASES, target_names=list(data.targets),
        count=len(found.cases),
    )  # fmt: skip
    return output


def _facts(data: FoundData, found: DataFingerprint) -> dict[str, str]:
    read = [case for case in found.cases if case.shape]
    stops = sum(problem.stops for problem in found.all_problems)
    facts = {
        "Images": f"{len(found.cases)} ({data.layout})",
        "Channels": ", ".join(data.channels),
        "Problems": f"{len(found.all_problems)}, {stops} of which stop training" if found.all_problems else "none",
        "Size, median": _median([case.shape for case in read]),
        "Spacing, median": _median([case.spacing for case in read if case.spacing]),
        "Types": _counted(case.dtype for case in read),
        "Orientation": _counted(case.orientation for case in read if case.orientation),
    }
    return {name: text for name, text in facts.items() if text}


def _median(rows: Sequence[Sequence[float]]) -> str:
    if not rows or len({len(row) for row in rows}) > 1:
        return "of 2 and of 3 axes" if rows else ""
    return " x ".join(f"{value:.4g}" for value in np.median(np.array(rows, dtype=float), axis=0))


def _counted(values: Iterator[str | None] | Any) -> str:
    counts = Counter(values)
    return ", ".join(f"{value} ({count})" if len(counts) > 1 else str(value) for value, count in counts.most_common())


def _image_charts(read: Sequence[Any]) -> Iterator[Chart]:
    for title, rows, unit in (
        ("Size", [case.shape for case in read], "voxels"),
        ("Spacing", [case.spacing for case in read if case.spacing], "length of a voxel"),
    ):
        for axes in sorted({len(row) for row in rows}):
            columns = zip(*(row for row in rows if len(row) == axes), strict=True)
            of_axes = {f"axis {place}": list(values) for place, values in enumerate(columns, 1)}
            yield histogram(f"{title} along each of {axes} axes", of_axes, unit)


def _channel_charts(data: FoundData, read: Sequence[Any], examples: Examples) -> Iterator[Chart]:
    for place, name in enumerate(data.channels):
        channels = [case.channels[place] for case in read if place < len(case.channels)]
        known = [channel for channel in channels if all(key in channel for key in _BAND)]
        if not known:
            continue
        about = f"Channel {name}" if len(data.channels) > 1 else "Intensities"
        yield band_chart(f"{about}: 0.5, 5, 50, 95, 99.5 %", [[one[key] for key in _BAND] for one in known], "value")
        if examples.intensities.get(name):
            yield histogram(f"{about} of the examples", {name: examples.intensities[name]}, "value", log=True)
        labeled = [one["foreground_mean"] for one in known if "foreground_mean" in one]
        means = {"all voxels": [one["mean"] for one in known]} | ({"labeled voxels": labeled} if labeled else {})
        yield histogram(f"{about}: mean of each image", means, "value")
        yield histogram(f"{about}: noise of each image", {"noise": [one["noise"] for one in known]}, "std")


def _targets(data: FoundData, found: DataFingerprint, examples: Examples) -> Iterator[dict[str, Any]]:
    for name, kind in data.targets.items():
        known = [case.targets[name] for case in found.cases if case.targets.get(name) is not None]
        yield {
            "name": name, "kind": kind.value.replace("_", " "), "known": len(known),
            "charts": [*_target_charts(name, kind, known, found, data, examples)],
            "legend": [
                [_label_name(data, name, label), color] for label, color in examples.colors.get(name, {}).items()
                if label
            ][:_MOST_LABELS],
        }  # fmt: skip


def _target_charts(
    name: str, kind: TargetKind, known: Sequence[Any], found: DataFingerprint, data: FoundData, examples: Examples
) -> Iterator[Chart]:
    counts = found.label_counts(name)
    if kind is TargetKind.COLORED_SEGMENTATION:
        colors = ["#{:02x}{:02x}{:02x}".format(*map(int, color.split())) for color in counts]
        shares = {color: count / counts.total() for color, count in counts.items()}
        yield bar_chart("Share of pixels", dict(list(shares.items())[:_MOST_LABELS]), colors)
    elif counts:
        labels = sorted(counts, key=int)
        shares = {_label_name(data, name, int(label)): counts[label] / counts.total() for label in labels}
        images = [one["labels"] for one in known if "labels" in one]
        occurs = {
            _label_name(data, name, int(label)): sum(label in some for some in images) / len(images) for label in labels
        }
        colors = ["#{:02x}{:02x}{:02x}".format(*examples.colors[name].get(int(label), (200,) * 3)) for label in labels]
        yield bar_chart("Share of voxels", dict(list(shares.items())[:_MOST_LABELS]), colors)
        yield bar_chart("Share of labeled images that have it", dict(list(occurs.items())[:_MOST_LABELS]), colors)
    elif kind in (TargetKind.CLASS, TargetKind.NUMBER) and known:
        yield histogram("Values", {name: [float(value) for value in known]}, name)
    else:
        channels = [one["channels"][0] for one in known if isinstance(one, dict) and one.get("channels")]
        bands = [[one[key] for key in _BAND] for one in channels if all(key in one for key in _BAND)]
        if bands:
            yield band_chart("Values: 0.5, 5, 50, 95, 99.5 %", bands, "value")


def _label_name(data: FoundData, target: str, label: int) -> str:
    for name, numbers in data.labels.get(target, {}).items():
        if label in (numbers if isinstance(numbers, tuple) else (numbers,)):
            return f"{label}: {name}"
    return f"{label}: missing" if label == 255 or label in data.ignored.get(target, ()) else str(label)


def _rows(data: FoundData, found: DataFingerprint) -> list[dict[str, Any]]:
    rows = []
    for case, known in zip(data.cases[:_MOST_CASES], found.cases, strict=False):
        rows.append({
            "name": case.name, "size": " x ".join(map(str, known.shape)) or "-",
            "spacing": " x ".join(f"{value:.4g}" for value in known.spacing or ()) or "-",
            "noise": ", ".join(number(channel.get("noise")) for channel in known.channels) or "-",
            "targets": ["yes" if known.targets.get(name) is not None else "-" for name in data.targets],
            "problems": len(known.problems), "group": case.group or "-", "section": case.section or "-",
        })  # fmt: skip
    return rows
