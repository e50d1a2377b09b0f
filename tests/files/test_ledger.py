import os

import pytest

from monai_mtunet.files.ledger import Ledger, source_state

IDENTITY = {"source": "a.nii", "window": (8, 8, 8)}


def test_remembers_what_was_marked(tmp_path):
    path = tmp_path / "folder" / "a.blocks.jsonl"
    with Ledger(path, IDENTITY) as ledger:
        ledger.mark(3, filled=0)
        ledger.mark(0, filled=7)
    with Ledger(path, IDENTITY) as ledger:
        assert ledger.done == {3: {"filled": 0}, 0: {"filled": 7}}
        ledger.mark(1)
        ledger.mark("scans/a")
    with Ledger(path, IDENTITY) as ledger:
        assert list(ledger.done) == [3, 0, 1, "scans/a"]
        ledger.remove()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("kept", range(1, 13))
def test_a_line_that_a_kill_cut_off_does_not_count(tmp_path, kept):
    path = tmp_path / "a.blocks.jsonl"
    with Ledger(path, IDENTITY) as ledger:
        ledger.mark(0)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"part": 1}\n'[: kept - 1])
    with Ledger(path, IDENTITY) as ledger:
        assert sorted(ledger.done) == [0]
        ledger.mark(2)
    with Ledger(path, IDENTITY) as ledger:
        assert sorted(ledger.done) == [0, 2]


def test_another_source_is_refused_and_named(tmp_path):
    path = tmp_path / "a.blocks.jsonl"
    Ledger(path, IDENTITY)
    with pytest.raises(ValueError, match=r"a.blocks.jsonl .*source: a.nii then, b.nii now.*--overwrite"):
        Ledger(path, IDENTITY | {"source": "b.nii"})


def test_knows_what_ledgers_beside_it_have_noted(tmp_path):
    paths = [tmp_path / f"predictions.{part}-of-2.jsonl" for part in (1, 2)]
    with Ledger(paths[0], IDENTITY) as ledger:
        ledger.mark("a", files=["a.nii"])
    with Ledger(paths[1], IDENTITY, beside=paths[:1]) as ledger:
        assert ledger.done == {"a": {"files": ["a.nii"]}}
        ledger.mark("b")
    with Ledger(paths[0], IDENTITY) as ledger:  # which nobody else writes
        assert list(ledger.done) == ["a"]
    with pytest.raises(ValueError, match=r"predictions.1-of-2.jsonl .*source: a.nii then, b.nii now"):
        Ledger(paths[1], IDENTITY | {"source": "b.nii"}, beside=paths[:1])


@pytest.mark.skipif(os.name == "nt", reason="no locks of this kind")
def test_two_processes_at_once_are_refused(tmp_path):
    path = tmp_path / "predictions.jsonl"
    with Ledger(path, IDENTITY) as ledger:
        with pytest.raises(OSError, match=r"predictions.jsonl is at work in another process.*--part"):
            Ledger(path, IDENTITY)
        ledger.mark("a", files=[])
    with Ledger(path, IDENTITY) as ledger:
        assert ledger.done == {"a": {"files": []}}


def test_the_state_of_a_folder_is_that_of_all_files_in_it(tmp_path):
    chunk = tmp_path / "a.zarr" / "c" / "0"
    chunk.parent.mkdir(parents=True)
    chunk.write_bytes(b"old")
    state = source_state([str(tmp_path / "a.zarr")])
    assert state == source_state([str(tmp_path / "a.zarr")])
    chunk.write_bytes(b"new")
    os.utime(chunk, (1e9, 1e9))
    assert source_state([str(tmp_path / "a.zarr")]) != state
