"""The page of a data set: its problems, distributions, targets and examples."""

import io
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_mtunet.commands.app import main
from monai_mtunet.planning.data import find_data
from monai_mtunet.planning.data.case import FoundData
from monai_mtunet.planning.fingerprint import DataFingerprint, fingerprint_data
from monai_mtunet.report.data.data_page import write_data_page
from monai_mtunet.report.data.example_cases import draw_examples

from .small_data import volume, write_pictures, write_volumes

KINDS = {"labels": "segmentation", "clean": "restoration"}


def looked_at(folder: Path) -> tuple[FoundData, DataFingerprint]:
    kinds = {name: kind for name, kind in KINDS.items() if (folder / name).is_dir()}
    data = find_data(folder, kinds)
    return data, fingerprint_data(data, folder.parent / "data.json", workers=1)


def picture(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def test_what_the_files_are_like(data_page):
    page = data_page.read_text()
    assert "<dd>4 (plain folders)</dd>" in page
    assert "<dd>14 x 12 x 10</dd>" in page
    assert "<dd>1 x 1 x 2.5</dd>" in page
    assert "<dd>float32</dd>" in page
    assert "<dd>RAS</dd>" in page
    assert "<figcaption>Spacing along each of 3 axes</figcaption>" in page
    assert "axis 3: 4 values from 2.5 to 2.5" in page
    assert "<p>None was found.</p>" in page
    assert len(re.findall('<tr><th scope="row">case.</th>', page)) == 4
    assert len(page) < 2e6


def test_what_its_targets_are_like(data_page):
    page = data_page.read_text()
    assert "<h3>labels (segmentation)</h3>" in page
    assert "3 of 4 images have it." in page
    assert re.search(r'alt="Share of voxels\. 0: \d\d\.\d\d%; 1: [\d.]+%; 2: 7\.14%"', page)
    assert 'alt="Share of labeled images that have it. 0: 100.00%; 1: 100.00%; 2: 100.00%"' in page
    assert "<h3>clean (restoration)</h3>" in page


def test_examples_have_their_targets_over_them(tmp_path):
    write_volumes(tmp_path / "data")
    data, found = looked_at(tmp_path / "data")
    examples = draw_examples(data, found)
    assert [case.name for case in examples.cases] == ["case0", "case1", "case2"]  # those with all targets
    case = examples.cases[0]
    assert sorted(case.columns) == ["clean", "image", "labels over the image"]
    assert case.numbers == list(range(10))
    image, over = (picture(case.pictures[8][case.columns.index(one)][1]) for one in ("image", "labels over the image"))
    # Slice 8 holds label 1 alone, at x 2..5 and y 2..7: x runs right, y up.
    colored = np.abs(over - image).max(axis=2) > 20
    expected = np.zeros((12, 14), bool)
    expected[12 - 8 : 12 - 2, 2:6] = True
    assert (colored == expected).mean() > 0.95
    assert set(examples.colors["labels"]) == {0, 1, 2}
    assert abs(np.mean(examples.intensities["0"]) - 100) < 1


def test_colors_of_pictures_stay_as_they_are(tmp_path):
    write_pictures(tmp_path / "data")
    data, found = looked_at(tmp_path / "data")
    page = write_data_page(data, found, tmp_path / "page.html").read_text()
    assert "<figcaption>labels over the image</figcaption>" in page
    assert "Slice" not in page
    case = draw_examples(data, found).cases[0]
    assert case.columns == ["image", "labels over the image"]
    original = np.asarray(Image.open(data.cases[0].images[0])).astype(int)
    assert np.abs(picture(case.pictures[0][0][1]) - original).mean() < 5  # a JPEG


def test_problems_stand_with_their_remedies_and_broken_files_are_not_drawn(tmp_path):
    write_volumes(tmp_path / "data")
    (tmp_path / "data" / "images" / "case1.nii.gz").write_bytes(b"no image")
    data, found = looked_at(tmp_path / "data")
    page = write_data_page(data, found, tmp_path / "page.html").read_text()
    problem = found.all_problems[0]
    assert "<dd>1, 1 of which stop training</dd>" in page
    assert f'<td>yes</td><td class="text">{problem.file}</td>' in page
    assert problem.remedy.replace("'", "&#39;") in page
    assert "<h3>case0</h3>" in page
    assert "<h3>case1</h3>" not in page


def test_a_file_that_went_away_is_told_and_not_drawn(tmp_path):
    write_volumes(tmp_path / "data")
    data, found = looked_at(tmp_path / "data")
    Path(data.cases[0].images[0]).unlink()
    page = write_data_page(data, found, tmp_path / "page.html").read_text()
    assert re.search(r'<p class="note">case0 is not drawn: .*case0\.nii\.gz', page)
    assert "<h3>case2</h3>" in page


def test_names_of_files_and_labels_are_escaped(tmp_path):
    write_volumes(tmp_path / "data")
    for folder in ("images", "labels", "clean"):
        (tmp_path / "data" / folder / "case0.nii.gz").rename(tmp_path / "data" / folder / 'a<b>&"c.nii.gz')
    data, found = looked_at(tmp_path / "data")
    data = replace(data, labels={"labels": {"none": 0, "<i>left</i>": 1, "right": 2}})
    page = write_data_page(data, found, tmp_path / "page.html").read_text()
    assert "<b>" not in page
    assert "<i>" not in page
    assert "a&lt;b&gt;&amp;&#34;c" in page
    assert "1: &lt;i&gt;left&lt;/i&gt;" in page


def test_what_was_chosen_comes_first_with_its_reason(tmp_path):
    write_pictures(tmp_path / "data")
    data, found = looked_at(tmp_path / "data")
    page = write_data_page(data, found, tmp_path / "p.html", [("patch", "64 x 64", "it fits into 2 GB")]).read_text()
    row = '<tr><th scope="row">patch</th><td class="text">64 x 64</td><td class="text">it fits into 2 GB</td></tr>'
    assert page.index(row) < page.index('id="problems"')


def test_one_outlier_does_not_hide_the_others(tmp_path):
    """Volumes of two scales, as scanners give them, need a logarithmic one."""
    write_volumes(tmp_path / "data", 5)
    data, found = looked_at(tmp_path / "data")
    for name, value in found.cases[0].channels[0].items():
        found.cases[0].channels[0][name] = 1000 * value
    page = write_data_page(data, found, tmp_path / "page.html").read_text()
    uri = re.search(r'<figcaption>Intensities: mean of each image</figcaption><img src="(.*?)"', page)
    assert uri is not None
    svg = b64decode(uri[1].partition(",")[2]).decode()
    assert ">104" in re.sub(r"\s|</?tspan.*?>", "", svg)  # 10 to the power of 4


def test_the_command_writes_the_page_as_well(tmp_path, capsys):
    write_volumes(tmp_path / "data")
    arguments = ["--output", tmp_path / "data.json", "--report", tmp_path / "new" / "page.html", "--workers", 1]
    with pytest.raises(SystemExit) as ended:
        main(["fingerprint", str(tmp_path / "data"), "--target", "labels=segmentation", *map(str, arguments)])
    assert not ended.value.code
    assert capsys.readouterr().out.splitlines()[-1] == f"The page is {tmp_path / 'new' / 'page.html'}"
    assert volume(0).shape == (14, 12, 10)
    assert "<h3>case0</h3>" in (tmp_path / "new" / "page.html").read_text()
