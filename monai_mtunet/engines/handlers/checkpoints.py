"""Checkpoints that survive a kill, resume exactly and say what is wrong with them."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver
from monai.engines import Evaluator, Workflow
from monai.handlers import CheckpointLoader
from monai.networks.utils import copy_model_state
from torch import nn

from ...losses import MultiTaskLoss
from ...pretrained.checkpoint_file import CheckpointError, check_weights, read_checkpoint
from ...pretrained.network_state import unwrapped, without_prefixes
from ..schedule_end import keeping_ends

logger = logging.getLogger(__name__)

_LONGEST = 200  # letters of what torch says


def load_checkpoint(
    path: str | Path,
    objects: Mapping[str, Any],
    map_location: str | torch.device | dict[str, str] | None = None,
    strict: bool = True,
    strict_shape: bool = True,
) -> int | None:
    """Load states into objects, by name.

    The names of a network's tensors may have the prefixes of wrappers: ``module.`` (DistributedDataParallel),
    ``_orig_mod.`` (torch.compile), ``network.`` or ``model.`` (other trainers).

    Args:
        path: a file written by :class:`ResumableCheckpoint`, or for one object its bare state dict.
        objects: ``{name: object with load_state_dict}``.
        map_location: device to load to.
        strict: whether the tensors' names must be the same.
        strict_shape: whether their shapes must be; others are left as they are.

    Returns:
        After how many epochs of training the file was written; None where it does not say.

    Raises:
        CheckpointError: When the file is missing, corrupt, or does not fit the objects; it names the file and the
            remedy.
    """
    checkpoint = read_checkpoint(path, map_location)
    if len(objects) == 1 and not set(objects) <= set(checkpoint):
        checkpoint = {next(iter(objects)): checkpoint}
    absent = [name for name in objects if name not in checkpoint]
    if absent:
        raise CheckpointError(
            f"The checkpoint {path} holds {sorted(map(str, checkpoint))[:10]}, but no {absent}: give one that this "
            "package's training wrote, or a network's state_dict() under 'network'."
        )
    objects = {name: unwrapped(thing) for name, thing in objects.items()}
    checkpoint = checkpoint | {
        name: _own_state(checkpoint[name], thing, path)
        for name, thing in objects.items()
        if isinstance(thing, nn.Module)
    }
    if not strict_shape:
        for name, thing in objects.items():
            if isinstance(thing, nn.Module):
                checkpoint[name] = copy_model_state(thing, checkpoint[name], inplace=False)[0]
    try:
        Checkpoint.load_objects(to_load=objects, checkpoint=checkpoint, strict=strict)
    except Exception as error:  # whatever states of another kind make of loading
        raise CheckpointError(
            f"The checkpoint {path} does not fit this configuration ({_in_short(error)}): it comes from another "
            "architecture, other tasks or another optimizer. Use the network_def and tasks it was trained with."
        ) from error
    trainer = checkpoint.get("trainer")
    return None if trainer is None else int(trainer["iteration"]) // int(trainer["epoch_length"])


def _in_short(error: Exception) -> str:
    """The first of torch's complaints; there may be one for each tensor."""
    first, *others = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()] or [repr(error)]
    if others and first.endswith(":"):
        first, *others = others
    short = first if len(first) <= _LONGEST else f"{first[:_LONGEST]}..."
    return f"{short}; {len(others)} more" if others else short


def _own_state(state: Any, module: nn.Module, path: str | Path) -> Mapping[str, Any]:
    """A module's state under its own names, checked."""
    if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
        raise CheckpointError(
            f"The checkpoint {path} holds no tensors by name for {type(module).__name__}, but a "
            f"{type(state).__name__}: save its state_dict()."
        )
    own = module.state_dict()
    renamed: Mapping[str, Any] = without_prefixes(state, own)
    if not isinstance(module, MultiTaskLoss):  # NaN in a weighting's history is an epoch that has not been
        check_weights(renamed, own, f"The checkpoint {path}")
    return renamed


def or_last(path: Path) -> Path:
    """A checkpoint, or ``last.pt`` beside it where there is no ``best.pt``: no epoch had a key metric."""
    last = path.with_name("last.pt")
    if path.name != "best.pt" or path.is_file() or not last.is_file():
        return path
    logger.warning("There is no %s, since no epoch has a key metric: %s is taken.", path, last)
    return last


class VerifiedCheckpointLoader(CheckpointLoader):
    """MONAI's ``CheckpointLoader``, with errors that name the file and the remedy. The same arguments.

    An evaluator's epoch becomes the one that the checkpoint was written after, so that pictures and logs bear it.

    Raises:
        CheckpointError: see :func:`load_checkpoint`.
    """

    def __call__(self, engine: Engine) -> None:
        """Load when the engine starts."""
        path = or_last(Path(self.load_path))
        epoch = load_checkpoint(path, self.load_dict, self.map_location, self.strict, self.strict_shape)
        if epoch and isinstance(engine, Evaluator):
            engine.state.epoch, engine.state.max_epochs = epoch - 1, epoch  # it runs one epoch, this one
        logger.info("Loaded %s from %s, written after epoch %s.", ", ".join(self.load_dict), path, epoch or "?")


class BestMetric:
    """The evaluator's best key metric as a state, which MONAI leaves out of checkpoints.

    Args:
        evaluator: a MONAI evaluator with a key metric.
    """

    def __init__(self, evaluator: Workflow) -> None:
        self.evaluator = evaluator

    def state_dict(self) -> dict[str, float | int]:
        """Value and epoch."""
        state = self.evaluator.state
        return {"value": float(state.best_metric), "epoch": int(state.best_metric_epoch)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up value and epoch."""
        self.evaluator.state.best_metric = state_dict["value"]
        self.evaluator.state.best_metric_epoch = state_dict["epoch"]


class ResumableCheckpoint:
    """Writes ``last.pt`` every epoch, ``best.pt`` when the key metric is best, and resumes from ``last.pt``.

    Files are replaced atomically: a process killed while writing leaves the previous checkpoint whole. When training
    stops with an error, the state before the failing step goes to ``stopped.pt``. Attach it after the validation and
    the learning rate handlers, whose results it saves, and before handlers that react to exceptions. A training that
    goes on for longer than planned anneals to its new end.

    Args:
        save_dir: folder of the checkpoints, made when missing.
        objects: ``{name: object with state_dict and load_state_dict}``: network, optimizer, lr_scheduler ...; the
            trainer's own state and the best metric are added.
        evaluator: the evaluator whose key metric decides what is best.
        resume: whether to continue from ``last.pt``.

    Raises:
        CheckpointError: When resuming and ``last.pt`` is missing, corrupt or does not fit.
    """

    def __init__(
        self, save_dir: str | Path, objects: Mapping[str, Any], evaluator: Workflow | None = None, resume: bool = False
    ) -> None:
        self.save_dir = Path(save_dir)
        self.objects = dict(objects)
        self.evaluator = evaluator
        self.resume = resume

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        self.objects["trainer"] = engine
        if self.evaluator is not None:
            self.objects["best_metric"] = BestMetric(self.evaluator)
        if self.resume:
            engine.add_event_handler(Events.STARTED, self._load)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._save_epoch)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._save_stopped)

    def _load(self, engine: Workflow) -> None:
        max_epochs = engine.state.max_epochs  # the configuration's, which may ask for more epochs than before
        path = self.save_dir / "last.pt"
        with keeping_ends(self.objects.values()):
            load_checkpoint(path, self.objects, map_location=engine.state.device)
        if engine.state.epoch > max_epochs:
            raise CheckpointError(
                f"{path} has finished epoch {engine.state.epoch}, beyond max_epochs = {max_epochs}: raise "
                "max_epochs to train on."
            )
        engine.state.max_epochs = max_epochs
        logger.info("Resumed after epoch %d from %s.", engine.state.epoch, path)

    def _save_epoch(self, engine: Workflow) -> None:
        # best.pt first: killed between the two, the resumed run repeats the epoch and writes both again.
        if self.evaluator is not None and self._is_best(engine.state.epoch):
            self._save("best.pt")
        self._save("last.pt")

    def _is_best(self, epoch: int) -> bool:
        """Whether an epoch's key metric is the best so far, which NaN never is, though the first is not compared."""
        state = self.evaluator.state  # type: ignore[union-attr]
        return bool(state.best_metric_epoch == epoch and not math.isnan(state.best_metric))

    def _save_stopped(self, engine: Workflow, error: BaseException) -> None:
        if engine.state.iteration == 0:
            raise error  # before the first step there is nothing to keep
        self._save("stopped.pt")
        logger.error("Training stopped; the state before the failing step is in %s.", self.save_dir / "stopped.pt")
        raise error

    def _save(self, filename: str) -> None:
        # Of the network itself: wrappers for several processes or compilation prefix their names.
        states = {name: unwrapped(thing).state_dict() for name, thing in self.objects.items()}
        DiskSaver(self.save_dir, atomic=True, require_empty=False)(states, filename)
