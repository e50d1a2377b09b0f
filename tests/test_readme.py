"""What the README shows is run: its Python example, the commands' files and overrides; links lead to headings."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, run
from PIL import Image
from torch import nn

from monai_mtunet.bundle import check_overrides
from monai_mtunet.data import read_datalist
from monai_mtunet.networks import (
    MTAN,
    UMC,
    ClassicalDenoiser,
    CrossStitchSegNet,
    DenseSegNet,
    DilatedResNet,
    MTUNet,
    MultiTaskHourglass,
    NetworkChain,
    SegNet,
    sunet_64,
)
from monai_mtunet.tasks import TaskList
from monai_mtunet.transforms import LoadSampled

ROOT = Path(__file__).parents[1]
NAMES = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/results/*.md", "*/README.md", "bundles/*/README.md")
PAGES = [page for name in NAMES for page in sorted(ROOT.glob(name))]

# An overlay is named where its paragraph begins.
OVERLAY = re.compile(r"^`(\w+\.json)`.*?```json\n(.*?)```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def test_the_python_example_runs() -> None:
    (example,) = blocks(ROOT / "README.md", "python")
    exec(compile(example, "README.md", "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_name_files_and_items_that_exist(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bundles").symlink_to(ROOT / "bundles")
    for name, overlay in OVERLAY.findall(page.read_text()):
        (tmp_path / name).write_text(overlay)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "bash"):
        for command in re.findall(r"monai\.bundle run (.*)", block):
            if "mine.json" in command or "t1_t2.json" in command:  # they have tests of their own below
                continue
            arguments = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', command)]
            check_overrides(arguments)


def test_the_overlay_for_data_of_your_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay, files = blocks(ROOT / "bundles" / "umc" / "README.md", "json")
    (tmp_path / "mine.json").write_text(overlay)
    (tmp_path / "mine_files.json").write_text(files)
    rng = np.random.default_rng(0)
    (tmp_path / "new").mkdir()
    for name in ("a", "b", "c", "new/d"):
        Image.fromarray(rng.integers(0, 256, (200, 260, 3), np.uint8)).save(tmp_path / f"{name}.png")
        Image.fromarray(rng.integers(0, 2, (200, 260), np.uint8)).save(tmp_path / f"{Path(name).name}_labels.png")
    monkeypatch.chdir(tmp_path)
    bundle, small = ROOT / "bundles" / "umc", {"features": [8, 16], "max_epochs": 1}
    info = {"meta_file": str(bundle / "metadata.json"), "logging_file": str(bundle / "logging.conf")}
    run(config_file=[str(bundle / "train.json"), "mine.json"], **info, **small)
    run(config_file=[str(bundle / "train.json"), "mine.json", str(bundle / "evaluate.json")], **info, **small)
    prediction = [str(bundle / "inference.json"), "mine.json", str(bundle / "files.json")]
    run(config_file=prediction, **info, features=[8, 16], input_dir="new")
    written = {file.name for file in Path("outputs/mine/predictions").iterdir()}
    assert written == {"d_denoise.png", "d_segment.png", "d_panel.png"}


def test_the_overlay_for_labels_in_colors_and_depth_in_16_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = ROOT / "bundles" / "mtunet"
    section = (bundle / "README.md").read_text().partition("## Data of your own")[2]
    overlay, files = re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)
    (tmp_path / "mine.json").write_text(overlay)
    (tmp_path / "mine_files.json").write_text(files)
    rng = np.random.default_rng(0)
    colors = np.array([*json.loads(overlay)["colors"], [0, 0, 0]], np.uint8)
    (tmp_path / "new").mkdir()
    for name in ("a", "b", "c", "new/d"):
        Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8)).save(tmp_path / f"{name}.png")
    for name in "abc":
        Image.fromarray(colors[rng.integers(0, 4, (24, 32))]).save(tmp_path / f"{name}_colors.png")
        depth = (256 * rng.uniform(20, 30, (24, 32))).astype(np.uint16)
        depth[:4] = 0
        Image.fromarray(depth).save(tmp_path / f"{name}_depth.png")
    monkeypatch.chdir(tmp_path)
    info = {
        "meta_file": str(bundle / "metadata.json"),
        "logging_file": str(bundle / "logging.conf"),
        "features": [4, 8, 8],
    }
    run(config_file=[str(bundle / "train.json"), "mine.json"], **info, max_epochs=2)
    run(config_file=[str(bundle / "train.json"), "mine.json", str(bundle / "evaluate.json")], **info)
    prediction = [str(bundle / "inference.json"), "mine.json", str(bundle / "files.json")]
    run(config_file=prediction, **info, input_dir="new")
    with open("outputs/mine/evaluation/cases.csv", newline="") as file:
        (case,) = csv.DictReader(file)
    assert case["image"] == "c"
    assert 0 < float(case["depth_rel"]) < 1.5  # meters are compared with meters
    assert np.asarray(Image.open("outputs/mine/predictions/d_segment.png")).max() < 3
    assert np.load("outputs/mine/predictions/d_depth.npy").shape == (24, 32)


def test_class_numbers_of_your_files(tmp_path: Path) -> None:
    section = (ROOT / "docs" / "data.md").read_text().partition("## Class numbers of your files")[2]
    (declared,) = re.findall(r"```json\n(.*?)```", section.partition("\n## ")[0], flags=re.DOTALL)
    config = ConfigParser({"imports": ["$import monai_mtunet"], "tasks": [json.loads(declared)]})
    tasks = TaskList(config.get_parsed_content("tasks"))
    nib.save(nib.Nifti1Image(np.array([[[0, 1, 2, 4, 9]]], np.uint8), np.eye(4)), tmp_path / "a.nii.gz")
    classes = LoadSampled(tasks=tasks)({"segment": tmp_path / "a.nii.gz"})["segment"]
    assert classes.flatten().tolist() == [0, 1, 1, 2, 255]
    assert tasks[0].to_file(torch.arange(3)).tolist() == [0, 1, 4]


def test_two_files_per_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (ROOT / "docs" / "data.md").read_text().partition("## A list of your own")[2]
    listed, overlay = re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)[:2]
    (table,) = re.findall(r"```text\n(.*?)```", section, flags=re.DOTALL)
    (tmp_path / "t1_t2.json").write_text(overlay)
    rng = np.random.default_rng(0)
    for folder, subjects in (("volumes", (1, 2, 3)), ("new", (4,))):
        (tmp_path / folder).mkdir()
        for name in [f"sub{subject}_{kind}" for subject in subjects for kind in ("t1", "t2", "labels")]:
            values = rng.integers(0, 2 if name.endswith("labels") else 1000, (16, 16, 16)).astype(np.int16)
            nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / folder / f"{name}.nii.gz")
    (tmp_path / "volumes" / "list.json").write_text(listed)
    (tmp_path / "volumes" / "list.csv").write_text(table)
    (tmp_path / "new" / "list.csv").write_text("image,image\nsub4_t1.nii.gz,sub4_t2.nii.gz\n")
    monkeypatch.chdir(tmp_path)
    for name in ("train", "val"):
        assert read_datalist("volumes/list.csv", name) == read_datalist("volumes/list.json", name)

    bundle, small = ROOT / "bundles" / "umc", {"features": [4, 8]}
    info = {"meta_file": str(bundle / "metadata.json"), "logging_file": str(bundle / "logging.conf"), **small}
    both = [str(bundle / "volume.json"), "t1_t2.json"]
    run(config_file=[str(bundle / "train.json"), *both], **info, max_epochs=1, **{"augment#0#roi_size": [16, 16, 16]})
    prediction = {"config_file": [str(bundle / "inference.json"), *both, str(bundle / "files.json")], **info}
    run(**prediction, input_dir="new", channels=["_t1", "_t2"])
    run(**prediction, val_data="$monai_mtunet.data.read_datalist('new/list.csv', keys='image')", overwrite=True)
    written = sorted(file.name for file in Path("outputs/t1_t2/predictions").iterdir())
    assert written == ["sub4_t1_denoise.nii.gz", "sub4_t1_panel.png", "sub4_t1_segment.nii.gz"]
    assert nib.load("outputs/t1_t2/predictions/sub4_t1_denoise.nii.gz").shape == (16, 16, 16, 2)


def anchors(page: Path) -> set[str]:
    """What GitHub names the headings: lower case, punctuation dropped, blanks to hyphens, repeated ones numbered."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    names: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.*?)[ #]*$", prose, flags=re.MULTILINE):
        text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", heading)
        names.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return {name + (f"-{before}" if (before := names[:i].count(name)) else "") for i, name in enumerate(names)}


def test_anchors_are_githubs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# MT-UNet: `cross-talk`, [a_b](c.md#d) + e\n```bash\n# a comment\n```\n## Twice\n### Twice\n")
    assert anchors(page) == {"mt-unet-cross-talk-a_b--e", "twice", "twice-1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)[^)]*\)", page.read_text()):
        if not path.startswith("http"):
            target = page.parent / path if path else page
            assert target.exists(), f"{page.name} links to {path}"
            if anchor:
                assert anchor in anchors(target), f"{page.name} links to {path}#{anchor}"


def papers_unet(**out_channels: int) -> UMC:
    return UMC(2, 3, out_channels, upsample="deconv", bias=True)


DEPTH = {"segment": 7, "depth": 1}
NETWORKS: dict[str, list[Callable[[], nn.Module]]] = {
    "`UMC`": [lambda: UMC(2, 3, {"denoise": 3, "segment": 19})],
    "`UMC`, one task": [lambda: papers_unet(segment=19)],
    "`MTUNet`": [lambda: MTUNet(2, 3, DEPTH)],
    "`SegNet`": [lambda: SegNet(2, 3, DEPTH)],
    "`MTAN`, `STAN`": [lambda: MTAN(2, 3, DEPTH)],
    "`CrossStitchSegNet`, `DenseSegNet`": [lambda: CrossStitchSegNet(2, 3, DEPTH), lambda: DenseSegNet(2, 3, DEPTH)],
    "`MultiTaskHourglass`": [lambda: MultiTaskHourglass(2, 3, {"edges": 1, "segment": 19, "distance": 1})],
    "`SUNet`": [lambda: sunet_64(2, 3, out_features={"classify": 1000})],
    "`DilatedResNet`": [lambda: DilatedResNet(2, 3, out_features={"classify": 1000})],
    "`NetworkChain`": [lambda: NetworkChain([papers_unet(denoise=3), papers_unet(segment=19)], via="denoise")],
    "`ClassicalDenoiser`": [lambda: ClassicalDenoiser(2, 3, sigma=30)],
}


def test_numbers_of_parameters() -> None:
    table = (ROOT / "README.md").read_text().split("## Networks")[1].split("##")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows] == list(NETWORKS)
    for name, _, _, _, parameters, _ in rows:
        with torch.device("meta"):
            counts = [sum(p.numel() for p in build().parameters()) for build in NETWORKS[name]]
        assert re.sub(r" \(.*?\)", "", parameters) == "; ".join(f"{count:,}" for count in counts), name


NO_OVERLAYS = {"train", "evaluate", "inference", "metadata"}


@pytest.mark.parametrize("folder", sorted((ROOT / "bundles").iterdir()), ids=lambda folder: folder.name)
def test_overlays_are_told(folder: Path) -> None:
    overlays = {file.stem for file in folder.glob("*.json")} - NO_OVERLAYS
    (row,) = re.findall(rf"^\| \[`{folder.name}`\].*$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    shown = set(re.findall(r"`(\w+)`", row)) - {folder.name}
    assert shown <= overlays, "the README shows overlays that do not exist"
    page = (folder / "README.md").read_text()
    told = set(re.findall(r"`(\w+)`", page.split("## Overlays")[1].split("```")[0]))
    endings = tuple(word for word in told if word.startswith("_"))  # `coarse_to_fine_group2`, `_group3`
    untold = {name for name in overlays - told if not name.endswith(endings)}
    assert not untold, "the bundle's page misses overlays"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 120
