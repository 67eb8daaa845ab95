"""One line of a queue_log: every event, every dialect, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome
from asterpanel_exporter.queue_log.entries import (
    Completed,
    Connected,
    Entered,
    Entry,
    Ignored,
    Left,
    MemberChanged,
    PauseChanged,
    Rang,
    Started,
)
from asterpanel_exporter.queue_log.parsing import MalformedLine, parse_line

AT = 1795391410
ID = "1795391409.11"


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("NONE|ENTERQUEUE||390551001|2", Entered(AT, ID, "vip", "390551001", "", 2)),
        (
            "NONE|ENTERQUEUE|http://x/|390551001|1|Anna Rossi",
            Entered(AT, ID, "vip", "390551001", "Anna Rossi", 1),
        ),
        ("NONE|ENTERQUEUE|||1|", Entered(AT, ID, "vip", "", "", 1)),
        ("NONE|ENTERQUEUE||39|05x|3", Entered(AT, ID, "vip", "39|05x", "", 3)),
        ("Bob|CONNECT|13|1795392238.5|2", Connected(AT, ID, "vip", "Bob", 13, "1795392238.5", 2)),
        ("Bob|COMPLETECALLER|13|6|1", Completed(AT, ID, "vip", "Bob", EndedBy.CALLER, 13, 6, 1, "")),
        ("Bob|COMPLETEAGENT|13|6|1", Completed(AT, ID, "vip", "Bob", EndedBy.AGENT, 13, 6, 1, "")),
        (
            "Bob|BLINDTRANSFER|7000|queues|2|5|1",
            Completed(AT, ID, "vip", "Bob", EndedBy.BLIND_TRANSFER, 2, 5, 1, "7000"),
        ),
        (
            "Bob|TRANSFER|7000|queues|2|5|1",
            Completed(AT, ID, "vip", "Bob", EndedBy.BLIND_TRANSFER, 2, 5, 1, "7000"),
        ),
        (
            "Bob|ATTENDEDTRANSFER|BRIDGE|f88e3d5b-45fd|2|14|1",
            Completed(AT, ID, "vip", "Bob", EndedBy.ATTENDED_TRANSFER, 2, 14, 1, ""),
        ),
        (
            "Bob|ATTENDEDTRANSFER|LINK|Local/1@x-0001;1|Local/1@x-0001;2|2|14|1",
            Completed(AT, ID, "vip", "Bob", EndedBy.ATTENDED_TRANSFER, 2, 14, 1, ""),
        ),
        ("NONE|ABANDON|2|3|50", Left(AT, ID, "vip", "", Outcome.ABANDONED, 2, 3, 50)),
        ("NONE|ABANDON|1|1|-4", Left(AT, ID, "vip", "", Outcome.ABANDONED, 1, 1, 0)),
        ("Bob|ABANDON|1|1|9", Left(AT, ID, "vip", "Bob", Outcome.ABANDONED, 1, 1, 9)),
        ("NONE|EXITWITHTIMEOUT|1|1|8", Left(AT, ID, "vip", "", Outcome.TIMEOUT, 1, 1, 8)),
        ("NONE|EXITEMPTY|1|2|10", Left(AT, ID, "vip", "", Outcome.LEAVE_EMPTY, 1, 2, 10)),
        ("NONE|EXITWITHKEY|#|1|2|4", Left(AT, ID, "vip", "", Outcome.EXIT_KEY, 1, 2, 4)),
        ("NONE|WITHDRAW|1|1|4|a|b", Left(AT, ID, "vip", "", Outcome.WITHDRAWN, 1, 1, 4)),
        ("NONE|WITHDRAW|1|1|4|", Left(AT, ID, "vip", "", Outcome.WITHDRAWN, 1, 1, 4)),
        ("Bob|SYSCOMPAT|", Left(AT, ID, "vip", "Bob", Outcome.ABANDONED, 0, 0, None)),
        ("Bob|RINGNOANSWER|10000", Rang(AT, ID, "vip", "Bob", AttemptResult.NO_ANSWER, 10.0)),
        ("Bob|RINGNOANSWER|0", Rang(AT, ID, "vip", "Bob", AttemptResult.REJECTED, 0.0)),
        ("Bob|RINGCANCELED|3703", Rang(AT, ID, "vip", "Bob", AttemptResult.CANCELLED, 3.703)),
        ("Bob|AGENTDUMP|", Rang(AT, ID, "vip", "Bob", AttemptResult.ANSWERED, None)),
        ("Bob|ADDMEMBER|", MemberChanged(AT, "vip", "Bob", True, False)),
        ("Bob|ADDMEMBER|PAUSED", MemberChanged(AT, "vip", "Bob", True, True)),
        ("Bob|REMOVEMEMBER|", MemberChanged(AT, "vip", "Bob", False, False)),
        ("Bob|PAUSE|lunch|late", PauseChanged(AT, "vip", "Bob", True, "lunch|late")),
        ("Bob|UNPAUSE|", PauseChanged(AT, "vip", "Bob", False, "")),
        ("Bob|PAUSEALL|lunch", PauseChanged(AT, "", "Bob", True, "lunch")),
        ("Bob|UNPAUSEALL|", PauseChanged(AT, "", "Bob", False, "")),
        ("NONE|QUEUESTART|", Started(AT)),
        ("PJSIP/1004|PENALTY|5", Ignored(AT, "PENALTY")),
        ("PJSIP/1004|CUSTOM|a|b|c", Ignored(AT, "CUSTOM")),
        # A bar in the agent's name: columns are found where an event fits its numbers.
        ("Bob|sales|CONNECT|13|1795392238.5|2", Connected(AT, ID, "vip", "Bob|sales", 13, "1795392238.5", 2)),
        ("Bob|sales|PAUSE|lunch", Ignored(AT, "sales")),
        ("Bob|NOTE|CONNECT|soon", Ignored(AT, "NOTE")),
    ],
)
def test_events(line: str, entry: Entry) -> None:
    assert parse_line(f"{AT}|{ID}|vip|{line}") == entry


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "found 1 columns"),
        ("noise", "found 1 columns"),
        (f"{AT}|{ID}|vip|Bob", "found 4 columns"),
        (f"x|{ID}|vip|NONE|ENTERQUEUE||39|1", "Unix seconds"),
        (f"12|{ID}|vip|NONE|ENTERQUEUE||39|1", "Unix seconds"),
        (f"{10**30}|{ID}|vip|NONE|ENTERQUEUE||39|1", "Unix seconds"),
        (f"{AT}|{ID}|vip|NONE|ENTERQUEUE||39", "ENTERQUEUE: expected url|number|position"),
        (f"{AT}||vip|NONE|ENTERQUEUE||39|1", "ENTERQUEUE"),
        (
            f"{AT}|{ID}|vip|Bob|CONNECT|13|1795392238.5",
            "CONNECT: expected seconds waited|uniqueid|seconds rung",
        ),
        (f"{AT}|{ID}|vip|Bob|COMPLETECALLER|13", "COMPLETECALLER: expected seconds waited|seconds talked"),
        (f"{AT}|{ID}|vip|Bob|COMPLETECALLER|13|{10**12}|1", "COMPLETECALLER"),
        (f"{AT}|{ID}|vip|Bob|BLINDTRANSFER|2|5|1", "BLINDTRANSFER: expected extension|context"),
        (f"{AT}|{ID}|vip|NONE|ABANDON|1|1", "ABANDON: expected position|position at the join|seconds waited"),
        (f"{AT}|{ID}|vip|NONE|EXITWITHKEY|1|1|4", "EXITWITHKEY: expected key|position"),
        (f"{AT}|NONE|vip|Bob|AGENTDUMP|", "AGENTDUMP: expected a callid and a queue"),
        (f"{AT}|{ID}|vip|Bob|PAUSE|{'x' * 9000}", "longer than 8192"),
    ],
)
def test_malformed(line: str, expected: str) -> None:
    with pytest.raises(MalformedLine) as caught:
        parse_line(line)
    assert expected in str(caught.value)


def test_zero_bytes_that_a_crash_left_before_a_line() -> None:
    assert parse_line(f"\0\0\0{AT}|NONE|NONE|NONE|QUEUESTART|") == Started(AT)


_EVENTS = st.sampled_from(
    [
        *(
            "ENTERQUEUE",
            "CONNECT",
            "COMPLETEAGENT",
            "BLINDTRANSFER",
            "ATTENDEDTRANSFER",
            "ABANDON",
            "SYSCOMPAT",
        ),
        *(
            "EXITWITHKEY",
            "WITHDRAW",
            "RINGNOANSWER",
            "AGENTDUMP",
            "ADDMEMBER",
            "PAUSE",
            "QUEUESTART",
            "SURVEY",
        ),
    ]
)
_COLUMN = st.one_of(st.integers(-5, 20).map(str), st.text(st.characters(exclude_characters="\n"), max_size=8))
_COLUMNS = st.lists(_COLUMN, max_size=5)
_NEARLY = st.builds(
    lambda before, event, data: "|".join([str(AT), *before, event, *data]), _COLUMNS, _EVENTS, _COLUMNS
)


@given(st.one_of(st.text(), _NEARLY))
def test_every_line_is_an_entry_or_malformed(line: str) -> None:
    try:
        entry = parse_line(line)
    except MalformedLine:
        return
    assert entry.at > 0
