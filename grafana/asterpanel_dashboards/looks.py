"""Colours, words and other properties of what panels show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.models import dashboard

from asterpanel_exporter.catalogue import AGENT_STATE_CODES
from asterpanel_exporter.state import AgentState
from asterpanel_switchboard.config.targets import Levels

GREEN: Final = "green"
YELLOW: Final = "#EAB839"
RED: Final = "red"
NO_COLOUR: Final = "transparent"

STATE_LOOKS: Final[Mapping[AgentState, tuple[str, str]]] = {
    AgentState.UNAVAILABLE: ("Unavailable", "#7B7B7B"),
    AgentState.IDLE: ("Idle", "green"),
    AgentState.RINGING: ("Ringing", "orange"),
    AgentState.ON_CALL: ("On call", "blue"),
    AgentState.ON_HOLD: ("On hold", "purple"),
    AgentState.WRAPUP: ("Wrap-up", "#37A2A2"),
    AgentState.PAUSED: ("Paused", YELLOW),
}
"""Words and colour of each state; the words are always there, so that no colour is needed."""


def thresholds(levels: Levels) -> dashboard_builders.ThresholdsConfig:
    """Green, yellow and red from these levels; no colour where there is no figure."""
    below, middle, above = GREEN, YELLOW, RED
    first, second = levels.warning, levels.critical
    if levels.higher_is_better:
        below, above = RED, GREEN
        first, second = levels.critical, levels.warning
    return _coloured_from([(None, NO_COLOUR), (0.0, below), (first, middle), (second, above)])


def no_colours() -> dashboard_builders.ThresholdsConfig:
    """Of a panel whose figures have colours of their own: what it says when empty has none."""
    return _coloured_from([(None, NO_COLOUR)])


def _coloured_from(steps: Sequence[tuple[float | None, str]]) -> dashboard_builders.ThresholdsConfig:
    return (
        dashboard_builders.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=color) for value, color in steps])
    )


def agent_states() -> dashboard.ValueMapping:
    """The codes of ``asterisk_agent_state`` as words."""
    return words({str(code): STATE_LOOKS[state] for state, code in AGENT_STATE_CODES.items()})


def override(**properties: object) -> list[dashboard.DynamicConfigValue]:
    """Properties of one column; ``__`` in a name stands for a dot."""
    return [
        dashboard.DynamicConfigValue(id_val=name.replace("__", "."), value=value)
        for name, value in properties.items()
    ]


def in_words(words: str, colour: str = "text") -> dashboard.ValueMapping:
    """These words where there is no figure; it would have the colour of the smallest figures."""
    return dashboard.SpecialValueMap(
        dashboard.DashboardSpecialValueMapOptions(
            match=dashboard.SpecialValueMatch.NULL_AND_NAN,
            result=dashboard.ValueMappingResult(text=words, color=colour, index=0),
        )
    )


EMPTY_CELL: Final = in_words("–", "transparent")
"""Of a table whose cells have colours."""


FILLED: Final = {"type": "color-background", "mode": "basic"}
"""A cell with its colour behind it."""


def coloured(levels: Levels) -> list[dashboard.DynamicConfigValue]:
    """A column whose cells are green, yellow and red, and have no colour where there is no figure."""
    return override(thresholds=thresholds(levels).build(), custom__cellOptions=FILLED)


def state_words(mapping: dashboard.ValueMapping) -> list[dashboard.DynamicConfigValue]:
    """A column whose codes are shown as words, with their colours behind them."""
    return override(mappings=[mapping], custom__cellOptions=FILLED, custom__align="left")


def leading_to(**links: str) -> list[dashboard.DynamicConfigValue]:
    """A column whose cells lead somewhere: URL by title, ``_`` in it for a blank."""
    return override(links=[{"title": title.replace("_", " "), "url": url} for title, url in links.items()])


def fixed(colour: str) -> list[dashboard.DynamicConfigValue]:
    """A figure with one colour, whatever its value."""
    return override(color={"mode": "fixed", "fixedColor": colour})


def words(looks: Mapping[str, tuple[str, str]]) -> dashboard.ValueMapping:
    """Words and a colour in place of values; the words are always there, so that no colour is needed."""
    return dashboard.ValueMap(
        {
            value: dashboard.ValueMappingResult(text=text, color=colour or None, index=place)
            for place, (value, (text, colour)) in enumerate(looks.items())
        }
    )


def dash(colour: str | None = None) -> list[dashboard.ValueMapping]:
    """A dash in cells with nothing in them, where the table itself says something else when empty."""
    return [
        dashboard.SpecialValueMap(
            dashboard.DashboardSpecialValueMapOptions(
                match, dashboard.ValueMappingResult(text="–", color=colour)
            )
        )
        for match in (dashboard.SpecialValueMatch.NULL, dashboard.SpecialValueMatch.EMPTY)
    ]


def change(more_is_better: bool | None) -> list[dashboard.DynamicConfigValue]:
    """A difference: green if it is for the better, red if for the worse. None: neither is."""
    if more_is_better is None:
        return fixed("text")
    below, above = (RED, GREEN) if more_is_better else (GREEN, RED)
    steps = [{"value": None, "color": below}, {"value": 0, "color": "text"}, {"value": 1e-9, "color": above}]
    return override(thresholds={"mode": "absolute", "steps": steps}, color={"mode": "thresholds"})


def shaded(colour: str) -> list[dashboard.DynamicConfigValue]:
    """A column of shares of 0 to 1 as bars in the cells."""
    cell = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
    return [*fixed(colour), *override(custom__cellOptions=cell, min=0, max=1)]


def text_coloured(colour: str) -> list[dashboard.DynamicConfigValue]:
    """A column whose numbers have one colour."""
    return [*fixed(colour), *override(custom__cellOptions={"type": "color-text"})]


SHADES_OF_BLUE: Final = override(
    color={"mode": "continuous-blues"}, custom__cellOptions=FILLED, mappings=[EMPTY_CELL]
)
"""The darker, the more."""


NONE_IS_0: Final = dashboard.ValueMap({"0": dashboard.ValueMappingResult(text="–", index=0)})
"""For a quotient that InfluxDB answers with 0, as there is nothing to divide by."""
