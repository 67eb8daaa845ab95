"""What is wrong with a tenant's InfluxDB, and what to do about it, in words."""

from __future__ import annotations

from typing import Final

from asterpanel_exporter.influx.answers import FailureKind, WriteError
from asterpanel_switchboard.config import InfluxTarget

_PROBLEMS: Final = {
    FailureKind.REFUSED: "InfluxDB at {url} refuses points of tenant {tenant}",
    FailureKind.TOO_LARGE: "InfluxDB at {url} refuses requests of tenant {tenant} for their size",
    FailureKind.DENIED: "InfluxDB at {url} does not let tenant {tenant} write to the bucket {bucket}; check "
    "its token, or have `asterpanel-exporter influx setup` make one, and restart the exporter",
    FailureKind.NOT_FOUND: "InfluxDB at {url} has no bucket {bucket} in the organisation {org} for tenant "
    "{tenant}; `asterpanel-exporter influx setup` makes it",
    FailureKind.UNEXPECTED: "what answers at {url} for tenant {tenant} is no InfluxDB of 1.8 or later; check "
    "influxdb.url",
    FailureKind.TLS: "the TLS connection to {url} for tenant {tenant} fails; check influxdb.url and "
    "influxdb.ca_file",
    FailureKind.BUSY: "InfluxDB at {url} asks tenant {tenant} to wait",
    FailureKind.SERVER_ERROR: "InfluxDB at {url} fails to take the points of tenant {tenant}",
    FailureKind.TIMEOUT: "InfluxDB at {url} does not answer tenant {tenant}",
    FailureKind.CONNECTION: "InfluxDB at {url} cannot be reached for tenant {tenant}",
    FailureKind.JOURNAL: "the journal cannot be used to deliver the points of tenant {tenant}",
    FailureKind.INTERNAL: "delivering the points of tenant {tenant} has failed; this is a bug of Asterpanel, "
    "please report it",
}


def problem(target: InfluxTarget, error: WriteError) -> str:
    """What is wrong and what to do about it, in one sentence."""
    what = _PROBLEMS[error.kind].format(
        url=target.url, tenant=target.tenant, org=target.org, bucket=target.bucket
    )
    return f"{what} ({error.summary})"
