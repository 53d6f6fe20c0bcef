"""The site file as it lies on the disk: read whole, and refused in words where it cannot be."""

from pathlib import Path
from typing import Final

from sensors.errors import HallwatchError

LONGEST: Final = 8 * 1024 * 1024


class SiteFileError(HallwatchError):
    """The site file cannot be read at all."""

    code = "site_file"


def read_text(file: Path) -> str:
    """The file's text; raises `SiteFileError`."""
    try:
        if file.stat().st_size > LONGEST:
            raise SiteFileError(f"{file}: 文件过大 · larger than {LONGEST} bytes")
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SiteFileError(
            f"{file}: 请存为 UTF-8 · save it as UTF-8 ({error.reason} at byte {error.start})"
        ) from error
    except OSError as error:
        raise SiteFileError(f"{file}: {error.strerror}") from error
