"""The documentation: commands that are there and have these options, links that lead somewhere, metrics that are served."""
import functools
import re
import shlex
import subprocess

import pytest

from harness import waiting
from harness.cluster import ROOT

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "tests/README.md"])


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def told(gantry):
    """What --help of a subcommand says."""
    @functools.cache
    def ask(*words):
        result = subprocess.run([gantry, *words, "--help"], text=True, capture_output=True, timeout=waiting.SHORT, check=False)
        assert result.returncode == 0, f"gantry {' '.join(words)} --help: {result.stderr}"
        return result.stdout

    return ask


@pytest.mark.parametrize("page", [page for page in PAGES if re.search(r"^gantry ", text_of(page), re.M)], ids=lambda page: page.name)
def test_its_examples_are_words_that_gantry_knows(told, page):
    """Each line that runs gantry: its verb is there, and has its options."""
    for line in re.findall(r"^gantry (.*)$", text_of(page), re.M):
        words = shlex.split(line, comments=True)
        for option in [word for word in words if re.match(r"-[a-z-]", word)]:
            assert re.search(rf"(^|\s){re.escape(option)}[,=\s]", told(words[0])), f"gantry {words[0]} has no {option}"
        assert told(words[0])


def test_its_links_lead_somewhere():
    for page in PAGES:
        for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)", text_of(page)):
            target = page.parent / path if path else page
            assert target.exists(), f"{page.name}: there is no {path}"
            if anchor:
                headings = [re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
                            for heading in re.findall(r"^#+ (.*)$", text_of(target), re.M)]
                assert anchor[1:] in headings, f"{page.name}: {path} has no heading {anchor}"


def test_its_first_page_names_every_other():
    index = text_of(ROOT / "docs/README.md")
    assert not [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md" and f"({page.name})" not in index]


def test_it_names_the_metrics_that_are_served():
    served = set(re.findall(r'\{"((?:mtv|gantry)_\w+)", "\w+"', text_of(ROOT / "src/controller/metrics.c")))
    named = set(re.findall(r"`((?:mtv|gantry)_\w+)`", text_of(ROOT / "docs/operating.md")))
    assert served == named and len(served) > 10
