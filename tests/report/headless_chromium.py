"""Opens a page in Chromium, in a frame of a given width, and does something there."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1500,1000", "--virtual-time-budget=20000",
]  # fmt: skip
# The page's own document: what it does is seen by the page around it.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><body>
<iframe width="{width}" height="900" srcdoc="{page}"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", function () {{
  const page = frame.contentDocument, look = function (page) {{ {script} }};
  document.body.replaceChildren(JSON.stringify(look(page)));
  document.body.id = "looked";
}});
</script></body>"""

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the PATH")


def look(page: Path, folder: Path, width: int, script: str) -> tuple[Any, list[str]]:
    """What a script returns that is given the page's document as `page`, and what the browser's console says."""
    frame = folder / f"frame_{width}.html"
    content = html.escape(page.read_text(encoding="utf-8"))
    frame.write_text(FRAME.format(width=width, page=content, script=script), encoding="utf-8")
    done = _run(frame.as_uri(), folder)
    found = re.search(r'<body id="looked">(.*?)</body>', done.stdout, re.DOTALL)
    assert found is not None, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(html.unescape(found[1])), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def _run(page: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A browser that does not start, or hangs, says nothing about the page: it is tried twice."""
    assert CHROMIUM is not None
    for attempt in range(2):
        profile = f"--user-data-dir={folder / f'profile{attempt}'}"
        try:
            return subprocess.run(
                [CHROMIUM, *OPTIONS, profile, "--dump-dom", page],
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
        except subprocess.SubprocessError as error:
            reason = str(error)
    pytest.skip(f"Chromium does not run here: {reason}")
