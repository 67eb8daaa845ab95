"""Everything that a running control API consists of, begun and ended together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from asterpanel_control_api.access.reloading import ProfilesFile
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_control_api.audit.assembly import make_audit
from asterpanel_control_api.audit.audit import Audit
from asterpanel_control_api.identity.authentication import Authenticator
from asterpanel_control_api.identity.tokens import Tokens
from asterpanel_control_api.live.boards import Boards
from asterpanel_control_api.live.event_stream import EndReason
from asterpanel_control_api.live.exporter_client import ExporterClient
from asterpanel_control_api.live.subscribers import Subscribers
from asterpanel_control_api.metrics import Metrics
from asterpanel_control_api.people import Person
from asterpanel_control_api.switchboards.bridge import Bridge, control_logins
from asterpanel_control_api.switchboards.operations import Operations, agent_rules
from asterpanel_switchboard.config import Config, ControlApiConfig
from asterpanel_switchboard.session import SessionState


@dataclass(frozen=True, slots=True)
class Services:
    """The parts. Threads begin with `start`, so not before a fork."""

    config: Config
    settings: ControlApiConfig
    authenticator: Authenticator
    profiles: ProfilesFile
    boards: Boards
    exporter: ExporterClient
    subscribers: Subscribers
    bridge: Bridge
    operations: Operations
    audit: Audit
    metrics: Metrics

    @classmethod
    def from_config(cls, config: Config) -> Services:
        """The parts as configured; nothing runs yet.

        Raises:
            ConfigError: the profiles cannot be used.
            ValueError: the configuration has no section `control_api`.
        """
        settings = config.control_api
        if settings is None:
            raise ValueError("the configuration has no section control_api: add it")
        boards = Boards()
        exporter = ExporterClient(settings.exporter_url, settings.exporter_token, boards)
        bridge = Bridge(control_logins(config))
        return cls(
            config=config,
            settings=settings,
            authenticator=Authenticator(settings, Tokens(settings.tokens_file, time.time)),
            profiles=ProfilesFile(settings.profiles_file),
            boards=boards,
            exporter=exporter,
            subscribers=Subscribers(boards),
            bridge=bridge,
            operations=Operations(bridge, boards, agent_rules(config), settings.action_timeout),
            audit=make_audit(settings, exporter, boards, config.tenant_of),
            metrics=Metrics(),
        )

    def observe(self) -> None:
        """Let the metrics show the state of the parts."""
        gauge, gauges = self.metrics.gauge, self.metrics.gauges
        gauge(
            "asterpanel_control_exporter_up",
            "1 if the live state comes from the exporter.",
            lambda: self.exporter.connected,
        )
        gauges(
            "asterpanel_control_switchboards",
            "Switchboards by the state of the control user's connection. The log tells which; here, where "
            "every tenant's people might come, there are no names.",
            "state",
            {state.value: partial(self._switchboards, state) for state in SessionState},
        )
        gauge(
            "asterpanel_control_streams",
            "Open streams.",
            lambda: float(len(list(self.subscribers.streams()))),
        )
        self.metrics.counters(
            "asterpanel_control_streams_ended",
            "Streams that have ended, by reason.",
            "reason",
            lambda: {reason.value: self.subscribers.ended[reason] for reason in EndReason},
        )
        gauge(
            "asterpanel_control_profiles_current",
            "1 if the profiles in force are those of the file; 0: the file is broken, the old ones stay.",
            lambda: self.profiles.is_current,
        )
        gauge(
            "asterpanel_control_audit_waiting",
            "Audit entries that are to be delivered to the exporter and to Grafana.",
            lambda: sum(delivery.waiting for delivery in self.audit.deliveries),
        )
        gauge(
            "asterpanel_control_audit_lost",
            "Audit entries given up since the start, but for the log, which has all. Stays 0.",
            lambda: sum(delivery.lost.total() for delivery in self.audit.deliveries),
        )

    def _switchboards(self, state: SessionState) -> float:
        return sum(connection.state is state for connection in self.bridge.connections().values())

    def start(self) -> None:
        """Begin to connect to the exporter and to the switchboards; waits for none of them."""
        self.profiles.on_reload(self.subscribers.recheck)
        self.exporter.start()
        self.subscribers.start()
        self.audit.start()
        self.bridge.start()

    def stop(self) -> None:
        """End the streams, finish what is under way and close all connections."""
        self.subscribers.close()
        self.bridge.stop()
        self.audit.close()
        self.exporter.stop()

    def viewpoint(self, person: Person) -> Viewpoint:
        """What a person may see and do, by the profiles as they are now."""
        return Viewpoint(person, self.profiles.current(), self.config.switchboards_of(person.tenant))
