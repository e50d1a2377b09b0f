"""Many images: what fails stops nothing, what is done is kept, and nothing of others is replaced."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_mtunet.prediction.image_ledger import begin, open_ledger, remove_predictions
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.predict import predict_inputs
from monai_mtunet.prediction.predictor import Predictor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("sub1/t1.nii.gz", "sub2/t1.nii.gz", "c.nii"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(rng.normal(50, 20, (8, 9, 8)).astype(np.float32), np.eye(4)), path)
    (tmp_path / "in" / "bad.nii.gz").write_bytes(b"no image")
    return tmp_path / "in"


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*_segment.*")}


def test_a_folder_in_which_one_file_fails(folder, tmp_path, make_parts):
    predictor, inputs, output = Predictor(make_parts(), 1e9), find_inputs([folder]), tmp_path / "out"
    report = predict_inputs(predictor, inputs, output)
    assert [len(report.done), len(report.kept), list(report.failed)] == [3, 0, [str(folder / "bad.nii.gz")]]
    assert "bad.nii.gz" in report.summary(output).splitlines()[-1]
    assert names(output) == {"sub1/t1_segment.nii.gz", "sub2/t1_segment.nii.gz", "c_segment.nii.gz"}
    times = {path: path.stat().st_mtime_ns for path in output.rglob("*.nii.gz")}

    shutil.copy(folder / "c.nii", folder / "bad.nii")
    (folder / "bad.nii.gz").unlink()
    report = predict_inputs(predictor, find_inputs([folder]), output)
    assert [len(report.done), len(report.kept), len(report.failed)] == [1, 3, 0]
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_what_changed_or_was_lost_is_predicted_again(folder, tmp_path, make_parts):
    predictor, output = Predictor(make_parts(), 1e9), tmp_path / "out"
    inputs = [item for item in find_inputs([folder]) if "bad" not in item.stem]
    predict_inputs(predictor, inputs, output)
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 9, 8), np.float32), np.eye(4)), folder / "c.nii")
    (output / "sub1" / "t1_depth.nii.gz").unlink()
    report = predict_inputs(predictor, inputs, output)
    assert sorted(report.done) == [str(folder / "c.nii"), str(folder / "sub1" / "t1.nii.gz")]


def test_another_network_is_refused(folder, tmp_path, make_parts):
    inputs = find_inputs([folder / "c.nii"])
    predict_inputs(Predictor(make_parts(checkpoint="a"), 1e9), inputs, tmp_path / "out")
    with pytest.raises(ValueError, match=r"predictions.jsonl .*checkpoint: a then, b now.*--overwrite"):
        predict_inputs(Predictor(make_parts(checkpoint="b"), 1e9), inputs, tmp_path / "out")


def test_files_of_others_are_kept_and_replaced_on_demand(folder, tmp_path, make_parts):
    predictor, inputs, output = Predictor(make_parts(), 1e9), find_inputs([folder / "c.nii"]), tmp_path / "out"
    output.mkdir()
    for name in ("c_segment.nii.gz", "other_segment.nii.gz"):
        (output / name).write_text("mine")
    report = predict_inputs(predictor, inputs, output)
    assert "c_segment.nii.gz is there already" in report.failed[str(folder / "c.nii")]
    assert (output / "c_segment.nii.gz").read_text() == "mine"
    remove_predictions(inputs, predictor.parts, output)
    assert predict_inputs(predictor, inputs, output).done
    assert nibabel.load(output / "c_segment.nii.gz").shape == (8, 9, 8)
    assert (output / "other_segment.nii.gz").read_text() == "mine"


def test_a_kill_between_the_files_of_an_image(folder, tmp_path, make_parts, monkeypatch):
    predictor, inputs, output = Predictor(make_parts(), 1e9), find_inputs([folder / "c.nii"]), tmp_path / "out"

    def killed(files, path, panel=False):
        path.parent.mkdir(exist_ok=True)
        path.with_name("c_denoise.nii.gz").write_text("half of the tasks")
        raise KeyboardInterrupt

    monkeypatch.setattr(predictor, "predict", killed)
    with pytest.raises(KeyboardInterrupt):
        predict_inputs(predictor, inputs, output)
    monkeypatch.undo()
    assert list(predict_inputs(predictor, inputs, output).done) == [str(folder / "c.nii")]
    assert nibabel.load(output / "c_denoise.nii.gz").shape == (8, 9, 8)


def test_parts_share_a_folder(folder, tmp_path, make_parts):
    """Each begins anew without taking from the others, and one process goes on with what they made."""
    inputs = [item for item in find_inputs([folder]) if "bad" not in item.stem]
    names, output = [f"predictions.{part}-of-3.jsonl" for part in (1, 2, 3)], tmp_path / "out"
    for checkpoint in ("a", "b"):
        predictor = Predictor(make_parts(checkpoint=checkpoint), 1e9)
        for index, name in enumerate(names):
            remove_predictions(inputs[index::3], predictor.parts, output)
            report = predict_inputs(predictor, inputs[index::3], output, ledger_name=name)
            assert [len(report.done), len(report.failed)] == [1, 0]
            assert (output / name).exists()
    assert sorted(path.name for path in output.glob("*.jsonl")) == names
    assert len(predict_inputs(predictor, inputs, output).kept) == 3
    with pytest.raises(ValueError, match=r"checkpoint: b then, c now"):
        predict_inputs(
            Predictor(make_parts(checkpoint="c"), 1e9), inputs, output, ledger_name="predictions.4-of-4.jsonl"
        )


def test_what_one_process_began_and_another_has_done_is_done(folder, tmp_path, make_parts):
    predictor, inputs, output = Predictor(make_parts(), 1e9), find_inputs([folder / "c.nii"]), tmp_path / "out"
    first, second = (f"predictions.{part}-of-2.jsonl" for part in (1, 2))
    with open_ledger(output, first, predictor.parts.identity) as done:
        begin(done, predictor.parts.saved_names, inputs[0], output)
        open_ledger(output, second, predictor.parts.identity).mark("other")
    predict_inputs(predictor, inputs, output, ledger_name=first)
    assert predict_inputs(predictor, inputs, output).kept == [str(folder / "c.nii")]


def test_replacing_one_image_keeps_what_is_done_of_the_others(folder, tmp_path, make_parts):
    predictor, output = Predictor(make_parts(), 1e9), tmp_path / "out"
    inputs = [item for item in find_inputs([folder]) if "bad" not in item.stem]
    predict_inputs(predictor, inputs, output)
    (output / "predictions.9-of-9.jsonl").write_text("no JSON\n")
    remove_predictions(inputs[:1], predictor.parts, output)
    report = predict_inputs(predictor, inputs, output)
    assert [list(report.done), len(report.kept), report.failed] == [[inputs[0].files[0]], 2, {}]


@pytest.mark.parametrize("after", ["changed", "gone"])
def test_what_changes_while_it_is_predicted_is_predicted_again(folder, tmp_path, make_parts, monkeypatch, after):
    """Of a large image that takes hours, the prediction is of what was there before."""
    predictor, inputs, output = Predictor(make_parts(), 1e9), find_inputs([folder / "c.nii"]), tmp_path / "out"
    predict, content = predictor.predict, (folder / "c.nii").read_bytes()

    def changed(*arguments):
        written = predict(*arguments)
        (folder / "c.nii").unlink()
        if after == "changed":
            (folder / "c.nii").write_bytes(content)
        return written

    monkeypatch.setattr(predictor, "predict", changed)
    assert predict_inputs(predictor, inputs, output).done
    monkeypatch.undo()
    report = predict_inputs(predictor, inputs, output)
    assert [len(report.done), len(report.failed)] == ([1, 0] if after == "changed" else [0, 1])


def test_a_terminal_sees_how_many_images_are_done(folder, tmp_path, make_parts, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for terminal, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", terminal)
        predict_inputs(Predictor(make_parts(), 1e9), find_inputs([folder / "c.nii"]), tmp_path / f"out{shown}")
        assert ("1/1" in terminal.getvalue()) is shown
