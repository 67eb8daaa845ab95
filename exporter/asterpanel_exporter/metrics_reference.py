"""Writes METRICS.md from the catalogue: ``python -m asterpanel_exporter.metrics_reference [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

from asterpanel_exporter.catalogue import CATALOGUE, Metric
from asterpanel_switchboard.generated import write_or_check

REFERENCE = Path(__file__).resolve().parent.parent / "METRICS.md"

_HEAD = """\
# Metrics of asterpanel-exporter

Generated from `asterpanel_exporter/catalogue.py` by `make docs`; do not edit.

Served at `/metrics` in the Prometheus text format and, by content negotiation, in OpenMetrics.
`asterisk_…` describes the switchboard, `asterpanel_…` the exporter itself. A label never holds a caller's
number, name or unique id. The series of a queue or agent that is gone go with it. While a switchboard is
not connected, only the metrics marked "always" are exposed for it: a gap is shown as a gap.
The process' own metrics (`process_…`, `python_…`) are prometheus_client's.
"""


def reference() -> str:
    """The text of METRICS.md."""
    return _HEAD + "".join(map(_section, CATALOGUE))


def _section(metric: Metric) -> str:
    lines = [
        f"\n## `{metric.name}`\n",
        f"{metric.kind}, {'always' if metric.while_down else 'while connected'}; labels: "
        + (", ".join(f"`{label}`" for label in metric.labels) or "none")
        + "\n",
        metric.help,
    ]
    for label, values in metric.values.items():
        lines.append(f"\n`{label}`: " + ", ".join(f"`{value}`" for value in values))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(REFERENCE, reference(), sys.argv[1:]))
