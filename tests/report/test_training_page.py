"""The page of a training tells what its folder holds: of the best epoch, and of no other."""

import csv
import html
import json
import re
import shutil
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from monai_mtunet.report.training.training_page import write_training_page

from ..bundles.left_by_a_run import checkpoint, measured

STRANGE = """<script>alert("a&b's")</script>"""


def page_of(folder: Path) -> str:
    return write_training_page(folder).read_text(encoding="utf-8")


def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def cells(page: str, caption: str) -> list[list[str]]:
    """The rows of a table."""
    table = page.split(f'aria-label="{caption}"')[1].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [[re.sub("<.*?>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def logged(folder: Path, epochs: int = 3, **values: float) -> Path:
    """A folder with TensorBoard's files alone: each value grows with the epochs."""
    with SummaryWriter(folder / "tensorboard") as writer:
        for epoch in range(1, epochs + 1):
            for name, value in values.items():
                writer.add_scalar(name, value * epoch, epoch)
            writer.add_scalar("iteration/loss", 1, epoch)
    return folder


def test_the_values_are_those_of_the_best_epoch(trained):
    best = checkpoint(trained, "best")["best_metric"]
    page = page_of(trained)
    assert f"<dd>{best['epoch']}, with segment_miou = {best['value']:.4g}</dd>" in page
    rows = {name: (value, last) for name, value, last in cells(page, "Metrics of segment")[1:]}
    assert rows["segment_miou"][0] == f"{best['value']:.4g}"
    assert rows["segment_accuracy"][1] == f"{measured(trained, 'validation')['segment_accuracy']:.4g}"
    assert {"denoise_psnr", "denoise_ssim"} <= {name for name, *_ in cells(page, "Metrics of denoise")}


def test_another_best_epoch_is_told_beside_the_last_one(trained, tmp_path):
    folder = copy(trained, tmp_path)
    about = json.loads((folder / "validation" / "best" / "epoch.json").read_text())
    other = 3 - about["epoch"]  # of two epochs
    (folder / "validation" / "best" / "epoch.json").write_text(json.dumps(about | {"epoch": other}))
    (folder / "validation" / "best" / "metrics.csv").write_text("segment_miou,0.9871\nsegment_iou_canvas,0.1234\n")
    page = page_of(folder)
    header, *rows = cells(page, "Metrics of segment")
    assert header == ["metric", f"epoch {other}", "epoch 2 (last)"]
    assert rows[0] == ["segment_miou", "0.9871", f"{measured(folder, 'validation')['segment_miou']:.4g}"]
    assert ["canvas", "0.1234"] in cells(page, "Metrics of the parts of segment")
    # Its pictures are of another epoch.
    assert "<h3>Best:" not in page
    assert "There are no pictures of cases" in page


def test_an_evaluation_has_a_column(trained, tmp_path):
    folder = copy(trained, tmp_path)
    assert len(cells(page_of(folder), "Metrics of segment")[0]) == 3
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "metrics.csv").write_text("segment_miou,0.4321\n")
    rows = cells(page_of(folder), "Metrics of segment")
    assert rows[0][3] == "evaluation"
    assert {row[0]: row[3] for row in rows[1:]} == {"segment_miou": "0.4321", "segment_accuracy": "-"}


def test_every_case_stands_in_the_table_and_three_as_pictures(trained):
    page = page_of(trained)
    with (trained / "validation" / "best" / "cases.csv").open() as file:
        names = [row["image"] for row in csv.DictReader(file)]
    assert [row[0] for row in cells(page, "Metrics of every case")[1:]] == names
    shown = dict(re.findall("<h3>(Best|Median|Worst): (.*?)</h3>", page))
    assert shown == {"Best": names[-1], "Median": names[2], "Worst": names[0]}
    captions = re.findall("<figcaption>(.*?)</figcaption>", page.split('id="pictures"')[1].split('id="cases"')[0])
    assert captions == 3 * ["input", "denoise", "denoise: target", "segment", "segment: target"]


def test_the_confusion_matrix_has_per_cents_of_true_classes(trained):
    header, *rows = cells(page_of(trained), "Confusion matrix of segment")
    assert header[1:] == [row[0] for row in rows] == ["canvas", "striped ball", "striped bar", "checked ball",
                                                      "checked bar"]  # fmt: skip
    for _, *shares in rows:
        assert shares == ["-"] * 5 or sum(map(float, shares)) == pytest.approx(100, abs=0.3)


def test_of_many_classes_the_pairs_that_are_confused_most(trained, tmp_path):
    folder = copy(trained, tmp_path)
    with (folder / "validation" / "best" / "confusion_segment.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["true", "predicted", "count"])
        table.writerows([f"class {number}", f"class {number}", 30] for number in range(50))
        table.writerows([["class 7", "class 9", 10], ["class 8", "class 9", 70]])
    rows = cells(page_of(folder), "Confused classes of segment")
    assert rows[1:] == [["class 8", "class 9", "70", "70.0 %"], ["class 7", "class 9", "10", "25.0 %"]]


def test_it_needs_nothing_but_itself(trained):
    page = page_of(trained)
    addresses = re.findall(r"""(?:src|href)=["'](.*?)["']""", page)
    assert len([address for address in addresses if address.startswith("data:image/")]) > 15
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "url(" not in page
    assert "@import" not in page
    assert len(page) < 3e6


def test_two_pages_of_one_folder_are_equal(trained):
    assert page_of(trained) == page_of(trained)


def test_configuration_environment_and_how_it_was_started(trained):
    page = page_of(trained)
    assert "It was started from Python" in page
    environment = dict(cells(page, "Environment"))
    assert environment["device"].startswith("cpu (")
    assert {"torch", "monai", "Python", "system"} <= set(environment)
    text = html.unescape(page.split("<details>")[1].split("<pre")[1].split(">", 1)[1].split("</pre>")[0])
    assert json.loads(text)["max_epochs"] == 2


def test_text_from_outside_is_escaped(trained, tmp_path):
    folder = copy(trained, tmp_path)
    best = folder / "validation" / "best"
    for name, column in (("cases.csv", 0), ("confusion_segment.csv", 0)):
        with (best / name).open(newline="") as file:
            rows = list(csv.reader(file))
        rows[1][column] = STRANGE
        if name == "confusion_segment.csv":
            rows[1][1] = STRANGE
        with (best / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    record = json.loads((folder / "training.json").read_text())
    record["runs"][0]["command"] = f"python -m monai.bundle run --x {STRANGE}"
    (folder / "training.json").write_text(json.dumps(record))
    (folder / "configuration.json").write_text(json.dumps({"x": STRANGE}))
    page = page_of(folder)
    assert page.count("<script>") == 1
    assert page.count("&lt;script&gt;alert(") >= 4


def test_of_an_unfinished_training_what_there_is(trained, tmp_path):
    folder = copy(trained, tmp_path)
    (folder / "validation" / "best" / "pictures.zip").unlink()
    page = page_of(folder)
    assert "python -m monai_mtunet report FOLDER --draw draws them" in page
    assert "The first cases of validation, epoch 0002." in page
    assert 'alt="Input, predictions and targets of the first cases, epoch 0002"' in page


def test_of_a_training_without_records_what_there_is(tmp_path):
    page = page_of(logged(tmp_path, loss=0.5, loss_a=0.5, weight_a=1.0, a_psnr=20, a_iou_x=0.1, a_iou_y=0.2))
    assert "<dd>3 trained</dd>" in page
    assert 'alt="a_psnr. a_psnr: 20 in epoch 1, 60 in epoch 3"' in page
    assert 'alt="a_iou. x: 0.1 in epoch 1, 0.3 in epoch 3; y: 0.2 in epoch 1, 0.6 in epoch 3"' in page
    assert "The folder does not tell how the training was started." in page
    assert "No case was measured." in page


def test_the_last_values_are_those_of_the_last_validation(tmp_path):
    folder = logged(tmp_path, loss=0.5, loss_a=0.5)
    with SummaryWriter(folder / "tensorboard") as writer:
        writer.add_scalar("a_psnr", 21.5, 2)  # of every second epoch
    (folder / "validation").mkdir()
    (folder / "validation" / "metrics.csv").write_text("a_psnr,21.5\n")
    page = page_of(folder)
    assert "<dd>3 trained</dd>" in page
    assert cells(page, "Metrics of a") == [["metric", "last validation", "epoch 2 (last)"], ["a_psnr", "21.5", "21.5"]]
    assert "No epoch is known to be the best. The values are those of the last validation." in page


def test_weights_are_drawn_where_they_change(tmp_path):
    page = page_of(logged(tmp_path / "learned", loss_a=1, loss_b=2, weight_a=0.1, weight_b=0.3))
    assert 'alt="weights. a: 0.1 in epoch 1, 0.3 in epoch 3; b: 0.3 in epoch 1, 0.9 in epoch 3"' in page
    page = page_of(logged(tmp_path / "fixed", 1, loss_a=1, loss_b=2, weight_a=0.25, weight_b=1))
    assert "The weights stayed the same: a 0.25, b 1." in page
    page = page_of(logged(tmp_path / "none", loss_a=1, loss_b=2))
    assert "The weighting tells no weights." in page


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no training.*Give the output_dir of a training"):
        write_training_page(tmp_path)
    assert not (tmp_path / "report.html").exists()
