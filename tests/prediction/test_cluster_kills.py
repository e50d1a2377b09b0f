"""What is left to workers of an image after a kill; no cluster is started."""

from contextlib import ExitStack

import nibabel
import numpy as np
import pytest

from monai_mtunet.prediction.cluster import _calls, _complete
from monai_mtunet.prediction.image_ledger import begin, open_ledger
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.ledger_names import LEDGER
from monai_mtunet.prediction.predict import PredictionReport
from monai_mtunet.prediction.predictor import Predictor

SMALL = 1e5  # bytes: the volume is predicted block by block


@pytest.mark.parametrize("renamed", [1, 2])
def test_a_kill_while_files_are_named_loses_none(tmp_path, make_parts, killed_while_naming, renamed):
    values = np.random.default_rng(0).normal(50, 20, (11, 30, 13)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "scan.nii")
    parts, (item,) = make_parts(), find_inputs([tmp_path / "scan.nii"])
    once, often = tmp_path / "once", tmp_path / "often"
    Predictor(parts, SMALL).predict(item.files, once / "scan")
    with killed_while_naming(renamed):
        Predictor(parts, SMALL).predict(item.files, often / "scan")
    with open_ledger(often, LEDGER, parts.identity) as done, ExitStack() as stack:
        done.mark(item.stem)
        source = begin(done, parts.saved_names, item, often)
        image, calls = _calls(parts, item, source, often / "scan", SMALL, 2, False, stack)
        assert not calls
        (often / ".0123456789ab.scan_depth.nii").write_text("of a worker that was killed")
        _complete(image, [], done, often, PredictionReport())
    files = sorted(path.name for path in once.iterdir())
    assert sorted(path.name for path in often.iterdir()) == sorted([*files, LEDGER])
    for file in files:
        expected, found = (np.asanyarray(nibabel.load(folder / file).dataobj) for folder in (once, often))
        np.testing.assert_array_equal(found, expected)
