import os
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from monai_mtunet.bundle import prepare_output_dir
from monai_mtunet.bundle.output_folder import make_output_folder


@pytest.fixture
def trained(tmp_path):
    for name in ("checkpoints/last.pt", "tensorboard/events", "evaluation/metrics.csv", "loss_weights.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def test_an_empty_or_absent_folder_is_fine(tmp_path):
    prepare_output_dir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    prepare_output_dir(tmp_path)
    prepare_output_dir(tmp_path / "absent")


def test_a_run_that_failed_before_it_began_may_be_run_again(tmp_path):
    writer = SummaryWriter(tmp_path / "tensorboard")
    writer.flush()
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1
    prepare_output_dir(tmp_path)
    writer.add_scalar("loss", 1.0, 1)
    writer.close()
    with pytest.raises(FileExistsError, match="holds tensorboard of an earlier run"):
        prepare_output_dir(tmp_path)


@pytest.mark.parametrize("name", ["", " "])
def test_no_folder_is_not_the_current_one(name):
    with pytest.raises(ValueError, match=rf'output_dir is {name!r}: name a folder, "." for the current one'):
        prepare_output_dir(name)


def test_an_earlier_run_is_not_overwritten(trained):
    with pytest.raises(FileExistsError, match=r"holds checkpoints, tensorboard, loss_weights\.csv of an earlier.*--r"):
        prepare_output_dir(trained)
    assert (trained / "checkpoints" / "last.pt").is_file()


def test_resuming_keeps_it(trained):
    prepare_output_dir(trained, resume=True)
    assert (trained / "tensorboard" / "events").is_file()


def test_overwriting_removes_what_the_run_writes_and_nothing_else(trained):
    prepare_output_dir(trained, overwrite=True)
    assert [path.name for path in trained.iterdir()] == ["evaluation"]


def test_predictions_are_a_part_of_their_own(trained):
    prepare_output_dir(trained, "predictions")
    (trained / "predictions").mkdir()
    (trained / "predictions" / "a_segment.png").write_text("x")
    with pytest.raises(FileExistsError, match="holds predictions of"):
        prepare_output_dir(trained, "predictions")
    prepare_output_dir(trained, "predictions", overwrite=True)
    assert not (trained / "predictions").exists()
    assert (trained / "checkpoints" / "last.pt").is_file()


def test_a_folder_of_results_is_made(tmp_path):
    make_output_folder(tmp_path / "new" / "results")
    make_output_folder(tmp_path / "new" / "results")
    assert (tmp_path / "new" / "results").is_dir()


def test_a_folder_that_cannot_be_one_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError, match="file is a file, where a folder is needed: choose another --output"):
        make_output_folder(tmp_path / "file")
    with pytest.raises(OSError, match=r"results cannot be made: Not a directory\. Choose another --output"):
        make_output_folder(tmp_path / "file" / "results")


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)  # root may write anywhere
    with pytest.raises(PermissionError, match=r"Nothing may be written to .*: permit it, or choose another --output"):
        make_output_folder(tmp_path)
