"""What is allowed in the sections of the control API, and probably not meant."""

from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from asterpanel_switchboard.config.control import ControlApiConfig, ControlGrafana
from asterpanel_switchboard.config.models import AgentIdentityConfig, Config, SwitchboardConfig
from asterpanel_switchboard.config.secrets import file_warnings
from asterpanel_switchboard.config.values import did_you_mean, is_loopback
from asterpanel_switchboard.identity import agent_identity

_SAMPLE_AGENTS = ("1001", "101", "10001", "1", "11", "100001", "anna", "anna.rossi", "Anna", "a1", "a1001")


def control_warnings(config: Config) -> Iterator[str]:
    """One sentence for each doubtful thing; none holds a secret."""
    for board in config.switchboards.values():
        yield from _user_warnings(board)
        yield from _newcomer_warnings(board, config.agent_identity_for(board.name))
    if config.control_api is not None:
        yield from _api_warnings(config.control_api)
        yield from _tenant_warnings(config, config.control_api)


def _user_warnings(board: SwitchboardConfig) -> Iterator[str]:
    if board.control is None:
        return
    where = f"switchboards.{board.name}.control"
    yield from file_warnings(f"{where}.secret_file", board.control.secret_file)
    if board.control.username == board.username:
        yield f"{where}.username is the exporter's user, which is to read only; give the control API its own"


def _newcomer_warnings(board: SwitchboardConfig, identity: AgentIdentityConfig) -> Iterator[str]:
    """Tried with ids as agents commonly have them: with none of them is he who was asked for."""
    if board.control is None or board.control.new_member is None:
        return
    template = board.control.new_member.template
    identify = agent_identity(identity.source, identity.pattern)
    becomes = {}
    for agent in filter(template.fits, _SAMPLE_AGENTS):
        new = template.fill(agent)
        becomes[agent] = identify(new.interface, new.name)
    wrong = [(agent, other) for agent, other in becomes.items() if agent != other]
    if wrong and len(wrong) == len(becomes):
        agent, other = wrong[0]
        yield (
            f"switchboards.{board.name}.control.new_member makes agent {agent!r} a member who is agent "
            f"{other!r} by agent_identity, so nobody can join by it; change one of the two"
        )


def _api_warnings(api: ControlApiConfig) -> Iterator[str]:
    yield from file_warnings("control_api.exporter_token_file", api.exporter_token_file)
    if api.exporter_token_file is None and api.exporter_token_env is None:
        yield (
            "control_api has no exporter_token_file: actions are in the log, and in no journal; the exporter "
            "takes them with its state token only"
        )
    if not api.listen.is_loopback:
        yield (
            f"control_api.listen is {api.listen}: route secrets and callers' numbers cross the network "
            "unencrypted; put a proxy with TLS before it"
        )
    if _crosses_the_network_openly(api.exporter_url):
        yield (
            f"control_api.exporter_url is {api.exporter_url}: the state token and callers' numbers cross the "
            "network unencrypted; use https"
        )


def _tenant_warnings(config: Config, api: ControlApiConfig) -> Iterator[str]:
    tenants_by_org: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name, tenant in api.tenants.items():
        where = f"control_api.tenants.{name}"
        yield from file_warnings(f"{where}.route_secret_file", tenant.route_secret_file)
        if name not in config.tenants:
            yield f"{where}: no switchboard has this tenant{did_you_mean(name, set(config.tenants))}"
        yield from _grafana_warnings(f"{where}.grafana", tenant.grafana)
        tenants_by_org[tenant.grafana.url, tenant.grafana.org_id].append(name)
    for (url, org_id), names in tenants_by_org.items():
        if len(names) > 1:
            yield (
                f"control_api: tenants {', '.join(names)} share organisation {org_id} of {url}: nothing in "
                "Grafana keeps them apart; give each tenant its own"
            )


def _grafana_warnings(where: str, grafana: ControlGrafana) -> Iterator[str]:
    yield from file_warnings(f"{where}.annotation_token_file", grafana.annotation_token_file)
    if "id_token" not in grafana.identity:
        yield (
            f"{where}.identity is without id_token: whoever knows the route's secret can be anybody; "
            "Grafana 11.3 and later can do better"
        )
    elif _crosses_the_network_openly(grafana.keys_url):
        yield (
            f"{where}.keys_url is {grafana.keys_url}: anyone in between can replace the keys that users are "
            "known by; use https"
        )


def _crosses_the_network_openly(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
