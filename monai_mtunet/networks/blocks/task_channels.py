"""Checks of the tasks that a network is asked for."""

import keyword
from collections.abc import Mapping

from torch import nn


def check_task_channels(channels: Mapping[str, int], argument: str = "out_channels") -> dict[str, int]:
    """Check that every task's name can name a module and that it has at least one channel.

    Args:
        channels: number of channels (or features) of each task, in the order of the predictions.
        argument: the argument's name in the network's signature, for the error message.

    Returns:
        The same as a plain dict, in the same order.

    Raises:
        ValueError: When there is no task, a number is not a positive int, or a name is empty, has a dot, is
            a Python keyword or an attribute of ``nn.ModuleDict``.

    Example:
        >>> check_task_channels({"denoise": 3, "segment": 19})
        {'denoise': 3, 'segment': 19}

    """
    if not isinstance(channels, Mapping) or not channels:
        raise ValueError(
            f"{argument} must map one or more task names to a number each, as {{'segment': 19}}, got {channels!r}."
        )
    module_dict = nn.ModuleDict()
    for name, number in channels.items():
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{argument}[{name!r}] must be a positive int, got {number!r}.")
        # Names become keys of a ModuleDict, where `hasattr` is torch's own test for a clash, and attributes in the code
        # that torch.export writes, where Python's keywords are syntax errors.
        if (
            not isinstance(name, str)
            or not name
            or "." in name
            or hasattr(module_dict, name)
            or keyword.iskeyword(name)
        ):
            raise ValueError(
                f"{argument} has a task named {name!r}, which cannot name a module: it must be a non-empty string "
                "without dots, no Python keyword (as 'class') and no attribute of nn.ModuleDict (as 'type' or 'keys'). "
                "Rename the task."
            )
    return dict(channels)


def check_tasks(
    out_channels: Mapping[str, int] | None, out_features: Mapping[str, int] | None
) -> tuple[dict[str, int], dict[str, int]]:
    """Check the tasks of a network that predicts maps, and vectors beside or instead of them.

    Args:
        out_channels: number of channels of each dense task; empty or `None` only if there are `out_features`.
        out_features: number of features of each task with one vector per image; empty or `None` for none.

    Returns:
        Both as plain dicts, in the same order.

    Raises:
        ValueError: When there is no task at all, one is in both, or one does not pass `check_task_channels`.

    Example:
        >>> check_tasks({"segment": 2}, {"box": 4})
        ({'segment': 2}, {'box': 4})

    """
    vectors = check_task_channels(out_features, "out_features") if out_features else {}
    dense = {} if vectors and not out_channels else check_task_channels({} if out_channels is None else out_channels)
    both = [task for task in dense if task in vectors]
    if both:
        raise ValueError(f"{both} are in out_channels and in out_features: a task is one or the other.")
    return dense, vectors
