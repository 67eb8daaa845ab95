"""What `make bench` runs: figures as ratios against a named baseline measured in the same run.

python -m tests.load.bench [BENCHMARK]...
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from tests.load import (
    ami_cost,
    bench_control_filter,
    bench_control_streams,
    bench_influx,
    bench_journal,
    bench_latency,
    bench_live_panel,
    bench_queue_log,
    bench_report,
    bench_rollup,
    bench_scrape,
    bench_throughput,
)

BENCHMARKS: dict[str, Callable[[], str]] = {
    "throughput": bench_throughput.run,
    "scrape": bench_scrape.run,
    "latency": bench_latency.run,
    "journal": bench_journal.run,
    "influx": bench_influx.run,
    "queue-log": bench_queue_log.run,
    "report": bench_report.run,
    "rollup": bench_rollup.run,
    "control-filter": bench_control_filter.run,
    "control-streams": bench_control_streams.run,
    "live-panel": bench_live_panel.run,
    "ami-cost": ami_cost.report,
}


def main() -> int:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=f"one of: {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        print(f"== {name}", flush=True)
        print(BENCHMARKS[name](), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
