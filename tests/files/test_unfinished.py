"""Nothing unfinished bears a final name, and nothing written is lost."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Waiting

import numpy as np
import pytest
from filelock import FileLock

from monai_mtunet.files import create_like, open_image

from .samples import FILES

KINDS = [
    "x.nii",
    "x.nii.gz",
    "x.nrrd",
    "x.mha",
    "stack.tif",
    "imagej.tif",
    "x.ome.tif",
    "4.ome.zarr",
    "5.ome.zarr",
    "x.npy",
]
FIRST, REST = np.s_[0:4, 0:6, 0:5], np.s_[4:7, 0:6, 0:5]
BLOCK = (4, 6, 5)


@pytest.fixture(params=KINDS)
def image(request, tmp_path):
    return open_image(FILES[request.param][0](tmp_path / request.param))


def begin(image, folder, **options):
    return create_like(image, folder / "case_seg", image.shape, "uint8", {}, BLOCK, resume=True, **options)


def values_in(path):
    return [int(value) for value in open_image(path).read()[0, [0, 3, 4, 6], 2, 2]]


def test_a_kill_loses_no_written_block(tmp_path, image):
    image_path, path = str(image.path), str(tmp_path / "case_seg")
    source = f"""
import os, signal
import numpy as np
from monai_mtunet.files import create_like, open_image

image = open_image({image_path!r})
writer = create_like(image, {path!r}, image.shape, "uint8", {{}}, {BLOCK}, resume=True)
writer.write({FIRST!r}, np.full((1, *{BLOCK}), 7))
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", source], env={**os.environ})
    assert killed.returncode == -signal.SIGKILL
    left = [file.name for file in tmp_path.iterdir() if "seg" in file.name]
    assert left == [begin(image, tmp_path).partial.name]
    writer = begin(image, tmp_path)
    writer.write(REST, np.full((1, 3, 6, 5), 9))
    assert not writer.path.exists()
    writer.close()
    assert values_in(writer.path) == [7, 7, 9, 9]
    assert not writer.partial.exists()


def test_an_unfinished_file_of_another_shape_is_not_taken(tmp_path, image):
    writer = begin(image, tmp_path)
    writer.write(FIRST, np.full((1, *BLOCK), 7))
    with pytest.raises(ValueError, match=r"case_seg.*\.partial is the unfinished (file|store) of another image"):
        create_like(image, tmp_path / "case_seg", image.shape, "uint16", {}, BLOCK, resume=True)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    begin(image, tmp_path).close()
    assert values_in(writer.path) == [7, 7, 0, 0]


def test_without_resuming_it_starts_anew(tmp_path, image):
    begin(image, tmp_path).write(FIRST, np.full((1, *BLOCK), 7))
    writer = create_like(image, tmp_path / "case_seg", image.shape, "uint8", {}, BLOCK)
    writer.close()
    assert values_in(writer.path) == [0, 0, 0, 0]


def test_the_final_file_is_replaced_at_the_end(tmp_path, image):
    for value in (1, 2):
        writer = begin(image, tmp_path)
        writer.write(None, np.full(image.shape, value))
        if value == 2:
            assert values_in(writer.path) == [1] * 4
        writer.close()
    assert values_in(writer.path) == [2] * 4


def test_an_error_leaves_what_is_written(tmp_path, image):
    writer = begin(image, tmp_path)
    with pytest.raises(ValueError, match="takes values of shape"), writer:
        writer.write(FIRST, np.zeros(3))
    assert writer.partial.exists()
    assert not writer.path.exists()
    begin(image, tmp_path).discard()
    assert not writer.partial.exists()


def test_space_is_reserved_at_the_start(tmp_path, image):
    if "zarr" in image.path.name:
        pytest.skip("a store grows by its chunks")
    writer = begin(image, tmp_path)
    status = writer.partial.stat()
    assert status.st_blocks * 512 >= status.st_size


def test_a_read_only_folder_is_named(tmp_path, image, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "out"))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(PermissionError, match="out"):
        begin(image, tmp_path / "out")


def test_blocks_that_share_a_shard_wait_for_each_other(tmp_path):
    image = open_image(FILES["5.ome.zarr"][0](tmp_path / "5.ome.zarr"))
    first, second = (begin(image, tmp_path) for _ in range(2))
    first.write(FIRST, np.full((1, *BLOCK), 7))  # its own shard: no lock
    assert not list(tmp_path.glob("*.lock"))
    shared = np.s_[2:6, 0:6, 0:5]
    with ThreadPoolExecutor() as pool, FileLock(tmp_path / "case_seg.ome.zarr.partial.lock"):
        writing = pool.submit(second.write, shared, np.full((1, *BLOCK), 9))
        with pytest.raises(Waiting):
            writing.result(timeout=0.5)
        first.write(REST, np.full((1, 3, 6, 5), 5))  # to the end of the image, so its own too
    first.close()
    assert [int(value) for value in open_image(first.path).read()[0, :, 2, 2]] == [7, 7, 9, 9, 9, 9, 5]
    assert not list(tmp_path.glob("*.lock"))


def test_what_a_kill_left_within_a_store_is_no_part_of_it(tmp_path, image):
    if "zarr" not in image.path.name:
        pytest.skip("no store")
    writer = begin(image, tmp_path)
    writer.write(None, np.full(image.shape, 3))
    chunk = next(path for path in writer.partial.rglob("0") if path.is_file())
    chunk.with_suffix(".0123456789abcdef0123456789abcdef.partial").write_bytes(b"half")  # as zarr calls it
    writer.close()
    assert not list(writer.path.rglob("*.partial"))
    assert values_in(writer.path) == [3] * 4


def test_what_is_too_large_for_a_disk_names_the_file(tmp_path, image):
    resource = pytest.importorskip("resource")
    if image.path.name.endswith(".zarr"):
        pytest.skip("chunks are compressed")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large: '.*case_seg"):
            create_like(image, tmp_path / "case_seg", (1, *image.shape[1:]), "float64")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.glob("case_seg*"))
