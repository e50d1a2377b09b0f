"""What each command does with its arguments."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_mtunet.commands.app import main
from monai_mtunet.reproduce import experiment

from ..reproduce.small_experiment import PretendedBundle, small_experiment


def succeeds(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    assert ended.value.code == 0


def test_draw_writes_the_networks_that_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    succeeds("draw", tmp_path / "new", "--network", "stan", "--network", "segnet", "--format", "svg")
    written = [str(tmp_path / "new" / f"network_{name}.svg") for name in ("stan", "segnet")]
    assert capsys.readouterr().out.split() == written
    assert all(Path(path).read_text().startswith("<?xml") for path in written)


def test_metadata_writes_the_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = [{"_target_": "ClassificationTask", "name": "kind", "classes": ["a", "b"]}]
    active = {"_target_": "TaskList", "tasks": "@tasks"}
    inference = {"imports": ["$import monai_mtunet"], "spatial_dims": 2, "tasks": tasks, "active_tasks": active}
    (tmp_path / "inference.json").write_text(json.dumps(inference))
    (tmp_path / "metadata.json").write_text(json.dumps({"network_data_format": {}}))
    succeeds("metadata", tmp_path)
    assert str(tmp_path / "metadata.json") in capsys.readouterr().out
    written = json.loads((tmp_path / "metadata.json").read_text())
    assert list(written["network_data_format"]["outputs"]) == ["pred", "kind"]


def test_reproduce_runs_with_other_data_and_prints_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = PretendedBundle()
    monkeypatch.setattr(experiment, "run_bundle", bundle)
    file = small_experiment(tmp_path, seeds=[0], plot=["denoise_psnr", "segment_miou"])
    succeeds("reproduce", file, "--output", tmp_path / "results", "--table-only")
    assert bundle.started == []
    assert "| both | - | - | 0 |" in capsys.readouterr().out
    overlay = tmp_path / "mine.json"
    overlay.write_text("{}")
    succeeds("reproduce", file, "--output", tmp_path / "results", "--config", overlay)
    assert len(bundle.started) == 4
    told = capsys.readouterr().out
    assert "| both | 0.500 |" in told
    assert (tmp_path / "results" / "small" / "plot.png").is_file()
    assert told.strip().endswith(f"The plot is in {tmp_path / 'results' / 'small' / 'plot.png'}.")
    record = json.loads((tmp_path / "results" / "small" / "both" / "seed_0" / "run.json").read_text())
    assert str(overlay) in json.dumps(record)


def test_fingerprint_tells_what_there_is_and_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for number in range(4):
        for folder, values in (
            ("images", rng.normal(100, 10, (12, 12, 8 + number)).astype(np.float32)),
            ("labels", np.kron(rng.integers(0, 3, (3, 3, 1)), np.ones((4, 4, 8 + number))).astype(np.uint8)),
        ):
            (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
            image = nibabel.Nifti1Image(values, np.diag([1, 1, 2.5, 1]))
            nibabel.save(image, tmp_path / "data" / folder / f"{number}.nii.gz")
    written = tmp_path / "data.json"
    succeeds("fingerprint", tmp_path / "data", "--output", written, "--target", "labels=segmentation", "--workers", 1)
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [
        "4 images (plain folders), channels: 0", "  voxels: 12 x 12 x 10 (8 to 11)", "  spacing: 1 x 1 x 2.5",
    ]  # fmt: skip
    assert told[3].startswith("  noise (standard deviation): ")
    assert told[4].startswith("  labels (segmentation): 4 of 4 images; share of voxels: 0: ")
    assert len(json.loads(written.read_text())["cases"]) == 4

    (tmp_path / "data" / "images" / "1.nii.gz").write_bytes(b"no image")
    with pytest.raises(SystemExit) as ended:
        main(["fingerprint", str(tmp_path / "data"), "--output", str(written), "--target", "labels=segmentation"])
    assert ended.value.code == 1
    assert "1.nii.gz" in capsys.readouterr().out.splitlines()[-1]
