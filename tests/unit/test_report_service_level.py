"""The seven formulas of the service level."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_switchboard.service_level import FORMULAS, ServiceLevelSums, formula_of

SUMS = ServiceLevelSums(
    answered=80, answered_within=60, abandoned=16, abandoned_within=6, short_abandoned=4, flowed_out=24
)


@pytest.mark.parametrize(
    ("number", "share"),
    [(1, 60 / 80), (2, 66 / 96), (3, 60 / 96), (4, 60 / 92), (5, 60 / 120), (6, 60 / 90), (7, 60 / 120)],
)
def test_each_formula_computed_by_hand(number: int, share: float) -> None:
    assert formula_of(str(number))(SUMS) == share


def test_formulas_are_found_by_number_and_by_name() -> None:
    assert [formula.number for formula in FORMULAS] == [1, 2, 3, 4, 5, 6, 7]
    assert all(formula_of(formula.name) is formula for formula in FORMULAS)
    with pytest.raises(ValueError, match=r"no formula '8'; there are: 1 \(asterisk\), 2 \(asterisk2\)"):
        formula_of("8")


def test_no_calls_have_no_service_level() -> None:
    assert [formula(ServiceLevelSums()) for formula in FORMULAS] == [None] * 7


@dataclass(frozen=True)
class Call:
    kind: str
    wait_s: float
    threshold_s: float
    is_short: bool = False


def sums_of(calls: list[Call]) -> ServiceLevelSums:
    sums = ServiceLevelSums()
    for call in calls:
        within = int(call.wait_s <= call.threshold_s)
        match call.kind:
            case "answered":
                sums.add(ServiceLevelSums(answered=1, answered_within=within))
            case "abandoned":
                short = int(call.is_short)
                sums.add(ServiceLevelSums(abandoned=1, abandoned_within=within, short_abandoned=short))
            case _:
                sums.add(ServiceLevelSums(flowed_out=1))
    return sums


def by_brute_force(number: int, calls: list[Call]) -> float | None:
    """Which calls are good, and which count, told call by call."""

    def is_good(call: Call) -> bool:
        good_kinds = ("answered", "abandoned") if number == 2 else ("answered",)
        return call.kind in good_kinds and call.wait_s <= call.threshold_s

    def counts(call: Call) -> bool:
        match call.kind:
            case "answered":
                return True
            case "abandoned":
                late = call.wait_s > call.threshold_s
                return {1: False, 4: not call.is_short, 6: late}.get(number, True)
            case _:
                return number in (5, 7)

    counted = [call for call in calls if counts(call)]
    return sum(map(is_good, calls)) / len(counted) if counted else None


CALLS = st.lists(
    st.builds(
        Call,
        st.sampled_from(["answered", "abandoned", "flowed out"]),
        st.floats(0, 60),
        st.sampled_from([10.0, 20.0, 30.0]),
        st.booleans(),
    )
)


@given(CALLS)
def test_formulas_agree_with_the_list_of_calls_and_are_shares(calls: list[Call]) -> None:
    sums = sums_of(calls)
    for formula in FORMULAS:
        share = formula(sums)
        assert share == by_brute_force(formula.number, calls)
        assert share is None or 0 <= share <= 1
