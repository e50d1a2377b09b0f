"""What a sample lacks is left for `FillMissingTargetsd`: nothing is made of it."""

import pickle

import pytest

from monai_mtunet.transforms import (
    BoxOfLabelsd,
    CannyEdgesd,
    DistanceMapd,
    DominantClassd,
    LabelBoundaryd,
    LabelComponentsd,
    SignedDistanceMapd,
)

MAKERS = pytest.mark.parametrize(
    ("maker", "arguments"),
    [
        (BoxOfLabelsd, {}),
        (CannyEdgesd, {}),
        (DistanceMapd, {}),
        (DominantClassd, {"labels": [1]}),
        (LabelBoundaryd, {"instance_key": "instances"}),
        (LabelComponentsd, {}),
        (SignedDistanceMapd, {}),
    ],
)


@MAKERS
def test_nothing_is_made_of_what_is_absent(maker, arguments):
    with pytest.raises(KeyError, match="source"):
        maker("source", "made", **arguments)({"image": 1})
    assert maker("source", "made", **arguments, allow_missing_keys=True)({"image": 1}) == {"image": 1}


@MAKERS
def test_nor_of_what_is_missing_on_purpose(maker, arguments):
    sample = {"source": None, "made": 1}
    assert maker("source", "made", **arguments)(sample) == sample


@MAKERS
def test_they_pickle(maker, arguments):
    assert pickle.loads(pickle.dumps(maker("source", "made", **arguments))).new_keys == ("made",)
