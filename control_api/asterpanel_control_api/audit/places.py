"""Where entries go to besides the log: the exporter's journal, and Grafana's annotations."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from asterpanel_control_api.audit.delivery import NotDelivered, Refused
from asterpanel_control_api.audit.entry import Entry
from asterpanel_control_api.live.exporter_client import ExporterClient, ExporterUnavailable

TIMEOUT_S = 5.0
NOT_OUR_FAULT = frozenset({401, 403, 404, 408, 429})
"""Answers of the class 4xx that another attempt may not get: a token that is being replaced, an address that
is not up yet, too many requests."""


class JournalPlace:
    """The exporter's journal, for points ``control_action``."""

    def __init__(self, exporter: ExporterClient) -> None:
        self._exporter = exporter

    def send(self, entries: Sequence[Entry]) -> None:
        """Have entries written. Raises as `Delivery` wants."""
        try:
            answer = self._exporter.post("/actions", {"actions": list(map(_action, entries))}, TIMEOUT_S)
        except ExporterUnavailable as error:
            raise NotDelivered(str(error)) from None
        if answer.status == 202:
            return
        what = f"{answer.status} {answer.error}".strip()
        if answer.status >= 500 or answer.status in NOT_OUR_FAULT - {404}:
            raise NotDelivered(what)
        raise Refused(what)


def _action(entry: Entry) -> Mapping[str, object]:
    return {
        "switchboard": entry.switchboard,
        "action": entry.action,
        "agent": entry.agent,
        "queue": entry.queue,
        "result": entry.result,
        "acted_at": entry.acted_at,
        "user": entry.subject,
        "detail": entry.detail,
    }


class AnnotationPlace:
    """The annotations of one organisation of Grafana.

    Args:
        url: Grafana's root URL.
        token: of a service account that may write annotations.
        ca_file: authority of its certificate; None: the system's.
    """

    def __init__(self, url: str, token: str, ca_file: str | None = None) -> None:
        self._api = GrafanaApi.from_url(url, credential=token, timeout=TIMEOUT_S)
        if ca_file is not None:
            self._api.client.verify = ca_file

    def send(self, entries: Sequence[Entry]) -> None:
        """Annotate each. Raises as `Delivery` wants; an answer that gets lost may double one."""
        for entry in entries:
            try:
                self._api.annotations.add_annotation(
                    time_from=round(entry.acted_at * 1000), tags=tags_of(entry), text=text_of(entry)
                )
            except GrafanaClientError as error:
                if error.status_code in NOT_OUR_FAULT:
                    raise NotDelivered(str(error)) from None
                raise Refused(str(error)) from None
            except (GrafanaException, OSError) as error:
                raise NotDelivered(str(error) or type(error).__name__) from None


def tags_of(entry: Entry) -> list[str]:
    """``asterpanel``, and ``key:value`` for what the dashboards filter by."""
    named = {
        "switchboard": entry.switchboard,
        "action": entry.action,
        "agent": entry.agent,
        "queue": entry.queue,
        "result": entry.result,
    }
    return ["asterpanel", *(f"{key}:{value}" for key, value in named.items() if value)]


def text_of(entry: Entry) -> str:
    """``Anna: pause 1001 in billing (Lunch): done``; Grafana shows it as HTML, so nothing in it is."""
    whom = f" {entry.agent}" if entry.agent else ""
    where = f" in {entry.queue}" if entry.queue else ""
    detail = f" ({entry.detail})" if entry.detail else ""
    who, what = entry.name or entry.subject, entry.action.replace("_", " ")
    return html.escape(f"{who}: {what}{whom}{where}{detail}: {entry.result.replace('_', ' ')}", quote=False)
