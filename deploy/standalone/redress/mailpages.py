"""`/mail`: the mails that the standalone system has sent, as a page and as JSON.

They hold contacts and survey links. So they are shown to a browser on the same machine, and to anybody else only with
a token of an agent or an admin. "On the same machine" needs three things: the peer is a loopback address, the Host is
a loopback name (a foreign site that points its own name at 127.0.0.1 has another Host), and no proxy forwarded it.
"""

import ipaddress
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from redress.mailbox import Mailbox
from shared.web.auth import Authenticator
from shared.web.errors import Forbidden, NotFound, Unauthorized
from shared.web.principal import Role

TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
#: A mail is shown as it is, but nothing in it may run, submit or load.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class MailNotFound(NotFound):
    slug = "mail-not-found"
    title = "There is no such mail"


def routes(mailbox: Mailbox, authenticator: Authenticator) -> list[Route]:
    async def page(request: Request) -> Response:
        await _admit(request, authenticator)
        html = TEMPLATES.get_template("mail.html").render(mails=mailbox.newest())
        return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"})

    async def listing(request: Request) -> Response:
        await _admit(request, authenticator)
        mails = [{**asdict(mail), "delivered_at": mail.delivered_at.isoformat()} for mail in mailbox.newest()]
        return JSONResponse({"data": mails}, headers={"Cache-Control": "no-store"})

    async def body(request: Request) -> Response:
        await _admit(request, authenticator)
        mail = mailbox.read(request.path_params["mail_id"])
        if mail is None:
            raise MailNotFound("It may have been deleted; `/mail` lists what is there.")
        headers = {"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "no-store"}
        if mail.html is not None:
            return HTMLResponse(mail.html, headers=headers)
        return Response(mail.text, media_type="text/plain; charset=utf-8", headers=headers)

    return [
        Route("/mail", page),
        Route("/mail.json", listing),
        Route("/mail/{mail_id}", body),
    ]


async def _admit(request: Request, authenticator: Authenticator) -> None:
    if _same_machine(request):
        return
    principal = await authenticator.identify(request.headers)
    if principal is None:
        raise Unauthorized(
            "From another machine, send the token of an agent or an admin.",
            headers={"WWW-Authenticate": 'Bearer realm="redress"'},
        )
    if not principal.has(Role.AGENT, Role.ADMIN):
        raise Forbidden("The mails are for agents and admins.")


def _same_machine(request: Request) -> bool:
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip", "via"} & set(request.headers)
    return (
        not forwarded
        and request.client is not None
        and _loopback(request.client.host)
        and _loopback(request.url.hostname)
    )


def _loopback(host: str | None) -> bool:
    if host is None or host == "localhost":
        return host is not None
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
