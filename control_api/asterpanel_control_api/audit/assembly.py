"""The audit as the configuration wants it."""

from __future__ import annotations

from collections.abc import Mapping

from asterpanel_control_api.audit.audit import Audit
from asterpanel_control_api.audit.delivery import Delivery, DeliverySettings
from asterpanel_control_api.audit.places import AnnotationPlace, JournalPlace
from asterpanel_control_api.live.boards import Boards
from asterpanel_control_api.live.exporter_client import ExporterClient
from asterpanel_switchboard.config.control import ControlApiConfig, ControlGrafana

JOURNAL = DeliverySettings(max_waiting=10_000, at_once=50, keep_trying_s=6 * 3600.0)
ANNOTATIONS = DeliverySettings(max_waiting=1000, at_once=1, keep_trying_s=600.0)
"""One at a time: Grafana does not know an annotation again, and of several some would be doubled."""


def make_audit(
    config: ControlApiConfig, exporter: ExporterClient, boards: Boards, tenants: Mapping[str, str]
) -> Audit:
    """The log, the exporter's journal, and the annotations of each tenant that has a token for them.

    Args:
        tenants: whose each switchboard is.
    """
    annotations = {
        name: Delivery(f"grafana of {name}", _annotations(tenant.grafana).send, ANNOTATIONS)
        for name, tenant in config.tenants.items()
        if tenant.grafana.annotation_token is not None
    }
    return Audit(boards, tenants, Delivery("exporter", JournalPlace(exporter).send, JOURNAL), annotations)


def _annotations(grafana: ControlGrafana) -> AnnotationPlace:
    token = grafana.annotation_token
    ca_file = grafana.ca_file
    return AnnotationPlace(
        grafana.url,
        "" if token is None else token.get_secret_value(),
        None if ca_file is None else str(ca_file),
    )
