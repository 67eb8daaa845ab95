"""What is allowed in a configuration, and probably not meant."""

from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from asterpanel_switchboard.config.control_warnings import control_warnings
from asterpanel_switchboard.config.models import Config, SwitchboardConfig
from asterpanel_switchboard.config.secrets import file_warnings
from asterpanel_switchboard.config.services import Service
from asterpanel_switchboard.config.storage import InfluxConfig, JournalConfig
from asterpanel_switchboard.config.values import did_you_mean, is_loopback

MIN_TOKEN_CHARS = 16


def warnings_of(config: Config, for_service: Service = Service.EXPORTER) -> list[str]:
    """One sentence for each doubtful thing that this service is concerned with; none holds a secret."""
    if for_service is Service.CONTROL_API:
        return [
            *(warning for board in config.switchboards.values() for warning in _tls_warnings(board)),
            *control_warnings(config),
        ]
    return [
        *_exporter_warnings(config),
        *_rule_warnings(config),
        *(warning for board in config.switchboards.values() for warning in _switchboard_warnings(board)),
        *_shared_address_warnings(config),
        *_journal_warnings(config.journal),
        *(_influx_warnings(config, config.influxdb) if config.influxdb is not None else ()),
    ]


def _exporter_warnings(config: Config) -> Iterator[str]:
    exporter = config.exporter
    yield from file_warnings("exporter.state_token_file", exporter.state_token_file)
    if exporter.state_token is not None and len(exporter.state_token.get_secret_value()) < MIN_TOKEN_CHARS:
        yield f"exporter: the state token has fewer than {MIN_TOKEN_CHARS} characters and can be guessed"
    if exporter.state_token is not None and not exporter.listen.is_loopback:
        yield (
            f"exporter.listen is {exporter.listen}: the state token and callers' numbers cross the network "
            "unencrypted; put a proxy with TLS before it"
        )


def _rule_warnings(config: Config) -> Iterator[str]:
    of_queues = [rule.switchboards for rule in config.queue_settings]
    of_targets = [rule.switchboards for rule in config.targets]
    for section, entries in (("queue_settings", of_queues), ("targets", of_targets)):
        for index, globs in enumerate(entries):
            for glob in globs:
                if not any(fnmatchcase(name, glob) for name in config.switchboards):
                    yield f"{section}[{index}].switchboards: {glob!r} matches no configured switchboard"


def _switchboard_warnings(board: SwitchboardConfig) -> Iterator[str]:
    yield from file_warnings(f"switchboards.{board.name}.secret_file", board.secret_file)
    yield from _tls_warnings(board)


def _tls_warnings(board: SwitchboardConfig) -> Iterator[str]:
    where = f"switchboards.{board.name}"
    if board.tls is not None and not board.tls.verify:
        yield f"{where}.tls.verify is false: anyone in between can read the secret and fake the switchboard"
    if board.tls is None and board.auth == "plain" and not is_loopback(board.host):
        yield f"{where}: the secret crosses the network unencrypted; use `tls`, or at least `auth: md5`"


def _shared_address_warnings(config: Config) -> Iterator[str]:
    names_by_address: dict[str, list[str]] = defaultdict(list)
    for board in config.switchboards.values():
        names_by_address[board.address].append(board.name)
    for address, names in names_by_address.items():
        if len(names) > 1:
            yield f"switchboards {', '.join(names)} are all at {address}: every call would be counted twice"


def _journal_warnings(journal: JournalConfig) -> Iterator[str]:
    if not journal.path.parent.is_dir():
        yield f"journal.path: the folder {journal.path.parent} does not exist; make it, or set another path"


def _influx_warnings(config: Config, influxdb: InfluxConfig) -> Iterator[str]:
    yield from _influx_transport_warnings(influxdb)
    yield from file_warnings("influxdb.token_file", influxdb.token_file)
    for name, tenant in influxdb.tenants.items():
        where = f"influxdb.tenants.{name}"
        yield from file_warnings(f"{where}.token_file", tenant.token_file)
        if name not in config.tenants:
            yield f"{where}: no switchboard has this tenant{did_you_mean(name, set(config.tenants))}"
    yield from _shared_bucket_warnings(config.tenants, influxdb)


def _influx_transport_warnings(influxdb: InfluxConfig) -> Iterator[str]:
    url = urlsplit(influxdb.url)
    if url.scheme == "https" and not influxdb.verify:
        yield "influxdb.verify is false: anyone in between can read the token and every point"
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        what = "points" if influxdb.auth == "none" else "the token and points"
        yield f"influxdb.url is {influxdb.url}: {what} cross the network unencrypted; use https"


def _shared_bucket_warnings(tenants: tuple[str, ...], influxdb: InfluxConfig) -> Iterator[str]:
    tenants_by_bucket: dict[tuple[str, str], list[str]] = defaultdict(list)
    for tenant in tenants:
        target = influxdb.target_for(tenant)
        tenants_by_bucket[target.org, target.bucket].append(tenant)
    for (_, bucket), names in tenants_by_bucket.items():
        if len(names) > 1:
            yield (
                f"influxdb: tenants {', '.join(names)} share the bucket {bucket}: who may read it sees them "
                "all; put {tenant} into its name"
            )
