"""A trained network that predicts images of any size."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from monai.data import list_data_collate

from ..engines import MultiTaskPredictor
from ..files import open_image
from ..files.image import Image
from ..files.ledger import Ledger
from ..inferers import TaskPostprocessing
from .blocks.block_job import BlockJob
from .blocks.by_blocks import blocks_ledger
from .blocks.unpacked import unpacked
from .far_intensities import tell_far_intensities
from .memory import whole_image_bytes
from .parts import PredictionParts

logger = logging.getLogger(__name__)

__all__ = ["Predictor"]


class Predictor:
    """Predicts images, each in memory where it fits, else block by block, with equal bits.

    Args:
        parts: the network and what stands around it.
        memory: bytes for one image; the network and what it computes are not in it.

    Example:
        >>> predictor = Predictor(parts, memory=1e9)
        >>> predictor.predict(["scan.nii.gz"], Path("predictions/scan"))
        [PosixPath('predictions/scan_denoise.nii.gz'), PosixPath('predictions/scan_segment.nii.gz')]
    """

    def __init__(self, parts: PredictionParts, memory: float) -> None:
        self.parts = parts
        self.memory = memory

    def predict(self, files: Sequence[str], output: Path, panel: bool = False) -> list[Path]:
        """Predict one image and save its tasks.

        A prediction block by block that was interrupted goes on where it was.

        Args:
            files: of the image; several are its channels.
            output: path of its predictions, without the task's name and the ending.
            panel: whether to draw input and predictions side by side, of images that fit into memory.

        Returns:
            The files, each complete.

        Raises:
            OSError: When a file cannot be read, or there is no room for the predictions.
            ValueError: When it is no image for this network, when it is too large for memory and cannot be done block
                by block, or when an interrupted prediction was made with something else.
        """
        image = open_image(files)
        if self.fits(image, output):
            return self._predict_whole(files, output, panel)
        if panel:
            logger.warning("%s: no panel is drawn, since the image is predicted block by block.", files[0])
        with unpacked(files, output) as readable:
            return self._predict_blocks(readable, output)

    def _predict_blocks(self, files: Sequence[str], output: Path) -> list[Path]:
        job = BlockJob(self.parts, files, output, self.memory)
        job.check_disk()
        with Ledger(job.ledger_path, job.identity()) as ledger:
            job.take_up(ledger)
            job.measure(ledger)
            with job.progress(ledger) as bar:
                for run in job.runs(ledger):
                    for number, filled in job.predict(run):
                        ledger.mark(number, filled=filled)
                        bar.update(job.voxels(number))
            return job.finish(ledger)

    def fits(self, image: Image, output: Path) -> bool:
        """Whether an image is predicted in memory: what was begun block by block goes on so."""
        return whole_image_bytes(image, self.parts.tasks) <= self.memory and not blocks_ledger(output).exists()

    def _predict_whole(self, files: Sequence[str], output: Path, panel: bool) -> list[Path]:
        parts = self.parts
        sample = parts.preprocessing({"image": list(files) if len(files) > 1 else files[0]})
        tell_far_intensities(files[0], parts.preprocessing, sample["image"])
        postprocessing = TaskPostprocessing(
            parts.saved, output.parent, parts.preprocessing, panels=panel,
            stems={os.path.abspath(files[0]): output.name},
        )  # fmt: skip
        engine = MultiTaskPredictor(
            tasks=parts.tasks, device=parts.device, val_data_loader=[list_data_collate([sample])],
            network=parts.network, inferer=parts.inferer, postprocessing=postprocessing,
        )  # fmt: skip
        engine.logger.setLevel(logging.CRITICAL)  # errors are told by who catches them
        engine.run()
        return postprocessing.written
