"""Three cases are predicted by the best checkpoint, whatever the network has become since."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.report.training import at_end, case_pictures
from monai_mtunet.report.training.at_end import report_at_end
from monai_mtunet.report.training.case_pictures import NoPicturesError, draw_case, draw_cases
from monai_mtunet.report.training.measured import Case, Measured, read_measured
from monai_mtunet.report.training.picture_archive import read_pictures
from monai_mtunet.tasks import DepthTask, SegmentationTask, TaskList

from ..bundles.left_by_a_run import checkpoint
from ..engines.small_run import TASKS, Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path)
    run.trainer.run()
    return run


def pictures(folder: Path, role: str = "best") -> dict[str, np.ndarray]:
    archive = read_pictures(folder / case_pictures.PICTURES_FILE)
    assert archive is not None
    case = next(case for case in archive.cases if case.role == role)
    return {
        column: np.asarray(Image.open(io.BytesIO(content)))
        for column, (_, content) in zip(case.columns, case.pictures[0], strict=True)
    }


def state(run: Run) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in run.network.state_dict().items()}


def test_the_best_checkpoint_predicts_and_the_network_stays_as_it_is(run, tmp_path):
    with torch.no_grad():
        for value in run.network.parameters():
            value.zero_()
    before = state(run)
    draw_cases(tmp_path, run.evaluator)
    assert all(value.equal(before[name]) for name, value in run.network.state_dict().items())
    measured = read_measured(tmp_path / "validation")
    index = measured.order.index(measured.chosen()["best"].name)
    sample = run.evaluator.data_loader.dataset[index]
    run.network.load_state_dict(checkpoint(tmp_path, "best")["network"])
    with torch.no_grad():
        expected = TASKS[1].draw(TASKS[1].postprocess(run.network(sample["image"][None])["segment"][0]))
    drawn = pictures(tmp_path)
    assert list(drawn) == ["input", "denoise", "denoise: target", "segment", "segment: target"]
    assert np.array_equal(drawn["segment"], expected)
    assert np.array_equal(drawn["segment: target"], TASKS[1].draw(sample["segment"]))


def test_the_network_comes_back_after_an_error_too(run, tmp_path, monkeypatch):
    monkeypatch.setattr(case_pictures, "_draw", lambda *_: 1 / 0)
    (tmp_path / "checkpoints" / "last.pt").unlink()
    run.network.heads["segment"].bias.data.fill_(7.0)
    with pytest.raises(ZeroDivisionError):
        draw_cases(tmp_path, run.evaluator)
    assert run.network.heads["segment"].bias.eq(7.0).all()


def test_a_checkpoint_of_another_epoch_is_not_taken_for_the_best(run, tmp_path):
    about = tmp_path / "validation" / "best" / "epoch.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"epoch": 99}))
    with pytest.raises(NoPicturesError, match=r"is of epoch \d, and the tables of the best epoch are of epoch 99"):
        draw_cases(tmp_path, run.evaluator)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"processes": 2}, "measured by 2 processes"), ({"cases": ["1"]}, "or are others now")],
)
def test_cases_that_cannot_be_found_are_not_guessed(run, tmp_path, change, reason):
    about = tmp_path / "validation" / "best" / "epoch.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | change))
    with pytest.raises(NoPicturesError, match=reason):
        draw_cases(tmp_path, run.evaluator)


def test_best_median_and_worst_are_by_the_key_metric():
    cases = [Case(name, {"x": value}) for name, value in zip("abcde", (1, 2, 3, 9, float("nan")), strict=True)]
    measured = Measured(cases=cases, key_metric="x")
    assert {role: case.name for role, case in measured.chosen().items()} == {"best": "d", "median": "c", "worst": "a"}
    assert list(replace(measured, cases=cases[:2]).chosen()) == ["best", "worst"]
    assert list(replace(measured, cases=cases[:1]).chosen()) == ["best"]
    assert replace(measured, cases=cases[4:]).chosen() == {}
    assert replace(measured, key_metric=None).chosen() == {}


def test_targets_that_a_case_lacks_have_no_picture(run, tmp_path):
    data = run.evaluator.data_loader.dataset
    data.data = [sample | {"segment": torch.full_like(sample["segment"], 255)} for sample in data.data]
    draw_cases(tmp_path, run.evaluator)
    assert list(pictures(tmp_path)) == ["input", "denoise", "denoise: target", "segment"]


def test_volumes_are_drawn_slice_by_slice():
    tasks = TaskList([SegmentationTask("segment", ["none", "one"]), DepthTask("depth")])
    image = torch.zeros(1, 6, 5, 80)
    labels = torch.zeros(1, 6, 5, 80, dtype=torch.uint8)
    labels[..., 40:] = 1
    case = draw_case("best", "x", tasks, image, {"segment": labels, "depth": image + 3}, {"segment": labels})
    assert (len(case.numbers), case.numbers[0], case.numbers[-1], case.slice_count) == (32, 0, 79, 80)
    assert case.columns == ["input", "segment", "segment: target", "depth"]
    assert case.groups == [[0], [1, 2], [3]]
    for number, row in zip(case.numbers, case.pictures, strict=True):
        picture = np.asarray(Image.open(io.BytesIO(row[1][1])))
        assert picture.shape == (5, 6, 3)  # x runs right, y up
        assert (picture == tasks[0].palette[int(number >= 40)]).all()


def test_the_input_of_a_volume_has_one_scale_for_all_slices():
    tasks = TaskList([SegmentationTask("segment", ["none", "one"])])
    image = torch.linspace(0, 1, 8).expand(1, 6, 6, 8)
    case = draw_case("best", "x", tasks, image, {"segment": torch.zeros(1, 6, 6, 8, dtype=torch.uint8)}, {})
    gray = [int(np.asarray(Image.open(io.BytesIO(row[0][1]))).mean()) for row in case.pictures]
    assert gray == sorted(gray)
    assert gray[-1] > gray[0] + 200


def test_pictures_are_files_that_anyone_can_open(run, tmp_path):
    draw_cases(tmp_path, run.evaluator)
    with zipfile.ZipFile(tmp_path / case_pictures.PICTURES_FILE) as file:
        assert {"best/0000_segment_target.png", "worst/0000_segment.png", "index.json"} <= set(file.namelist())


def test_a_finished_training_is_not_failed_by_its_report(run, tmp_path, monkeypatch, caplog):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(at_end, "write_training_page", full)
    report_at_end(tmp_path, run.evaluator)
    assert "The report could not be written: [Errno 28] No space left on device. The training is" in caplog.text
    assert f"python -m monai_mtunet report {tmp_path} tries again" in caplog.text


def test_a_page_without_pictures_says_why(run, tmp_path, monkeypatch, caplog, capsys):
    monkeypatch.setattr(run.network, "forward", lambda x: 1 / 0)
    curves = {"loss": {1: 0.5}}
    monkeypatch.setattr("monai_mtunet.report.training.training_page.read_scalars", lambda _: scalars(curves))
    report_at_end(tmp_path, run.evaluator)
    assert "Pictures of cases could not be drawn: division by zero" in caplog.text
    assert "Pictures of cases could not be drawn: division by zero" in (tmp_path / "report.html").read_text()
    assert f"The report is {tmp_path / 'report.html'}" in capsys.readouterr().out


def scalars(curves):
    from monai_mtunet.report.training.scalars import Scalars

    return Scalars(curves, {1: 0.0})
