"""What has begun, as the journal keeps it."""

from __future__ import annotations

import json
from typing import Final

encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON in one short line. (`json.dumps` makes an encoder a call, unless it writes as by default.)"""
