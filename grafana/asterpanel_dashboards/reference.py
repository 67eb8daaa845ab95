"""A page for each dashboard in ``docs/dashboards``: what it answers, each definition, how it is computed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from asterpanel_dashboards.build import files
from asterpanel_dashboards.settings import DEFAULTS
from asterpanel_switchboard.generated import write_or_check

FOLDER: Final = Path(__file__).parents[2] / "docs" / "dashboards"
IMAGES: Final = "../images"

_NOTE: Final = (
    "Generated from the dashboard by `make docs`; do not edit. Formula of the service level, time zone and "
    "colours are those of the default configuration: sections `targets` and `dashboards` of `asterpanel.yml` "
    "change them."
)

_HIDDEN: Final = 2
"""A variable that nobody sees."""

Dashboard = Mapping[str, Any]
Panel = Mapping[str, Any]


def pages() -> Iterator[tuple[str, str]]:
    """(file name, Markdown) of each dashboard, and of the page that lists them."""
    dashboards = [json.loads(text) for _, text in files(DEFAULTS)]
    yield "index.md", _index(dashboards)
    for dashboard in dashboards:
        yield f"{_name(dashboard)}.md", page(dashboard)


def page(dashboard: Dashboard) -> str:
    """The page of one dashboard."""
    name, title = _name(dashboard), dashboard["title"]
    pictures = [
        f"![{title}, dark theme]({IMAGES}/{name}-dark.png)\n",
        f"![{title}, light theme]({IMAGES}/{name}-light.png)\n",
    ]
    head = [f"# {title}\n", f"{dashboard['description']}\n", *pictures, f"{_NOTE}\n", *_choices(dashboard)]
    return "\n".join([*head, *_panels(dashboard)])


def _index(dashboards: list[Dashboard]) -> str:
    rows = [f"| [{one['title']}]({_name(one)}.md) | {one['description']} |" for one in dashboards]
    return "\n".join(["# Dashboards\n", "| dashboard | what it answers |", "|---|---|", *rows, ""])


def _name(dashboard: Dashboard) -> str:
    return str(dashboard["uid"]).removeprefix("asterpanel-")


def _choices(dashboard: Dashboard) -> Iterator[str]:
    """What can be chosen on top."""
    choices = [one for one in dashboard["templating"]["list"] if one.get("hide") != _HIDDEN]
    names = ", ".join(f"**{one['label']}**" for one in choices)
    times = dashboard["time"]
    yield f"To choose: {names}; the time, at first `{times['from']}` to `{times['to']}`.\n"


def _panels(dashboard: Dashboard) -> Iterator[str]:
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield f"## {panel['title']}\n"
            for inner in panel.get("panels") or []:
                yield from _panel(inner)
        else:
            yield from _panel(panel)


def _panel(panel: Panel) -> Iterator[str]:
    yield f"### {panel['title']}\n"
    yield f"{panel['description']}\n"
    if leads_to := [link["title"] for link in _links(panel)]:
        yield f"A click leads to: {', '.join(dict.fromkeys(leads_to))}.\n"
    if targets := panel.get("targets", []):
        yield from _queries(targets)


def _queries(targets: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield "<details><summary>How it is computed</summary>\n"
    for target in targets:
        language, query = ("promql", target["expr"]) if "expr" in target else ("sql", target["query"])
        yield f"```{language}\n{query}\n```\n"
    yield "</details>\n"


def _links(panel: Panel) -> Iterator[Mapping[str, str]]:
    config = panel["fieldConfig"]
    yield from config["defaults"].get("links") or []
    for override in config.get("overrides", []):
        for wanted in override["properties"]:
            if wanted["id"] == "links":
                yield from wanted["value"]


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` only say whether they are up to date; the exit code."""
    return max(write_or_check(FOLDER / name, text, arguments) for name, text in pages())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
