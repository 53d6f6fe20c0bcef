"""The page's files, and the door for the demo's visitor."""

import hashlib
from pathlib import Path
from typing import Final

from aiohttp import web

from dashboard.server.api import set_cookie
from dashboard.server.audit import came, note
from dashboard.server.guard import DOORS
from dashboard.server.problem import Handler, ProblemError

STATIC: Final = Path(__file__).parent.parent / "static"
PAGES: Final = ("index.html", "display.html")
FOLDER = web.AppKey("static", Path)

_NOT_BUILT: Final = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>Hallwatch</title>
<h1>页面尚未构建</h1><p>请运行 <code>make setup</code>，然后重新启动。</p>
<h1 lang="en">The page is not built</h1><p lang="en">Run <code>make setup</code> and start again.</p></html>
"""


def build_of(folder: Path) -> str:
    """The name of the build: a page or a display of another one loads itself anew."""
    files = [folder / name for name in PAGES if (folder / name).is_file()]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12] if files else "none"


def add_static(app: web.Application, folder: Path) -> None:
    """Serve the page: files with a hash in their name for ever, the rest asked for each time."""
    app[FOLDER] = folder
    app.router.add_get("/", index)
    if (folder / "assets").is_dir():
        app.router.add_static("/assets", folder / "assets")
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        if file.is_file() and file.name not in PAGES and not file.name.startswith("."):
            app.router.add_get(f"/{file.name}", _sender(file))
    app.router.add_get("/enter/{token}", enter)


async def index(request: web.Request) -> web.StreamResponse:
    """`GET /`."""
    return page_file(request, "index.html")


def page_file(request: web.Request, name: str, status: int = 200) -> web.StreamResponse:
    """One of the pages, or what to do where it is not built."""
    file = request.app[FOLDER] / name
    if not file.is_file():
        return web.Response(text=_NOT_BUILT, content_type="text/html", status=503)
    return web.FileResponse(file, status=status, headers={"Cache-Control": "no-cache"})


async def enter(request: web.Request) -> web.StreamResponse:
    """`GET /enter/{token}`: the demo's visitor comes in, once."""
    try:
        token, session = await request.app[DOORS].enter(request.match_info["token"])
    except ProblemError:
        # Used before: whoever has the cookie of that time is in, anybody else sees the page without names.
        raise web.HTTPSeeOther("/") from None
    note(request, "enter")
    came(request, session.user)
    response = web.Response(status=303, headers={"Location": "/"})
    set_cookie(request, response, token)
    return response


def _sender(file: Path) -> Handler:
    async def send(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={"Cache-Control": "no-cache"})

    return send
