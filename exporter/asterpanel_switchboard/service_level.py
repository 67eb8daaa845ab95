"""The seven formulas that call centres mean by "service level"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class ServiceLevelSums:
    """Numbers of calls of an interval, each call against the threshold T that applied to it.

    Attributes:
        answered: A.
        answered_within: A≤T.
        abandoned: B, short abandons included.
        abandoned_within: B≤T.
        short_abandoned: S: the caller left before the configured minimum.
        flowed_out: F: neither answered nor abandoned.
    """

    answered: int = 0
    answered_within: int = 0
    abandoned: int = 0
    abandoned_within: int = 0
    short_abandoned: int = 0
    flowed_out: int = 0

    @property
    def abandoned_late(self) -> int:
        """B>T."""
        return self.abandoned - self.abandoned_within

    @property
    def offered(self) -> int:
        """Every caller who entered, or was refused entry."""
        return self.answered + self.abandoned + self.flowed_out

    def add(self, other: ServiceLevelSums) -> None:
        """Another queue's or interval's calls."""
        self.answered += other.answered
        self.answered_within += other.answered_within
        self.abandoned += other.abandoned
        self.abandoned_within += other.abandoned_within
        self.short_abandoned += other.short_abandoned
        self.flowed_out += other.flowed_out


@dataclass(frozen=True, slots=True)
class Formula:
    """One of the seven. Calling it gives the share of 0 to 1, or None where there is nothing to divide by.

    Attributes:
        number: in `FORMULAS` and on the command line.
        name: the same, as a word.
        symbols: as it is written down.
        words: what it says.
        used_by: where it is met.
    """

    number: int
    name: str
    symbols: str
    words: str
    used_by: str
    good: Callable[[ServiceLevelSums], int]
    counted: Callable[[ServiceLevelSums], int]

    def __call__(self, sums: ServiceLevelSums) -> float | None:
        counted = self.counted(sums)
        return self.good(sums) / counted if counted else None


def _answered_within(sums: ServiceLevelSums) -> int:
    return sums.answered_within


FORMULAS: Final = (
    Formula(
        1, "asterisk", "A≤T / A",
        "answered within T, of all answered",
        "Asterisk's ServicelevelPerf, Wazo, VICIdial, AT&T CMS",
        _answered_within, lambda sums: sums.answered,
    ),
    Formula(
        2, "asterisk2", "(A≤T + B≤T) / (A+B)",
        "answered or abandoned within T, of all answered and abandoned",
        "Asterisk's ServicelevelPerf2",
        lambda sums: sums.answered_within + sums.abandoned_within,
        lambda sums: sums.answered + sums.abandoned,
    ),
    Formula(
        3, "abandons", "A≤T / (A+B)",
        "answered within T, of all answered and abandoned",
        "Genesys, base form",
        _answered_within, lambda sums: sums.answered + sums.abandoned,
    ),
    Formula(
        4, "no-short-abandons", "A≤T / (A+B−S)",
        "answered within T, of all answered and abandoned but short abandons",
        "Genesys with short abandons off; our default",
        _answered_within, lambda sums: sums.answered + sums.abandoned - sums.short_abandoned,
    ),
    Formula(
        5, "flow-outs", "A≤T / (A+B+F)",
        "answered within T, of all answered, abandoned and flowed out",
        "Genesys with flow-outs, NewVoiceMedia; here the same as 7, as callers refused entry are flow-outs",
        _answered_within, lambda sums: sums.answered + sums.abandoned + sums.flowed_out,
    ),
    Formula(
        6, "late-abandons", "A≤T / (A + B>T)",
        "answered within T, of all answered and those abandoned after T",
        "XCALLY",
        _answered_within, lambda sums: sums.answered + sums.abandoned_late,
    ),
    Formula(
        7, "offered", "A≤T / offered",
        "answered within T, of all offered",
        "NethVoice, workforce management",
        _answered_within, lambda sums: sums.offered,
    ),
)  # fmt: skip

DEFAULT_FORMULA: Final = FORMULAS[3]


def formula_of(text: str) -> Formula:
    """By its number or name.

    Raises:
        ValueError: there is none of that number or name.
    """
    for formula in FORMULAS:
        if text in (str(formula.number), formula.name):
            return formula
    known = ", ".join(f"{formula.number} ({formula.name})" for formula in FORMULAS)
    raise ValueError(f"there is no formula {text!r}; there are: {known}")
