"""From the 16 bits of Cityscapes' and KITTI's instance files to instances and labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, ensure_tuple_rep
from numpy.typing import NDArray

from .sixteen_bits import check_sixteen_bits

__all__ = ["DecodeInstancesd"]

_NUMBERED = range(24, 34)  # the labels of Cityscapes whose objects have numbers
_PLATE = 255  # license plates, -1 in 8 bits
_MISSING = -1


class DecodeInstancesd(MapTransform):
    """The codes of instance files to a map of instances, and one of labels. Place it right after `LoadSampled`.

    - "cityscapes", files ``*_instanceIds.png``: an object is label * 1000 + number, from 0 on; stuff is its label, and
      so is a group of objects that the annotators could not tell apart (cityscapesScripts, ``json2instanceImg.py``).
    - "kitti", files of ``training/instance``: label * 256 + number, from 1 on; 0 says that there is no ground truth
      about instances, which is to be ignored (README of the benchmark's development kit).

    Instances are objects of things. Groups are missing, and so is what is ignored: the evaluation of Cityscapes
    (``evalInstanceLevelSemanticLabeling.py``) does not count what is predicted there either. All else is no instance.

    Instances are ``(1, *spatial)``, int32: 0 for none, 1, 2, ... in the order of their codes, -1 for missing. Labels
    are ``(1, *spatial)``, int16.

    Args:
        keys: keys of the codes ``(1, *spatial)``, whole numbers within 0-65535 of any type that holds them, which
            `LoadSampled` so did not load as labels. Instances take their place.
        encoding: "cityscapes" or "kitti".
        things: labels whose objects are instances: ``$monai_mtunet.data.CITYSCAPES.thing_labels``.
        ignored: labels that are missing: ``$monai_mtunet.data.CITYSCAPES.ignored_labels``.
        label_keys: where to put the labels, one per key, for ``MapLabelValued``; by default nowhere.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the encoding is another; of a sample, when the values come from 8 bits, are no codes, or are of
            the other encoding.

    Example:
        >>> decode = DecodeInstancesd("instances", "cityscapes", things=[26], ignored=[0], label_keys="segment")
        >>> cars = torch.tensor([[[26000, 26001, 26, 7, 0]]])  # two cars, a group of cars, road, unlabeled
        >>> decode({"instances": cars})
        {'instances': tensor([[[ 1,  2, -1,  0, -1]]], dtype=torch.int32),
         'segment': tensor([[[26, 26, 26,  7,  0]]], dtype=torch.int16)}
    """

    def __init__(
        self,
        keys: KeysCollection,
        encoding: str,
        things: Sequence[int],
        ignored: Sequence[int] = (),
        label_keys: KeysCollection | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.label_keys = ensure_tuple_rep(label_keys, len(self.keys))
        if encoding not in ("cityscapes", "kitti"):
            raise ValueError(f'encoding must be "cityscapes" or "kitti", got {encoding!r}.')
        self.encoding = encoding
        self.things = tuple(things)
        self.ignored = tuple(ignored)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Decode the instances of a sample."""
        sample = dict(data)
        for key, label_key in self.key_iterator(sample, self.label_keys):
            sample[key], labels = self._decode(sample[key], str(key))
            if label_key is not None:
                sample[label_key] = labels
        return sample

    def _decode(self, img: torch.Tensor, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        values = torch.as_tensor(img)
        check_sixteen_bits(values, name, "an instance", "8 bits hold the label only")
        codes = values.cpu().to(torch.int64).numpy()
        labels, is_object = self._labels(codes)
        self._check(codes, labels, is_object, img, name)
        of_things = np.isin(labels, self.things)
        instances = np.zeros(codes.shape, np.int32)
        instances[(of_things & ~is_object) | np.isin(labels, self.ignored)] = _MISSING
        objects = of_things & is_object & (instances != _MISSING)
        instances[objects] = 1 + np.unique(codes[objects], return_inverse=True)[1].ravel()
        return (
            convert_to_dst_type(instances, dst=img, dtype=torch.int32)[0],
            convert_to_dst_type(labels, dst=img, dtype=torch.int16)[0],
        )

    def _labels(self, codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The label of every voxel, and whether it is of an object with a number."""
        if self.encoding == "kitti":
            return codes // 256, codes % 256 > 0
        is_object = codes >= 1000
        return np.where(is_object, codes // 1000, codes), is_object

    def _check(
        self,
        codes: NDArray[np.int64],
        labels: NDArray[np.int64],
        is_object: NDArray[np.bool_],
        img: torch.Tensor,
        name: str,
    ) -> None:
        """Codes of the other encoding seldom make sense in this one."""
        wrong = (labels >= _NUMBERED.stop) & (labels != _PLATE)
        if self.encoding == "cityscapes":
            wrong |= is_object & (labels < _NUMBERED.start)
        if wrong.any():
            code, label = codes[wrong][0], labels[wrong][0]
            file = getattr(img, "meta", {}).get("filename_or_obj", "in memory")
            what = "has no numbered objects" if label < _NUMBERED.start else "does not exist"
            raise ValueError(
                f"{name} ({file}) holds {code}, which is not {self.encoding!r}: label {label} {what}. Is it of the "
                "other encoding?"
            )
