"""Values as the report writes them."""

from __future__ import annotations

import pytest

from asterpanel_exporter.report.formatting import csv_value


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "@SUM(1)", "+cmd|x", "-1+1", "+39=1"])
def test_a_name_that_a_spreadsheet_would_run(name: str) -> None:
    assert csv_value(name) == f"'{name}"


@pytest.mark.parametrize("name", ["+39055123", "Anna = Rossi", "390551", "-5", ""])
def test_a_name_that_it_would_not(name: str) -> None:
    assert csv_value(name) == name
