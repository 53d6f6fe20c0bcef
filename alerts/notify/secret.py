"""Secrets: read from a file or the environment, shown by nothing."""

import os
from pathlib import Path

from pydantic import SecretStr

from sensors.errors import HallwatchError
from sensors.site.secret import Secret


class SecretMissingError(HallwatchError):
    """A secret that the site names cannot be read. The sentence says where it was looked for, never what it is."""

    code = "secret_missing"


def read_secret(secret: Secret) -> SecretStr:
    """Read a secret; a file's trailing line end is not part of it. Raises `SecretMissingError`."""
    if secret.file is not None:
        try:
            value = Path(secret.file).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretMissingError(f"the file {secret.file} cannot be read ({type(error).__name__})") from error
        where = f"the file {secret.file}"
    elif secret.env is not None:
        value, where = os.environ.get(secret.env, ""), f"the environment variable {secret.env}"
    else:
        raise SecretMissingError("neither file nor env is given")
    if not value:
        raise SecretMissingError(f"{where} is empty or not set")
    if not value.isprintable():
        # No header, address or login may hold one, and a library's complaint about it would repeat the whole secret.
        raise SecretMissingError(f"{where} holds a line end or another character that nobody can see")
    return SecretStr(value)
