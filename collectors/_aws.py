"""The way to AWS: one session for each account and region, clients kept, errors in our words.

Clients of boto3 are shared by threads, sessions are not: clients are made under a lock. Blocking: for the
host's threads.
"""

import logging
import threading
from functools import lru_cache
from typing import Any, Final

from pydantic import Field

from collectors._extras import missing_extra
from detector.collector import CollectorOptions
from detector.errors import UnseenError

_LOCK: Final = threading.Lock()
_DENIED: Final = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "OptInRequired")
_CREDENTIALS: Final = (
    "ExpiredToken",
    "InvalidClientTokenId",
    "UnrecognizedClient",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "InvalidAccessKeyId",
)
_THROTTLED: Final = ("Throttl", "TooManyRequests", "RequestLimitExceeded")


class AwsOptions(CollectorOptions):
    """Which account and region."""

    region: str = Field(description="AWS region, such as eu-central-1.", pattern=r"^[a-z0-9-]+$")
    role_arn: str | None = Field(
        None,
        description="Role to assume in the account that is looked at.",
        pattern=r"^arn:[A-Za-z0-9:/_+=,.@-]+$",
    )
    external_id: str | None = Field(
        None, description="External id that the role asks for.", pattern=r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$"
    )
    endpoint_url: str | None = Field(
        None, description="Address of the AWS API, for a private endpoint.", pattern=r"^https?://[^@]+$"
    )


def client(service: str, options: AwsOptions, collector: str) -> Any:
    """Return the client of a service, made once for each account and region.

    Raises PluginError where boto3 is not installed, UnseenError where no credentials are found.
    """
    try:
        import boto3  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise missing_extra(collector, "aws") from None
    with _LOCK:
        return _client(service, options.region, options.role_arn, options.external_id, options.endpoint_url)


@lru_cache(maxsize=256)
def _client(
    service: str, region: str, role_arn: str | None, external_id: str | None, endpoint_url: str | None
) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - an extra

    # What it logs are whole answers (DEBUG), environments among them, and texts of errors.
    logging.getLogger("botocore").setLevel(logging.CRITICAL)
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 4},
        connect_timeout=5,
        read_timeout=20,
        max_pool_connections=16,
        user_agent_extra="parity",
    )
    session = _session(region, role_arn, external_id, endpoint_url)
    return session.client(service, config=config, endpoint_url=endpoint_url)


@lru_cache(maxsize=64)
def _session(region: str, role_arn: str | None, external_id: str | None, endpoint_url: str | None) -> Any:
    import boto3  # noqa: PLC0415 - an extra
    from botocore.credentials import (  # noqa: PLC0415 - an extra
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )
    from botocore.session import get_session  # noqa: PLC0415 - an extra

    if role_arn is None:
        return boto3.Session(region_name=region)
    own = get_session()
    more = {"RoleSessionName": "parity"} | ({"ExternalId": external_id} if external_id else {})

    def regional(service: str, **words: Any) -> Any:
        return own.create_client(service, region_name=region, endpoint_url=endpoint_url, **words)

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=regional,
        source_credentials=own.get_credentials(),
        role_arn=role_arn,
        extra_args=more,
    )
    assumed = get_session()
    # The one way to give a session credentials that renew themselves; botocore's own resolver does the same.
    renewing = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    assumed._credentials = renewing  # type: ignore[attr-defined]  # noqa: SLF001
    return boto3.Session(botocore_session=assumed, region_name=region)


def answer(client: Any, operation: str, **words: Any) -> dict[str, Any]:
    """Return what an operation (``describe_services``) answers; UnseenError where it does not."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    try:
        answered: dict[str, Any] = getattr(client, operation)(**words)
    except (BotoCoreError, ClientError) as error:
        raise _reduced(client, operation, error) from None
    return answered


def pages(client: Any, operation: str, key: str, **words: Any) -> list[Any]:
    """Return what all pages of an operation hold under ``key``."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    found: list[Any] = []
    try:
        for page in client.get_paginator(operation).paginate(**words):
            found += page.get(key) or ()
    except (BotoCoreError, ClientError) as error:
        raise _reduced(client, operation, error) from None
    return found


def _reduced(client: Any, operation: str, error: Exception) -> UnseenError:
    from botocore import exceptions  # noqa: PLC0415 - an extra

    service = client.meta.service_model.endpoint_prefix
    action = f"{service}:{''.join(word.capitalize() for word in operation.split('_')).replace('Db', 'DB')}"
    if isinstance(error, exceptions.ClientError):
        code = str(error.response.get("Error", {}).get("Code") or "")
        if error.operation_name == "AssumeRole":
            return UnseenError("denied", "sts:AssumeRole: the role cannot be assumed with these credentials")
        if code.startswith(_DENIED):
            return UnseenError("denied", action)
        if code.startswith(_CREDENTIALS):
            return UnseenError("denied", "AWS refused the credentials: they are expired or wrong")
        if code.startswith(_THROTTLED):
            return UnseenError("unreachable", f"{action}: AWS throttles this account; look less often")
        if "NotFound" in code:
            return UnseenError("not_in_view", f"{action}: there is none of this name in this region")
        return UnseenError("unreachable", f"{action}: AWS refused the request")
    if isinstance(error, (exceptions.NoCredentialsError, exceptions.CredentialRetrievalError)):
        return UnseenError("denied", "no AWS credentials: give the process a role, a profile or AWS_* keys")
    if isinstance(error, (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)):
        return UnseenError("timeout", f"{action}: no answer in time")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return UnseenError("unreachable", f"{action}: no connection to AWS")
    if isinstance(error, exceptions.ParamValidationError):
        return UnseenError("malformed", f"{action}: a name in the options has a form that AWS does not take")
    return UnseenError("malformed", f"{action}: the answer is none of AWS")
