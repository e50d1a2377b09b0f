"""Which metrics belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["TaskMetrics", "metrics_of_tasks"]


@dataclass
class TaskMetrics:
    """The metrics of a task.

    Attributes:
        task: its name.
        single: names of metrics that stand alone.
        groups: of one measure, such as "iou", the metric of each class or part, by its name.
    """

    task: str
    single: list[str] = field(default_factory=list)
    groups: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def parts(self) -> list[str]:
        """What the groups measure: classes, thresholds."""
        return list(dict.fromkeys(part for group in self.groups.values() for part in group))


def metrics_of_tasks(names: Iterable[str], tasks: Sequence[str]) -> list[TaskMetrics]:
    """Sort metrics by task, and those of several classes or parts by what they measure.

    Args:
        names: of all metrics.
        tasks: names of the tasks; the longest with which a metric begins is its task.
    """
    result = {task: TaskMetrics(task) for task in tasks}
    members: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    kept = []
    for name in names:
        fitting = [task for task in tasks if name.startswith(f"{task}_")]
        if fitting:
            task = max(fitting, key=len)
            word, _, part = name.removeprefix(f"{task}_").partition("_")
            kept.append((name, task, word))
            if part:
                members[task][word][part] = name
    for name, task, word in kept:
        group = members[task][word]
        # "psnr" and "psnr_input" are two measures, "iou_cat" and "iou_dog" one.
        if len(group) > 1 and name in group.values():
            result[task].groups[word] = group
        else:
            result[task].single.append(name)
    return list(result.values())
