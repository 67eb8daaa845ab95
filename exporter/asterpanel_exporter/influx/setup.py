"""What InfluxDB 2.x needs for us: organisation, buckets, InfluxQL's databases, tokens.

Made only where it lacks. Nothing is ever deleted, and no token is shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from influxdb_client import (
    AuthorizationPostRequest,
    AuthorizationsService,
    BucketRetentionRules,
    BucketsService,
    DBRPCreate,
    DBRPsService,
    InfluxDBClient,
    OnboardingRequest,
    OrganizationsService,
    PatchBucketRequest,
    Permission,
    PermissionResource,
    PostBucketRequest,
    PostOrganizationRequest,
    SetupService,
)
from influxdb_client.rest import ApiException
from pydantic import SecretStr

from asterpanel_exporter.influx.answers import NEEDS_A_PERSON, WriteError
from asterpanel_exporter.influx.client import WriteClient, connect
from asterpanel_exporter.influx.tokens import ScopedToken, secret_file
from asterpanel_switchboard.config import InfluxConfig, InfluxTarget
from asterpanel_switchboard.config.secrets import secret_from_file
from asterpanel_switchboard.errors import AsterpanelError

DEFAULT_RETENTION_POLICY: Final = "autogen"

Say = Callable[[str, str], None]
"""Gets what is done (``ok``, ``create``, ``change``, ``replace``), and to what."""


class SetupError(AsterpanelError):
    """InfluxDB cannot be set up: what failed, and what to do about it."""


@dataclass(frozen=True, slots=True)
class FirstUser:
    """The user that a fresh InfluxDB gets, and who then is its operator."""

    name: str
    password: str


def database_of(bucket: str) -> tuple[str, str]:
    """Database and retention policy by which InfluxQL names a bucket; ``db/rp``, as InfluxDB has it."""
    database, _, retention_policy = bucket.partition("/")
    return database, retention_policy or DEFAULT_RETENTION_POLICY


def is_fresh(client: InfluxDBClient) -> bool:
    """Whether a 2.x has no user yet."""
    return bool(SetupService(client.api_client).get_setup().allowed)


def make_first_user(
    client: InfluxDBClient, user: FirstUser, target: InfluxTarget, retention_s: int | None, token_file: Path
) -> None:
    """The first user of a fresh 2.x, with one organisation and bucket; the operator's token into a new file.

    Raises:
        SetupError: the file cannot be written.
        ApiException: InfluxDB refuses.
    """
    token = secrets.token_urlsafe(64)
    request = OnboardingRequest(
        username=user.name,
        password=user.password,
        org=target.org,
        bucket=target.bucket,
        retention_period_seconds=retention_s or 0,
        token=token,
    )
    try:
        with secret_file(token_file) as file:
            file.write(f"{token}\n")
            # Its content is safe before InfluxDB knows it: without it nobody could get in.
            file.flush()
            SetupService(client.api_client).post_setup(onboarding_request=request)
    except OSError as error:
        raise SetupError(f"cannot write the operator's token to {token_file}: {error.strerror}") from error


def plan_for_fresh(targets: list[InfluxTarget], tokens: list[ScopedToken], say: Say) -> None:
    """What follows the first user: everything."""
    for org in dict.fromkeys(target.org for target in targets):
        say("create", f"organisation {org}")
    for target in targets:
        say("create", f"bucket {target.bucket}, and the InfluxQL database of its name")
    for token in tokens:
        say("create", token.text)


class Setup:
    """Sets up a 2.x that has a first user. With ``dry_run`` it only says what it would do.

    Args:
        client: with an operator's token.
        config: the section `influxdb`.
        retention_s: how long new buckets keep points (0: for ever), and old ones from now on; None: for ever,
            and old ones as they are.
        replace_tokens: replace a token that lacks rights, or is not known.
        say: told of each step.

    Attributes:
        problems: what could not be done, for a person.
    """

    def __init__(
        self,
        client: InfluxDBClient,
        config: InfluxConfig,
        retention_s: int | None,
        *,
        dry_run: bool,
        replace_tokens: bool,
        say: Say,
    ) -> None:
        self.problems: list[str] = []
        self._client = client
        self._config = config
        self._retention_s = retention_s
        self._dry_run = dry_run
        self._replace_tokens = replace_tokens
        self._say = say
        self._organisations: dict[str, str] = {}
        self._buckets: dict[tuple[str, str], str] = {}

    def run(self, targets: list[InfluxTarget], tokens: list[ScopedToken]) -> None:
        """All steps.

        Raises:
            ApiException: InfluxDB refuses one.
            SetupError: it cannot be done.
        """
        for target in targets:
            self._organisation(target.org)
        for target in targets:
            self._bucket(target)
            self._database(target)
        for token in tokens:
            self._token(token)

    def _do(self, action: str, what: str, change: Callable[[], Any]) -> Any:
        """Say and, unless it is a dry run, make a change; None in a dry run."""
        self._say(action, what)
        return None if self._dry_run else change()

    def _organisation(self, name: str) -> None:
        service = OrganizationsService(self._client.api_client)
        what = f"organisation {name}"
        if name in self._organisations:
            return
        found = _found(lambda: service.get_orgs(org=name).orgs)
        if found is not None:
            self._say("ok", what)
        else:
            request = PostOrganizationRequest(name=name)
            found = self._do("create", what, lambda: service.post_orgs(post_organization_request=request))
        self._organisations[name] = "" if found is None else found.id

    def _bucket(self, target: InfluxTarget) -> None:
        key = (target.org, target.bucket)
        if key in self._buckets:
            return
        service = BucketsService(self._client.api_client)
        org_id = self._organisations[target.org]
        found = (
            _found(lambda: service.get_buckets(org_id=org_id, name=target.bucket).buckets) if org_id else None
        )
        what = f"bucket {target.bucket}"
        if found is not None:
            self._buckets[key] = found.id
            self._retention(service, found, what)
            return
        rules = _rules(self._retention_s or 0)
        request = PostBucketRequest(org_id=org_id, name=target.bucket, retention_rules=rules)
        made = self._do(
            "create",
            f"{what}, kept {_kept(self._retention_s or 0)}",
            lambda: service.post_buckets(post_bucket_request=request),
        )
        self._buckets[key] = "" if made is None else made.id

    def _retention(self, service: BucketsService, bucket: Any, what: str) -> None:
        seconds = next((rule.every_seconds for rule in bucket.retention_rules), 0)
        if self._retention_s is None or self._retention_s == seconds:
            self._say("ok", f"{what}, kept {_kept(seconds)}")
            return
        request = PatchBucketRequest(retention_rules=_rules(self._retention_s))
        self._do(
            "change",
            f"{what}, kept {_kept(self._retention_s)}; was: {_kept(seconds)}",
            lambda: service.patch_buckets_id(bucket_id=bucket.id, patch_bucket_request=request),
        )

    def _database(self, target: InfluxTarget) -> None:
        """The DBRP mapping by which InfluxQL finds the bucket."""
        service = DBRPsService(self._client.api_client)
        database, policy = database_of(target.bucket)
        org_id = self._organisations[target.org]
        bucket_id = self._buckets[target.org, target.bucket]
        what = f"InfluxQL database {database}, retention policy {policy}, for bucket {target.bucket}"
        known = service.get_dbr_ps(org_id=org_id, db=database, rp=policy).content or [] if bucket_id else []
        # Newer versions tell of a virtual one by the bucket's name; it goes with any other of that name.
        found = next((mapping for mapping in known if not mapping.virtual), None)
        if found is None:
            request = DBRPCreate(
                org_id=org_id, bucket_id=bucket_id, database=database, retention_policy=policy, default=True
            )
            self._do("create", what, lambda: service.post_dbrp(dbrp_create=request))
        elif found.bucket_id == bucket_id:
            self._say("ok", what)
        else:
            self.problems.append(
                f"the InfluxQL database {database}, retention policy {policy}, is mapped to another bucket "
                f"(id {found.bucket_id}); delete that mapping (influx v1 dbrp delete --id {found.id})"
            )

    # --- tokens -------------------------------------------------------------------------------------

    def _token(self, token: ScopedToken) -> None:
        exists = token.file.exists()
        if exists and self._suffices(token):
            self._say("ok", token.text)
        elif exists and not self._replace_tokens:
            self.problems.append(
                f"{token.file} holds a token that may not {token.action} "
                f"{', '.join(target.bucket for target in token.targets)} at {self._config.url}; "
                "--replace-tokens makes a new one in its place"
            )
        else:
            self._do("replace" if exists else "create", token.text, lambda: self._make_token(token))

    def _suffices(self, token: ScopedToken) -> bool:
        try:
            value = secret_from_file(token.file)
        except ValueError as error:
            raise SetupError(f"{token.file}: {error}") from error
        if token.action == "write":
            return all(may_write(self._config, target, value) for target in token.targets)
        return all(may_read(self._config, target, value) for target in token.targets)

    def _make_token(self, token: ScopedToken) -> None:
        [org_id, *others] = {self._organisations[target.org] for target in token.targets}
        if others:
            raise SetupError(
                f"{token.text}: one token cannot be for several organisations; give each tenant a token of "
                "its own in influxdb.tenants"
            )
        permissions = [
            Permission(
                action=token.action,
                resource=PermissionResource(
                    type="buckets", id=self._buckets[target.org, target.bucket], org_id=org_id
                ),
            )
            for target in token.targets
        ]
        request = AuthorizationPostRequest(
            org_id=org_id, description=token.description, permissions=permissions
        )
        service = AuthorizationsService(self._client.api_client)
        try:
            with secret_file(token.file) as file:
                made = service.post_authorizations(authorization_post_request=request)
                file.write(f"{made.token}\n")
        except OSError as error:
            raise SetupError(f"cannot write the token to {token.file}: {error.strerror}") from error


def _found(ask: Callable[[], list[Any]]) -> Any:
    """The first of what InfluxDB finds by a name, or None: it answers 404 then, or an empty list."""
    try:
        return next(iter(ask()), None)
    except ApiException as error:
        if error.status == 404:
            return None
        raise


def may_write(config: InfluxConfig, target: InfluxTarget, token: str) -> bool:
    """Whether a token may write to the target's bucket. Nothing is written.

    Raises:
        WriteError: InfluxDB does not tell.
    """
    try:
        try_to_write(config, replace(target, token=SecretStr(token)))
    except WriteError as error:
        if error.kind in NEEDS_A_PERSON:
            return False
        raise
    return True


def try_to_write(config: InfluxConfig, target: InfluxTarget) -> None:
    """Write no lines at all to the target's bucket: InfluxDB checks the token and the bucket all the same.

    Raises:
        WriteError: it could not be written to.
    """
    client = WriteClient(config, target)
    try:
        client.write([])
    finally:
        client.close()


def may_read(config: InfluxConfig, target: InfluxTarget, token: str) -> bool:
    """Whether a token may read the target's bucket."""
    with connect(config, target.url, token) as client:
        service = BucketsService(client.api_client)
        try:
            return _found(lambda: service.get_buckets(name=target.bucket).buckets) is not None
        except ApiException as error:
            if error.status in (401, 403):
                return False
            raise


def _rules(seconds: int) -> list[BucketRetentionRules]:
    return [BucketRetentionRules(type="expire", every_seconds=seconds)]


def _kept(seconds: int) -> str:
    return f"for {seconds / 86400:g} days" if seconds else "for ever"
