"""What people see of the live state, for as long as they read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asterpanel_control_api.access.filtering import CommonViews, FilteredBoard, filtered
from asterpanel_control_api.access.profiles import Profiles
from asterpanel_control_api.access.scope import Scope
from asterpanel_control_api.errors import ApiError
from asterpanel_control_api.live.event_stream import Check
from asterpanel_control_api.live.shared_view import Sight
from asterpanel_control_api.people import Person
from asterpanel_control_api.services import Services
from asterpanel_switchboard.merge_patch import Document


class Sights:
    """Makes the checks of streams, and shares what their readers have in common."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._common = CommonViews(services.config.targets_for, services.config.dashboards.formula)

    def filtered(self, scope: Scope, document: Mapping[str, Any]) -> Document:
        """What is in sight of one document."""
        return filtered(scope, document, self._common)

    def check(self, who: Person, switchboard: str) -> Check:
        """What somebody may see of a switchboard, whenever it is called; None: nothing any more.

        Profiles are looked through only when others are in force.
        """
        known: tuple[Profiles, Sight | None] | None = None

        def now() -> Sight | None:
            nonlocal known
            if not self._is_still_proven(who):
                return None
            profiles = self._services.profiles.current()
            if known is None or known[0] is not profiles:
                known = (profiles, self._sight(who, switchboard))
            return known[1]

        return now

    def _is_still_proven(self, who: Person) -> bool:
        """A program's token can be revoked or expire meanwhile."""
        return who.grant is None or self._services.authenticator.holds(who.grant)

    def _sight(self, who: Person, switchboard: str) -> Sight | None:
        try:
            scope = self._services.viewpoint(who).scope(switchboard)
        except ApiError:
            return None
        return Sight(key=scope, new_filter=lambda: FilteredBoard(scope, self._common).view)
