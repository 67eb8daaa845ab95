"""The command `asterpanel-exporter`. Each command imports what it needs when it runs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import click
from click.core import ParameterSource

from asterpanel_exporter.cli_support import EXIT_CODES, LazyGroup, configuration
from asterpanel_switchboard.command_line import config_option
from asterpanel_switchboard.config import Config, warnings_of

if TYPE_CHECKING:
    from asterpanel_exporter.live import LiveSwitchboard

_T = TypeVar("_T")


@click.group(
    cls=LazyGroup,
    elsewhere={
        "import-queue-log": "asterpanel_exporter.queue_log.commands:import_queue_log",
        "influx": "asterpanel_exporter.influx.commands:influx",
        "journal": "asterpanel_exporter.journal.commands:journal",
        "report": "asterpanel_exporter.report.commands:report",
        "rollup": "asterpanel_exporter.rollup.commands:rollup",
    },
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"""
\b
Examples:
  asterpanel-exporter check
  asterpanel-exporter --config /etc/asterpanel/asterpanel.yml check
{EXIT_CODES}
asterpanel.example.yml documents every key of the configuration.
""",
)
@config_option()
@click.version_option(version("asterpanel"), prog_name="asterpanel-exporter")
@click.pass_context
def main(context: click.Context, config_path: Path) -> None:
    """Exact live state and history of Asterisk call centres, for Prometheus and InfluxDB.

    Connects to the manager interface (AMI) of one or many Asterisk servers, read only, keeps the state of
    their queues, callers and agents, and serves it to Prometheus. Every call, pause and membership that has
    ended goes to a journal on disk, and from there to InfluxDB.
    """
    context.obj = config_path


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter check
  asterpanel-exporter -c /etc/asterpanel/asterpanel.yml check && systemctl restart asterpanel-exporter
{EXIT_CODES}"""
)
@click.pass_context
def check(context: click.Context) -> None:
    """Validate the configuration without connecting anywhere.

    Lists every problem at once, as FILE:LINE:COLUMN: KEY: MESSAGE, on standard error. A valid configuration
    is summed up on standard output; warnings about what is allowed but doubtful do not change the exit code.
    """
    config = configuration(context)
    click.echo(f"{context.obj}: valid")
    click.echo(f"exporter: listens on {config.exporter.listen}, /state {_state_access(config)}")
    for board in config.switchboards.values():
        encryption = "no TLS" if board.tls is None else "TLS" if board.tls.verify else "TLS, not verified"
        click.echo(
            f"switchboard {board.name}: {board.address}, {encryption}, user {board.username}, "
            f"tenant {board.tenant}, {board.time_zone.key}"
        )
    click.echo(f"journal: {config.journal.path}, {_retention(config)}")
    if config.influxdb is None:
        click.echo("influxdb: none, points stay in the journal")
    else:
        for target in map(config.influxdb.target_for, config.tenants):
            click.echo(f"influxdb: tenant {target.tenant} to {target.url}, bucket {target.bucket}")
    for warning in warnings_of(config):
        click.echo(f"warning: {warning}", err=True)


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter run
  asterpanel-exporter -c /etc/asterpanel/asterpanel.yml run
{EXIT_CODES}"""
)
@click.pass_context
def run(context: click.Context) -> None:
    """Watch the switchboards and serve /metrics until stopped (SIGINT, SIGTERM).

    A switchboard that cannot be reached is tried again for ever; the others are not touched by it.
    What is served: /metrics, /healthz, /readyz, the status page at / and, with a token, /state.
    """
    from asterpanel_exporter.journal.opening import JournalError
    from asterpanel_exporter.run import run as run_exporter

    config = configuration(context)
    try:
        run_exporter(config)
    except JournalError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {config.exporter.listen}: {error.strerror or error}; "
            "is another exporter running? exporter.listen sets the address"
        ) from error


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter replay trace.ami --points -
  asterpanel-exporter replay trace.ami --state - --metrics -
  asterpanel-exporter -c asterpanel.yml replay day1.ami.gz day2.ami.xz --switchboard milano --state state.json
{EXIT_CODES}"""
)
@click.argument("traces", nargs=-1, required=True, metavar="TRACE...")
@click.option(
    "--switchboard",
    default="replay",
    show_default=True,
    help="Name to give it; where the configuration has one of that name, its agent identity and queue "
    "settings apply (with --config it must).",
)
@click.option(
    "--points",
    type=click.File("w", encoding="utf-8"),
    help="Write the points here, as line protocol; - for standard output.",
)
@click.option("--metrics", type=click.File("w", encoding="utf-8"), help="Write the metrics here.")
@click.option("--state", type=click.File("w", encoding="utf-8"), help="Write the final state here, as JSON.")
@click.pass_context
def replay(
    context: click.Context,
    traces: tuple[str, ...],
    switchboard: str,
    points: TextIO | None,
    metrics: TextIO | None,
    state: TextIO | None,
) -> None:
    """Feed recorded AMI streams through the same code as a live session.

    TRACE is the raw bytes of a session as received (plain, .gz, .xz, - for standard input), as
    `asterpanel-exporter record` writes them. The clock is that of the events. At the end the clock runs on
    until what is undecided is decided; calls still going on stay open. A summary goes to standard error.
    """
    from asterpanel_exporter.replay import replay_files

    summary = replay_files(
        traces, _replayed(context, switchboard), points=points, metrics=metrics, state=state
    )
    click.echo(summary, err=True)


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter play --loop
  asterpanel-exporter play --demo torino --loop --port 5039
  asterpanel-exporter play milano.ami.gz --port 5039 --speed 10
{EXIT_CODES}"""
)
@click.argument("traces", nargs=-1, metavar="[TRACE]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5038,
    show_default=True,
    help="Port to listen on; 0: any free one.",
)
@click.option(
    "--speed",
    default="1",
    show_default=True,
    metavar="FACTOR|max",
    help="Times the recorded speed; max or 0: as fast as clients read, from the first log-in on.",
)
@click.option(
    "--demo",
    type=click.Choice(["milano", "torino"]),
    help="Which of the recordings that come with Asterpanel to play, without TRACE. Default: milano",
)
@click.option("--loop", is_flag=True, help="Begin again at the end, with new unique ids.")
@click.option("--username", help="Let only this user in. Default: any user with any secret.")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help="File with that user's secret; together with --username.",
)
def play(
    traces: tuple[str, ...],
    host: str,
    port: int,
    speed: str,
    demo: str | None,
    loop: bool,
    username: str | None,
    secret_file: Path | None,
) -> None:
    """Be a switchboard: a manager interface that speaks recordings, shifted to now.

    TRACE is a recording as `asterpanel-exporter record` writes it (plain, .gz, .xz, - for standard input);
    without one, that of the demo switchboard milano (torino with --demo torino), which comes with
    Asterpanel. Several are spoken one after the other. Any number of clients may log in; they can read
    everything and change nothing.
    """
    from asterpanel_exporter import play as player
    from asterpanel_exporter.recording import Recording, read_recording

    if demo is not None and traces:
        raise click.UsageError("--demo is for playing without TRACE")
    factor = _speed(speed) or player.FULL_SPEED
    credentials = _credentials(username, secret_file)
    names = traces or (player.demo_recording(demo or player.DEMO_RECORDINGS[0]),)
    recordings = [Recording.parse(Path(name).name, read_recording(name)) for name in names]
    try:
        player.play(
            recordings,
            host=host,
            port=port,
            speed=factor,
            loop=loop,
            credentials=player.Credentials(*credentials) if credentials else None,
            say=click.echo,
        )
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


def _speed(text: str) -> float:
    """0.0 for full speed."""
    try:
        factor = 0.0 if text == "max" else float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 1e6:
        raise click.BadParameter("must be a number such as 1, 0.5 or 10, or max", param_hint="--speed")
    return factor


def _credentials(username: str | None, secret_file: Path | None) -> tuple[str, str] | None:
    from asterpanel_switchboard.config.secrets import secret_from_file

    if username is None and secret_file is None:
        return None
    if username is None or secret_file is None:
        raise click.UsageError("--username and --secret-file need each other")
    try:
        return username, secret_from_file(secret_file)
    except ValueError as error:
        raise click.BadParameter(f"{secret_file}: {error}", param_hint="--secret-file") from error


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter record --switchboard milano --duration 10m
  asterpanel-exporter record --switchboard milano --output bug.ami.gz --mask-numbers --mask-names
{EXIT_CODES}"""
)
@click.option("--switchboard", help="Which one to record; may be left out if only one is configured.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="New file to write, packed if it ends in .gz. Default: SWITCHBOARD-DATE-TIME.ami.gz",
)
@click.option(
    "--duration",
    help="How long, counted from the first reading of the whole state: seconds, or with s, m, h, as in 10m. "
    "Default: until Ctrl-C.",
)
@click.option("--mask-numbers", is_flag=True, help="Replace callers' numbers and names by made-up ones.")
@click.option("--mask-names", is_flag=True, help="Replace agents' names too; with --mask-numbers.")
@click.pass_context
def record(
    context: click.Context,
    switchboard: str | None,
    output: Path | None,
    duration: str | None,
    mask_numbers: bool,
    mask_names: bool,
) -> None:
    """Record what a switchboard sends, for a bug report, or for replay and play.

    Connects as the exporter would, beside one that runs. Only what is received is written, so no secret is
    in it. With --mask-numbers every number of 5 digits or more and every caller's name is made up anew (the
    same one each time within a recording), and events that the exporter has no use for are left out; the
    extensions of agents and the names of queues stay.
    """
    from datetime import datetime

    from asterpanel_exporter.masking import Masking
    from asterpanel_exporter.record import record_command

    if mask_names and not mask_numbers:
        raise click.UsageError("--mask-names needs --mask-numbers")
    duration_s = _duration(duration)
    config = configuration(context)
    name = _configured(config, switchboard)
    path = output or Path(f"{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.ami.gz")
    masking = Masking(mask_names=mask_names) if mask_numbers else None
    record_command(config, name, path, duration_s=duration_s, masking=masking)


def _duration(text: str | None) -> float | None:
    from asterpanel_switchboard.config.values import parse_duration

    try:
        seconds = None if text is None else parse_duration(float(text) if text.isdecimal() else text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--duration") from error
    if seconds == 0:
        raise click.BadParameter("must be above 0", param_hint="--duration")
    return seconds


def _configured(config: Config, switchboard: str | None) -> str:
    names = ", ".join(config.switchboards)
    if switchboard is None and len(config.switchboards) == 1:
        return names
    if switchboard is None or switchboard not in config.switchboards:
        what = "which one?" if switchboard is None else f"{switchboard!r} is not configured;"
        raise click.BadParameter(f"{what} There are: {names}", param_hint="--switchboard")
    return switchboard


@main.command(
    "manager-conf",
    epilog=f"""
\b
Examples:
  asterpanel-exporter manager-conf --asterisk 20.11 --permit 10.0.0.7 --secret-file secrets/milano
{EXIT_CODES}""",
)
@click.option(
    "--asterisk",
    default="22",
    show_default=True,
    metavar="VERSION",
    help="Version of Asterisk, 13 to 23. The event filters follow from it; with its minor version (20.11) "
    "the cheaper form may be possible.",
)
@click.option("--username", default="asterpanel", show_default=True, help="The exporter's user.")
@click.option(
    "--control-username", default="asterpanel-control", show_default=True, help="The control API's user."
)
@click.option(
    "--permit",
    multiple=True,
    metavar="ADDRESS|CIDR",
    help="From where they may connect; may be given several times. Default: 127.0.0.1",
)
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the exporter's secret; a new one is written to it (mode 0600) if there is none.",
)
@click.option(
    "--control-secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The same for the control API.",
)
def manager_conf(
    asterisk: str,
    username: str,
    control_username: str,
    permit: tuple[str, ...],
    secret_file: Path | None,
    control_secret_file: Path | None,
) -> None:
    """Print the AMI users for Asterisk's manager.conf, ready to paste.

    One for the exporter, which can read and change nothing, with event filters that keep the load on the
    PBX small; one for the control API, which can act on queue members and sees no event. Without
    --secret-file (--control-secret-file) a secret is random, new at every run, and shown nowhere else.
    """
    from asterpanel_exporter import manager_conf as conf

    def checked(parse: Callable[[], _T], option: str) -> _T:
        try:
            return parse()
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint=option) from error

    def secret(path: Path | None, option: str) -> str:
        return conf.new_secret() if path is None else checked(lambda: conf.secret_in(path), option)

    version_ = checked(lambda: conf.Version.parse(asterisk), "--asterisk")
    networks = checked(lambda: tuple(map(conf.parse_network, permit)), "--permit") or conf.DEFAULT_PERMIT
    names = (
        checked(lambda: conf.check_user_name(username), "--username"),
        checked(lambda: conf.check_user_name(control_username), "--control-username"),
    )
    if names[0] == names[1]:
        raise click.UsageError("the two users need two names")
    exporter = conf.AmiUser(names[0], secret(secret_file, "--secret-file"), networks)
    control = conf.AmiUser(names[1], secret(control_secret_file, "--control-secret-file"), networks)
    click.echo(conf.manager_conf(version_, exporter, control), nl=False)
    new = [
        user.name for user, file in ((exporter, secret_file), (control, control_secret_file)) if file is None
    ]
    if new:
        what = f"The secret of {new[0]} is" if len(new) == 1 else f"The secrets of {' and '.join(new)} are"
        click.echo(f"{what} new at every run and shown nowhere else: keep this output.", err=True)


def _replayed(context: click.Context, name: str) -> LiveSwitchboard:
    from asterpanel_exporter.live import LiveSwitchboard

    path = context.find_object(Path)
    given = context.find_root().get_parameter_source("config_path") is not ParameterSource.DEFAULT
    if not given and (path is None or not path.exists()):
        return LiveSwitchboard(name)
    config = configuration(context)
    if name in config.switchboards:
        return LiveSwitchboard.from_config(config, name)
    if given:
        names = ", ".join(config.switchboards)
        raise click.UsageError(
            f"{path} has no switchboard {name!r}; name the one whose settings apply: --switchboard {names}"
        )
    return LiveSwitchboard(name)


def _retention(config: Config) -> str:
    age_s, size = config.journal.retention, config.journal.max_size
    age = "kept for ever" if age_s is None else f"kept for {age_s / 86400:g} days"
    return age if size is None else f"{age}, at most {size / 1e9:g} GB"


def _state_access(config: Config) -> str:
    if config.exporter.state_token is not None:
        return "with a bearer token"
    if config.exporter.state_open_on_loopback:
        return "open to this machine"
    return "closed (no token is set)"


if __name__ == "__main__":
    main()
