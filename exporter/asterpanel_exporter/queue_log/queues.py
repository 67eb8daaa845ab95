"""The queues of a queue_log: their own names, and the settings that go into their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from asterpanel_switchboard.config.models import QueueSettings


class Queues:
    """What is known of the queues.

    ``Queue(SINGLE)`` in the dialplan enters a queue ``single`` (``queue_hash_cb`` in ``app_queue.c`` ignores
    case). ENTERQUEUE, ABANDON, EXITWITHTIMEOUT, EXITWITHKEY and ADDMEMBER have the dialplan's spelling, all
    other lines the queue's own name.

    Args:
        settings: what the configuration says of a queue, by its name.
        names: names that are known already.
        last_thresholds: service-level thresholds as the journal last had them, by name in lower case.
    """

    def __init__(
        self,
        settings: Callable[[str], QueueSettings],
        names: Iterable[str] = (),
        last_thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self._settings = settings
        self._last_thresholds = last_thresholds or {}
        self._name_of = {name.casefold(): name for name in names}

    def learn(self, name: str) -> None:
        """A line told a queue's own name."""
        self._name_of[name.casefold()] = name

    def name(self, spelling: str) -> str:
        """The queue's own name, as far as it is known."""
        return self._name_of.get(spelling.casefold(), spelling)

    def thresholds(self, name: str) -> tuple[float, float]:
        """Service-level threshold (0.0: none is known) and short-abandon time of a queue, in seconds."""
        settings = self._settings(name)
        threshold_s = settings.service_level_threshold_s
        if threshold_s is None:
            threshold_s = self._last_thresholds.get(name.casefold(), 0.0)
        return threshold_s, settings.short_abandon_s
