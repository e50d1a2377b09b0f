"""Predictions block by block against those in memory, and what goes on after a kill."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
from monai.transforms import Spacingd

from monai_mtunet.files import create_like, open_image
from monai_mtunet.files.header import Header, Kind
from monai_mtunet.files.ledger import Ledger
from monai_mtunet.prediction.blocks.block_job import BlockJob
from monai_mtunet.prediction.blocks.block_preprocessing import WholeImageNeededError
from monai_mtunet.prediction.blocks.unpacked import unpacked
from monai_mtunet.prediction.predictor import Predictor
from monai_mtunet.transforms import ScaleVolumeRanged

PLACE = ((-2.0, 0, 0, 7), (0, 1.5, 0, -3), (0, 0, 3.0, 4), (0, 0, 0, 1))
SMALL = 1e5  # bytes, for several columns of several blocks


@pytest.fixture
def volume(tmp_path: Path) -> str:
    path = tmp_path / "scan.nii"
    values = np.random.default_rng(0).normal(50, 20, (11, 30, 13)).astype(np.float32)
    values[3, 20, 5:9], values[10, 2, 2] = np.nan, np.inf
    affine = np.array([[-2, 0.1, 0, 7], [0, 1.5, 0, -3], [0, 0, 3, 4], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return str(path)


def read_all(folder: Path, name: str = "scan") -> dict[str, np.ndarray]:
    found = {}
    for task in ("denoise", "segment", "depth"):
        (file,) = folder.glob(f"{name}_{task}.nii*")
        image = nibabel.load(file)
        found[task] = np.asanyarray(image.dataobj)
        np.testing.assert_allclose(image.affine[1, 1], 1.5)
    return found


@pytest.mark.parametrize("load", [(), (ScaleVolumeRanged("image", margin=0.1),)], ids=["as it is", "scaled"])
def test_blocks_have_the_bits_of_the_whole(volume, tmp_path, make_parts, load):
    parts = make_parts(load=load)
    whole, blocks = Predictor(parts, 1e9), Predictor(parts, SMALL)
    job = BlockJob(parts, [volume], tmp_path / "blocks" / "scan", SMALL)
    assert len(job.plan.columns) > 1
    assert len(job.blocks) > 2 * len(job.plan.columns)
    whole.predict([volume], tmp_path / "whole" / "scan")
    written = blocks.predict([volume], tmp_path / "blocks" / "scan")
    assert sorted(written) == sorted((tmp_path / "blocks").iterdir())
    expected, found = read_all(tmp_path / "whole"), read_all(tmp_path / "blocks")
    assert np.isnan(expected["denoise"]).sum() == 5
    assert not np.isnan(expected["depth"]).any()
    for task, values in expected.items():
        assert values.dtype == found[task].dtype
        np.testing.assert_array_equal(found[task], values)


@pytest.mark.parametrize(("labels", "dtype"), [([0, 7, 255], np.uint8), ([0, 7, 500], np.uint16)])
def test_blocks_hold_the_numbers_of_the_users_files(volume, tmp_path, make_parts, labels, dtype):
    for memory, name in ((1e9, "whole"), (SMALL, "blocks")):
        Predictor(make_parts(labels=labels), memory).predict([volume], tmp_path / name / "scan")
    expected, found = (read_all(tmp_path / name)["segment"] for name in ("whole", "blocks"))
    assert found.dtype == expected.dtype == dtype
    assert set(np.unique(found)) <= set(labels)
    assert len(np.unique(found)) > 1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kills", [3])
def test_goes_on_after_kills_with_equal_bits(volume, tmp_path, make_parts, kills):
    parts = make_parts()
    Predictor(parts, SMALL).predict([volume], tmp_path / "once" / "scan")
    output = tmp_path / "often" / "scan"
    for _ in range(kills):
        job = BlockJob(parts, [volume], output, SMALL)
        with Ledger(job.ledger_path, job.identity()) as ledger:
            job.take_up(ledger)
            before = len(ledger.done)
            job.measure(ledger)
            (number, filled), *_ = (next(job.predict(run)) for run in job.runs(ledger)[:1])
            ledger.mark(number, filled=filled)
            assert len(ledger.done) == before + 1
        assert not list(output.parent.glob("scan_denoise.nii"))  # nothing unfinished bears a final name
    Predictor(parts, SMALL).predict([volume], output)
    expected = read_all(output.parent)
    for task, values in read_all(tmp_path / "once").items():
        np.testing.assert_array_equal(expected[task], values)


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_kill_while_files_are_named_loses_none(volume, tmp_path, make_parts, killed_while_naming, renamed):
    parts = make_parts()
    Predictor(parts, SMALL).predict([volume], tmp_path / "once" / "scan")
    with killed_while_naming(renamed):
        Predictor(parts, SMALL).predict([volume], tmp_path / "often" / "scan")
    assert len(list((tmp_path / "often").glob("*.nii"))) == renamed
    written = Predictor(parts, SMALL).predict([volume], tmp_path / "often" / "scan")
    assert sorted(written) == sorted((tmp_path / "often").iterdir())
    expected = read_all(tmp_path / "once")
    for task, values in read_all(tmp_path / "often").items():
        np.testing.assert_array_equal(values, expected[task])


def test_goes_on_with_its_own_division(volume, tmp_path, make_parts):
    """How much memory is left changes from run to run, and so would the blocks."""
    parts, output = make_parts(), tmp_path / "scan"
    job, other = (BlockJob(parts, [volume], output, memory) for memory in (1.5 * SMALL, 3 * SMALL))
    assert job.blocks != other.blocks
    with Ledger(job.ledger_path, job.identity()) as ledger:
        job.take_up(ledger)
        job.measure(ledger)
        numbers = [number for number, filled in job.predict([0, 1]) if ledger.mark(number, filled=filled) is None]
    with Ledger(job.ledger_path, other.identity()) as ledger:
        other.take_up(ledger)
        assert other.blocks == job.blocks
        assert [number for run in other.runs(ledger) for number in run] == list(range(2, len(job.blocks)))
    assert numbers == [0, 1]
    Predictor(parts, 3 * SMALL).predict([volume], output)
    Predictor(parts, 1e9).predict([volume], tmp_path / "whole" / "scan")
    found = read_all(tmp_path)
    for task, values in read_all(tmp_path / "whole").items():
        np.testing.assert_array_equal(found[task], values)


def test_what_was_begun_by_blocks_goes_on_so_in_more_memory(volume, tmp_path, make_parts):
    job = BlockJob(make_parts(), [volume], tmp_path / "out" / "scan", SMALL)
    with Ledger(job.ledger_path, job.identity()) as ledger:
        job.take_up(ledger)
        job.outputs()
    written = Predictor(make_parts(), 1e9).predict([volume], tmp_path / "out" / "scan")
    assert sorted(written) == sorted((tmp_path / "out").iterdir())


def test_a_division_that_no_longer_fits_is_told(volume, tmp_path, make_parts):
    large, small = (BlockJob(make_parts(), [volume], tmp_path / "scan", memory) for memory in (1e6, SMALL))
    with Ledger(large.ledger_path, large.identity()) as ledger:
        large.take_up(ledger)
        with pytest.raises(ValueError, match=r"scan.nii was begun in blocks that take .* give more --memory, as then"):
            small.take_up(ledger)


def test_another_source_or_network_is_refused(volume, tmp_path, make_parts):
    job = BlockJob(make_parts(checkpoint="a"), [volume], tmp_path / "scan", SMALL)
    Ledger(job.ledger_path, job.identity())
    with pytest.raises(ValueError, match="checkpoint: a then, b now"):
        Predictor(make_parts(checkpoint="b"), SMALL).predict([volume], tmp_path / "scan")
    nibabel.save(nibabel.Nifti1Image(np.zeros((11, 30, 13), np.float32), np.eye(4)), volume)
    with pytest.raises(ValueError, match=r"source: .*scan.nii"):
        Predictor(make_parts(checkpoint="a"), SMALL).predict([volume], tmp_path / "scan")


def test_a_volume_for_a_network_of_images_is_told(volume, tmp_path, make_parts):
    with pytest.raises(ValueError, match=r"image \(.*scan\.nii, .* has 3 spatial dimensions, but .* is 2: add"):
        Predictor(make_parts(dims=2), SMALL).predict([volume], tmp_path / "scan")


def test_what_moves_voxels_is_refused_with_the_reason(volume, tmp_path, make_parts):
    parts = make_parts(load=[Spacingd("image", pixdim=[1, 1, 1])])
    with pytest.raises(WholeImageNeededError, match=r"scan.nii .*Spacingd may move or mix voxels.*--memory"):
        Predictor(parts, SMALL).predict([volume], tmp_path / "scan")


def test_compressed_files_are_unpacked_once(volume, tmp_path, make_parts, monkeypatch):
    parts, packed = make_parts(), tmp_path / "packed" / "scan.nii.gz"
    packed.parent.mkdir()
    nibabel.save(nibabel.load(volume), packed)
    with monkeypatch.context() as context:
        context.setattr(BlockJob, "check_disk", lambda job: 1 / 0)  # what comes first fails
        with pytest.raises(ZeroDivisionError):
            Predictor(parts, SMALL).predict([str(packed)], tmp_path / "out" / "scan")
    (copy,) = (tmp_path / "out").iterdir()
    time = copy.stat().st_mtime_ns
    monkeypatch.setattr(BlockJob, "finish", lambda job, ledger: [Path(job.files[0]), copy.stat().st_mtime_ns])
    assert Predictor(parts, SMALL).predict([str(packed)], tmp_path / "out" / "scan") == [copy, time]
    assert not copy.exists()
    monkeypatch.undo()
    Predictor(parts, SMALL).predict([volume], tmp_path / "plain" / "scan")
    Predictor(parts, SMALL).predict([str(packed)], tmp_path / "again" / "scan")
    found = read_all(tmp_path / "again")
    for task, values in read_all(tmp_path / "plain").items():
        np.testing.assert_array_equal(found[task], values)


def test_a_file_that_takes_the_place_of_an_unpacked_one_is_read(volume, tmp_path, make_parts, monkeypatch):
    """Though it is older than the copy, as restored and synchronized files are."""
    parts, packed, output = make_parts(), tmp_path / "packed" / "scan.nii.gz", tmp_path / "out" / "scan"
    packed.parent.mkdir()
    nibabel.save(nibabel.load(volume), packed)
    with monkeypatch.context() as context:
        context.setattr(BlockJob, "check_disk", lambda job: 1 / 0)  # a kill when it is unpacked
        with pytest.raises(ZeroDivisionError):
            Predictor(parts, SMALL).predict([str(packed)], output)
    other = nibabel.load(volume)
    nibabel.save(nibabel.Nifti1Image(np.asanyarray(other.dataobj)[::-1].copy(), other.affine), packed)
    os.utime(packed, (1e9, 1e9))
    Predictor(parts, SMALL).predict([str(packed)], output)
    Predictor(parts, 1e9).predict([str(packed)], tmp_path / "whole" / "scan")
    assert len(list(output.parent.iterdir())) == 3
    found = read_all(output.parent)
    for task, values in read_all(tmp_path / "whole").items():
        np.testing.assert_array_equal(found[task], values)


def test_goes_on_when_it_is_unpacked_again(volume, tmp_path, make_parts):
    parts, packed, output = make_parts(), tmp_path / "packed" / "scan.nii.gz", tmp_path / "out" / "scan"
    packed.parent.mkdir()
    nibabel.save(nibabel.load(volume), packed)
    for done in range(2):
        with unpacked([str(packed)], output) as files:
            job = BlockJob(parts, files, output, SMALL)
            with Ledger(job.ledger_path, job.identity()) as ledger:
                job.take_up(ledger)
                assert [number in ledger.done for number in range(2)] == [done > 0, False]
                for number, filled in job.predict([0]):
                    ledger.mark(number, filled=filled)
        assert not list(output.parent.glob("*unpacked*"))


def test_a_truncated_file_is_told(volume, tmp_path, make_parts):
    packed = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.load(volume), packed)
    packed.write_bytes(packed.read_bytes()[:-1000])
    with pytest.raises(OSError, match=r"scan.nii.gz cannot be unpacked .* truncated"):
        Predictor(make_parts(), SMALL).predict([str(packed)], tmp_path / "out" / "scan")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_full_disk_is_told_before_the_work(volume, tmp_path, make_parts, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=r"scan.nii take .* GB, and .* has room for 1e-06 GB"):
        Predictor(make_parts(), SMALL).predict([volume], tmp_path / "scan")


@pytest.mark.parametrize("ending", [".nii", ".zarr"])
def test_what_is_written_already_needs_no_room_again(tmp_path, make_parts, monkeypatch, ending):
    kind, variant = {".nii": (Kind.NIFTI, ".nii"), ".zarr": (Kind.ZARR, "0.5")}[ending]
    header = Header(kind, 3, "float32", affine=PLACE if ending == ".nii" else None, variant=variant, ending=ending)
    values = np.random.default_rng(0).normal(50, 20, (1, 11, 30, 13))
    with create_like(header, tmp_path / "scan[1]", values.shape, "float32", blocks=(11, 30, 13)) as writer:
        writer.write(None, values)
    job = BlockJob(make_parts(), [str(writer.path)], tmp_path / "out" / "scan[1]", SMALL)
    job.check_disk()
    for _ in (number for run in job.runs(SimpleNamespace(done={})) for number in job.predict(run)):
        pass
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: SimpleNamespace(free=15_000)
    )  # of 38610, in part compressed
    job.check_disk()


def test_a_source_that_changes_in_between_is_told(volume, tmp_path, make_parts, monkeypatch):
    finish = BlockJob.finish

    def touched(job, ledger):
        os.utime(volume)
        return finish(job, ledger)

    monkeypatch.setattr(BlockJob, "finish", touched)
    with pytest.raises(OSError, match=r"scan.nii changed while it was predicted"):
        Predictor(make_parts(), SMALL).predict([volume], tmp_path / "scan")
    assert not list(tmp_path.glob("scan_*.nii"))


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".zarr", ".nrrd", ".npy"])
def test_every_kind_has_the_bits_of_the_whole(tmp_path, make_parts, ending):
    values = np.random.default_rng(0).integers(0, 99, (1, 11, 30, 13))
    kind = {".tif": Kind.TIFF, ".ome.tif": Kind.TIFF, ".zarr": Kind.ZARR, ".nrrd": Kind.NRRD, ".npy": Kind.NPY}[ending]
    variant = {".ome.tif": "ome", ".zarr": "0.5"}.get(ending, "")
    header = Header(kind, 3, "uint8", affine=PLACE if ending == ".nrrd" else None, variant=variant, ending=ending)
    with create_like(header, tmp_path / "scan", values.shape, "uint8") as writer:
        writer.write(None, values)
    parts = make_parts()
    assert len(BlockJob(parts, [str(writer.path)], tmp_path / "blocks" / "scan", SMALL).blocks) > 3
    for memory, folder in ((1e9, "whole"), (SMALL, "blocks")):
        Predictor(parts, memory).predict([str(writer.path)], tmp_path / folder / "scan")
    files = sorted((tmp_path / "whole").iterdir())
    assert [file.name for file in files] == [f"scan_{name}{ending}" for name in ("denoise", "depth", "segment")]
    for file in files:
        whole, blocks = open_image(file), open_image(tmp_path / "blocks" / file.name)
        assert whole.header == blocks.header
        np.testing.assert_array_equal(whole.read(), blocks.read())
