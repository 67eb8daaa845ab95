"""What HTTP and JSON leave open, and readers take differently, is refused here."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from flask import Request, request
from werkzeug.exceptions import RequestEntityTooLarge

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.slow_clients import has_arrived

_NOT_IN_A_TARGET: Final = re.compile(r"[^\x21-\x7e\x80-\xff]")


def check_target() -> None:
    """Before a request: its target, as it came, must be one.

    gunicorn leaves out a CR or tab in the middle of it (`urllib.parse.urlsplit`), and what is left could be
    another agent's name.

    Raises:
        ApiError: `INVALID_REQUEST`.
    """
    if _NOT_IN_A_TARGET.search(request.environ.get("RAW_URI", "")):
        raise ApiError(ErrorId.INVALID_REQUEST, "the path must not contain a control character or blank")


class JsonRequest(Request):
    """A request whose body is one JSON object in UTF-8, as long as was said, without keys that come twice
    and without NaN (RFC 8259, RFC 7493)."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body's object. The arguments are Flask's, and have no effect.

        Raises:
            ApiError: `INVALID_REQUEST`.
            RequestEntityTooLarge: it is longer than `max_content_length`.
        """
        try:
            data = self.get_data()
        except OSError:  # the connection ended
            raise _invalid("it did not come whole") from None
        has_arrived(request.environ)
        if self.content_length is None:
            if len(data) == self.max_content_length:  # Werkzeug cuts off what came in chunks
                raise RequestEntityTooLarge
        elif self.content_length != len(data):  # gunicorn takes the connection's end for the body's
            raise _invalid("it is not as long as Content-Length says")
        try:
            body = json.loads(data.decode(), object_pairs_hook=_each_once, parse_constant=_no_number)
        except RecursionError:
            raise _invalid("it is nested too deeply") from None
        except ValueError as error:
            raise _invalid(str(error)) from None
        if not isinstance(body, dict):
            raise _invalid("it is no object")
        return body


def _invalid(problem: str) -> ApiError:
    return ApiError(
        ErrorId.INVALID_REQUEST,
        f"the body must be a JSON object: {problem}",
        problems=[{"where": "", "message": problem}],
    )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
