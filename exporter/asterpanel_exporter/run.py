"""The exporter as a service: all switchboards and the web server, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import suppress

from asterpanel_exporter.exposition import Scrape
from asterpanel_exporter.storage import Storage
from asterpanel_exporter.supervisor import Exporter
from asterpanel_exporter.web.app import serve
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.logs import set_up_logging

_log = logging.getLogger(__name__)

SETTLES_IN_S = 60.0
"""By then the state of all switchboards that can be reached has been read."""


def run(config: Config) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        OSError: the address to listen on cannot be had.
        JournalError: the journal cannot be used.
    """
    set_up_logging(config.exporter.log_level, config.exporter.log_format)
    asyncio.run(_run(config))


async def _run(config: Config) -> None:
    exporter = Exporter(config)
    main = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: main and main.cancel())
    async with Storage(config, exporter.switchboards, exporter.wall_clock) as storage:
        sessions = [watch.session for watch in exporter.watches.values()]
        scrape = Scrape(exporter.switchboards, sessions, exporter.wall_clock, storage.expose)
        _log.info("watching %s", ", ".join(exporter.switchboards))
        with suppress(asyncio.CancelledError):
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(exporter.run())
                    tasks.create_task(serve(exporter, scrape, record_actions=storage.record_actions))
                    tasks.create_task(storage.run())
                    tasks.create_task(_spare_the_settled())
            except* OSError as group:
                raise group.exceptions[0] from None
    _log.info("stopped")


async def _spare_the_settled() -> None:
    """Leave what is there for good out of garbage collections: with 20,000 memberships, a full one stops the
    event loop for tens of milliseconds."""
    await asyncio.sleep(SETTLES_IN_S)
    gc.collect()
    gc.freeze()
