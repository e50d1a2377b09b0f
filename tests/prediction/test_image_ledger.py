"""What kills and other processes leave in a folder of predictions."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_mtunet.files.ledger import Ledger
from monai_mtunet.prediction import predict
from monai_mtunet.prediction.image_ledger import begin, open_ledger, remove_predictions
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.ledger_names import ledger_name
from monai_mtunet.prediction.predict import predict_inputs
from monai_mtunet.prediction.predictor import Predictor
from monai_mtunet.tasks import SegmentationTask

predict_files = importlib.import_module("monai_mtunet.prediction.predict_files")  # a function has its name
SMALL = 1e5  # bytes: the volume is predicted block by block
TASKS = ("denoise", "segment", "depth")


def save(path: Path, seed: int = 0) -> str:
    values = np.random.default_rng(seed).normal(50, 20, (11, 30, 13)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    return str(path)


@pytest.fixture
def inputs(tmp_path):
    return find_inputs([save(tmp_path / "scan.nii.gz")])


def killed(*arguments, **options):
    raise KeyboardInterrupt


def test_what_a_kill_left_hidden_is_removed(tmp_path, make_parts, inputs):
    predictor, output = Predictor(make_parts(), SMALL), tmp_path / "out"
    ours = [
        ".0123456789ab.scan_depth.nii", ".0123456789ab.scan_segment.zarr/zarr.json", ".0123456789ab.scan_panel.png",
        "scan_segment.zarr.partial.lock",
    ]  # fmt: skip
    others = [".0123456789ab.scan2_depth.nii", ".0123456789ab.other_depth.nii", ".cache.scan_depth.nii", "mine.lock"]
    with open_ledger(output, ledger_name(1, 1), predictor.parts.identity) as ledger:
        begin(ledger, TASKS, inputs[0], output)
    for name in (*ours, *others):
        (output / name).parent.mkdir(exist_ok=True)
        (output / name).write_text("left")
    assert predict_inputs(predictor, inputs, output).done
    written = {f"scan_{task}.nii" for task in TASKS}
    assert {path.name for path in output.iterdir()} == {*others, *written, "predictions.jsonl"}


def test_what_a_kill_left_hidden_is_replaced_on_demand(tmp_path, make_parts, inputs):
    (output := tmp_path / "out").mkdir()
    (output / ".0123456789ab.scan_depth.nii").write_text("left")
    remove_predictions(inputs, make_parts(), output)
    assert not list(output.iterdir())


@pytest.mark.parametrize("memory", [SMALL, 1e9], ids=["blocks", "whole"])
def test_what_was_complete_before_a_kill_is_not_repeated(tmp_path, make_parts, inputs, monkeypatch, memory):
    predictor, output = Predictor(make_parts(), memory), tmp_path / "out"
    with monkeypatch.context() as context:
        context.setattr(predict, "note", killed)
        with pytest.raises(KeyboardInterrupt):
            predict_inputs(predictor, inputs, output)
    (output / "scan.unpacked-0-0123456789ab.nii").write_text("of a kill before it was removed")
    with monkeypatch.context() as context:
        context.setattr(predictor, "predict", killed)
        for _ in range(2):
            assert predict_inputs(predictor, inputs, output).kept == [inputs[0].files[0]]
    names = {path.name.removesuffix(".gz") for path in output.iterdir()}
    assert names == {*(f"scan_{task}.nii" for task in TASKS), "predictions.jsonl"}


def test_files_of_another_source_are_no_sign_that_an_image_is_done(tmp_path, make_parts, inputs, monkeypatch):
    predictor, output = Predictor(make_parts(), SMALL), tmp_path / "out"
    predict_inputs(predictor, inputs, output)
    before = (output / "scan_depth.nii").read_bytes()
    save(Path(inputs[0].files[0]), seed=1)
    for _ in range(2):  # killed before anything is replaced
        with monkeypatch.context() as context:
            context.setattr(predictor, "predict", killed)
            with pytest.raises(KeyboardInterrupt):
                predict_inputs(predictor, inputs, output)
    assert predict_inputs(predictor, inputs, output).done
    assert (output / "scan_depth.nii").read_bytes() != before


@pytest.mark.parametrize(("first", "second"), [((1, 2), (1, 3)), ((2, 2), (1, 1)), ((1, 1), (2, 2))])
def test_processes_that_divide_images_otherwise_are_refused(tmp_path, make_parts, inputs, first, second):
    predictor, output = Predictor(make_parts(), 1e9), tmp_path / "out"
    one, other = ledger_name(*first), ledger_name(*second)
    predict_inputs(predictor, inputs, output, ledger_name=one)
    files = set(output.iterdir())
    with open_ledger(output, one, predictor.parts.identity):
        with pytest.raises(OSError, match=rf"{one} is at work in another process.* --parts"):
            predict_inputs(predictor, inputs, output, ledger_name=other)
        with pytest.raises(OSError, match=rf"{one} is at work"):
            remove_predictions(inputs, predictor.parts, output, other)
    assert files <= set(output.iterdir())
    assert predict_inputs(predictor, inputs, output, ledger_name=other).kept


def test_replacing_is_refused_where_the_same_is_at_work(tmp_path, make_parts, inputs):
    parts, output = make_parts(checkpoint="a"), tmp_path / "out"
    with open_ledger(output, ledger_name(1, 2), parts.identity):
        remove_predictions(inputs, parts, output, ledger_name(2, 2))
        for other, name in ((parts, ledger_name(1, 2)), (make_parts(checkpoint="b"), ledger_name(2, 2))):
            with pytest.raises(OSError, match=r"1-of-2.jsonl is at work in another process"):
                remove_predictions(inputs, other, output, name)


def test_what_was_named_before_a_kill_needs_no_room_again(tmp_path, make_parts, killed_while_naming, monkeypatch):
    file, output = save(tmp_path / "scan.nii"), tmp_path / "out" / "scan"
    predictor, usage = Predictor(make_parts(), SMALL), shutil.disk_usage(tmp_path)
    with killed_while_naming(2):
        predictor.predict([file], output)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=5_000))  # of 38610
    assert len(predictor.predict([file], output)) == 3


def test_a_ledger_that_is_left_is_not_at_work(tmp_path, make_parts):
    identity = make_parts().identity
    Ledger(tmp_path / ledger_name(1, 2), identity).close()
    open_ledger(tmp_path, ledger_name(1, 3), identity).close()


def test_predictions_of_one_name_are_refused_though_processes_share_them(tmp_path, make_parts, monkeypatch):
    both = make_parts(more=[SegmentationTask("fine_segment", ["background", "cell"])])
    monkeypatch.setattr(predict_files, "TrainedBundle", lambda *_: None)
    monkeypatch.setattr(predict_files, "bundle_parts", lambda *_: both)
    files = [save(tmp_path / f"{name}.nii") for name in ("a", "a_fine")]
    with pytest.raises(ValueError, match=r"a\.nii and task 'segment' of .*a_fine\.nii would both be saved"):
        predict_files.predict_files("bundle", files, tmp_path / "out", part=1, parts=2)
    assert not (tmp_path / "out").exists()
