"""The answers of the real kube-apiserver, kept in tests/api/recorded, and the differences that docs/local-api.md lists.

`./test api --record` writes recorded/ anew from the real server; nobody edits it.
"""
import fnmatch
import json
import pathlib
import re

from story import STORIES, differences
import stories_apply  # noqa: F401
import stories_definitions  # noqa: F401
import stories_delete  # noqa: F401
import stories_kinds  # noqa: F401
import stories_lists  # noqa: F401
import stories_objects  # noqa: F401
import stories_rights  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/api/recorded"
LISTED = ROOT / "docs/local-api.md"
NAMES = sorted(STORIES)


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def save(name, answers):
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


class Listed:
    """The rows `| story | step | field | reason |` of docs/local-api.md; * stands for anything."""

    def __init__(self):
        rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|", LISTED.read_text(encoding="utf-8"), re.M)
        # A field's [0] is meant as it stands.
        self.rows = {row: re.compile("^" + r" \| ".join(fnmatch.translate(cell.replace("[", "[[]"))[4:-3] for cell in row) + "$", re.S) for row in rows}
        self.used = set()

    def covers(self, story, step, path):
        found = [row for row, pattern in self.rows.items() if pattern.match(f"{story} | {step} | {path}")]
        self.used.update(found)
        return bool(found)


def unlisted(name, expected, found, listed):
    """What differs and is in no row, as lines."""
    lines = []
    for step in list(expected) + [step for step in found if step not in expected]:
        real, ours = expected.get(step, "(absent)"), found.get(step, "(absent)")
        if isinstance(real, dict) and isinstance(ours, dict) and real.get("status") != ours.get("status"):
            several = [("status", f"{real.get('status')}: {json.dumps(real)}", f"{ours.get('status')}: {json.dumps(ours)}")]  # the rest follows from it
        else:
            several = differences(real, ours)
        for path, real, ours in several:
            if not listed.covers(name, step, path):
                lines.append(f"{name} | {step} | {path}\n    real {json.dumps(real, ensure_ascii=False)[:1500]}\n    ours {json.dumps(ours, ensure_ascii=False)[:1500]}")
    return lines
