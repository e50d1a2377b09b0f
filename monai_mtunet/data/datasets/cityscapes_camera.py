"""The cameras of Cityscapes: what turns a disparity into a depth."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.transforms import Transform

__all__ = ["LoadCityscapesCamerad"]


class LoadCityscapesCamerad(Transform):
    """Load the focal length and the baseline of a frame's stereo camera, for `DisparityToDepthd`.

    A file holds, among others, ``{"extrinsic": {"baseline": 0.209313}, "intrinsic": {"fx": 2262.52}}``: meters, and
    pixels of the images as they come, 2048 wide. In an image resized to another width the focal length is another.
    A sample whose camera is None gets neither.

    Args:
        camera_key: key of the file. It is taken out of the sample.
        focal_length_key: where to put the horizontal focal length, a float in pixels.
        baseline_key: where to put the baseline, a float in meters.

    Example:
        >>> LoadCityscapesCamerad()({"camera": "aachen_000000_000019_camera.json"})
        {'focal_length': 2262.52, 'baseline': 0.209313}
    """

    def __init__(
        self, camera_key: str = "camera", focal_length_key: str = "focal_length", baseline_key: str = "baseline"
    ) -> None:
        self.camera_key = camera_key
        self.entries = {focal_length_key: ("intrinsic", "fx"), baseline_key: ("extrinsic", "baseline")}

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path of the camera's file by focal length and baseline.

        Raises:
            FileNotFoundError: When the file does not exist.
            KeyError: When the sample names no file.
            ValueError: When the file is not JSON, or holds no focal length or baseline above 0.
        """
        sample = dict(data)
        file = sample.pop(self.camera_key)
        if file is None:
            return sample
        path = Path(file)
        if not path.exists():
            raise FileNotFoundError(f"{self.camera_key}: {path} does not exist.")
        try:
            camera = json.loads(path.read_text())
        except ValueError as error:  # neither text nor JSON
            raise ValueError(f"{self.camera_key}: {path} is not JSON; replace the file. {error}") from error
        for key, (group, entry) in self.entries.items():
            try:
                value = camera[group][entry]
            except (KeyError, TypeError):
                value = None
            if not isinstance(value, (int, float)) or not value > 0:
                raise ValueError(f"{self.camera_key}: {path} must hold {group}.{entry}, a number above 0, got {value}.")
            sample[key] = float(value)
        return sample
