"""What the command tells the system: where the site is, where data is kept, where to listen."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from gateway.store.sql import sqlite_url


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who can reach the page. `tls`: certificate and key; `open_view`: the hall is shown without a login, no names."""

    tls: tuple[Path, Path] | None = None
    behind_proxy: bool = False
    open_view: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process. Everything about the hall itself stands in the site file."""

    site_text: str
    site_name: str
    data: Path
    store_url: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    socket: Path | None = None
    base_url: str | None = None
    broker: tuple[str, int] | None = None
    demo: bool = False
    site_file: Path | None = None
    clock_rate: float = 1.0
    open_names: bool = False
    exposure: Exposure = Exposure()

    @property
    def store(self) -> Path:
        """The operations store's file, where no other store is named."""
        return self.data / "hallwatch.db"

    @property
    def store_address(self) -> str:
        """The operations store's URL, password and all: for who opens it, and nobody else."""
        return sqlite_url(self.store) if self.store_url is None else self.store_url.get_secret_value()

    @property
    def public_url(self) -> str:
        """How people reach the server from where they are, without a slash at the end."""
        if self.base_url is not None:
            return self.base_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.exposure.tls else ''}://{host}:{self.port}"
