"""The pages in a browser, without network: they fit, say nothing on the console, and their sliders show slices."""

from pathlib import Path

import pytest

from .headless_chromium import look, needs_chromium

pytestmark = needs_chromium

FITS = """
const root = page.documentElement;
const groups = Array.from(page.querySelectorAll(".group")).filter(group => group.offsetHeight);
const pairs = groups.filter(group => group.children.length > 1);
return {beside: pairs.every(pair => pair.children[0].offsetTop === pair.children[1].offsetTop),
        widths: Array.from(new Set(Array.from(page.querySelectorAll(".group figure")).map(one => one.offsetWidth))),
        content: root.scrollWidth, window: root.clientWidth,
        broken: Array.from(page.images).filter(image => image.complete && !image.naturalWidth).map(image => image.alt),
        images: page.images.length};
"""
SLIDE = """
const part = page.querySelector(".slices"), range = part.querySelector("input[type=range]");
const shown = () => Array.from(part.querySelectorAll(".row")).filter(row => row.offsetHeight > 0);
const before = shown();
range.value = 2;
range.dispatchEvent(new Event("input"));
const after = shown();
return {before: before.map(row => row.dataset.label), after: after.map(row => row.dataset.label),
        said: part.querySelector("output").textContent,
        differs: before[0].querySelector("img").src !== after[0].querySelector("img").src};
"""
SORT = """
const table = page.querySelector('[aria-label="Metrics of every case"] table');
const button = table.querySelectorAll("th button")[1];
const column = () => Array.from(table.tBodies[0].rows).map(row => Number(row.cells[1].textContent));
button.click();
const rises = column();
button.click();
return {rises, falls: column(), sort: button.parentElement.getAttribute("aria-sort")};
"""


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("fixture", ["trained", "trained_on_volumes"])
def test_a_training_fits_into_any_window(fixture, width, request, tmp_path):
    page: Path = request.getfixturevalue(fixture) / "report.html"
    found, console = look(page, tmp_path, width, FITS)
    assert console == []
    assert found["images"] > 15
    assert found["broken"] == []
    assert 0.9 * width < found["window"] <= width
    assert found["beside"]  # each prediction and its target
    assert all(150 < size < 250 for size in found["widths"] if size)
    assert found["content"] <= found["window"]


@pytest.mark.parametrize("width", [390, 1400])
def test_a_data_set_fits_into_any_window(data_page, width, tmp_path):
    found, console = look(data_page, tmp_path, width, FITS)
    assert console == []
    assert found["images"] > 5
    assert found["broken"] == []
    assert found["content"] <= found["window"]


@pytest.mark.parametrize("fixture", ["training", "data"])
def test_a_slider_shows_another_slice(fixture, request, tmp_path):
    page = (
        request.getfixturevalue("data_page")
        if fixture == "data"
        else request.getfixturevalue("trained_on_volumes") / "report.html"
    )
    found, console = look(page, tmp_path, 1400, SLIDE)
    assert console == []
    (before,), (after,) = found["before"], found["after"]
    assert int(before.split()[0]) > 3
    assert after == found["said"]
    assert after.startswith("3 of ")
    assert found["differs"]


def test_a_click_sorts_the_cases(trained, tmp_path):
    found, _ = look(trained / "report.html", tmp_path, 1400, SORT)
    assert found["rises"] == sorted(found["rises"])
    assert found["falls"] == sorted(found["rises"], reverse=True)
    assert found["sort"] == "descending"
    assert len(set(found["rises"])) > 1


def test_what_a_page_would_load_from_elsewhere_is_refused_and_seen(trained, tmp_path):
    page = tmp_path / "page.html"
    content = (trained / "report.html").read_text()
    page.write_text(content.replace("</h1>", '</h1><img src="http://localhost:9/x.png" alt="x">', 1))
    _, console = look(page, tmp_path, 1400, FITS)
    assert any("Content Security Policy" in line for line in console)
