"""The standalone system's mails are kept on disk before they are accepted, and shown to those who may see contacts."""

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from aiosmtplib import send
from fastapi import FastAPI

from redress.mailbox import Mailbox, MailServer
from redress.mailpages import routes
from shared.web import handlers
from shared.web.auth import Authenticator
from shared.web.keyset import KeySet
from shared.web.principal import Role
from shared.web.tokens import Signer

SIGNER = Signer.generate()
Ask = Callable[..., "httpx.AsyncClient"]


def message(subject: str = "您的投诉已受理") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "客服 <noreply@redress.example>", "li@example.com", subject
    mail.set_content("请评价：http://127.0.0.1:8080/feedback/s/abc")
    mail.add_alternative("<p>请评价 <script>alert(1)</script></p>", subtype="html")
    return mail


@pytest.fixture
async def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mail")


@pytest.fixture
def client(mailbox: Mailbox) -> Ask:
    app = FastAPI()
    authenticator = Authenticator(KeySet(SIGNER.jwks), issuer="redress", audience="redress")
    app.router.routes.extend(routes(mailbox, authenticator))
    handlers.install(app)

    def ask(peer: str = "127.0.0.1", host: str = "127.0.0.1:8080", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(peer, 50000))
        return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)

    return ask


async def test_a_mail_sent_by_smtp_is_on_disk_and_in_the_list(mailbox: Mailbox, client: Ask) -> None:
    async with MailServer(mailbox) as server:
        await send(message(), hostname="127.0.0.1", port=server.port)
    (path,) = mailbox.folder.glob("*.eml")
    assert path.stat().st_mode & 0o077 == 0
    async with client() as http:
        (mail,) = (await http.get("/mail.json")).json()["data"]
        assert mail["subject"] == "您的投诉已受理"
        assert mail["recipients"] == ["li@example.com"]
        assert "/feedback/s/abc" in mail["text"]
        page = (await http.get("/mail")).text
        assert "您的投诉已受理" in page
        assert "<script>" not in page
        shown = await http.get(f"/mail/{mail['id']}")
        assert "sandbox" in shown.headers["content-security-policy"]


async def test_a_mailbox_that_cannot_be_written_refuses_for_now(mailbox: Mailbox) -> None:
    async with MailServer(mailbox) as server:
        mailbox.folder.rename(mailbox.folder.with_name("gone"))
        with pytest.raises(Exception, match="can't be written") as refused:
            await send(message(), hostname="127.0.0.1", port=server.port)
        assert getattr(refused.value, "code", None) == 452


async def test_somebody_on_another_machine_needs_the_token_of_an_agent_or_admin(client: Ask) -> None:
    def bearer(*roles: Role) -> dict[str, str]:
        return {"authorization": f"Bearer {SIGNER.token('li', *roles)}"}

    for path in ("/mail", "/mail.json", "/mail/x"):
        async with client(peer="10.0.0.7") as http:
            assert (await http.get(path)).status_code == 401
            assert (await http.get(path, headers=bearer(Role.QUALITY))).status_code == 403
    async with client(peer="10.0.0.7") as http:
        assert (await http.get("/mail.json", headers=bearer(Role.AGENT))).status_code == 200
        assert (await http.get("/mail.json", headers=bearer(Role.ADMIN))).status_code == 200


async def test_a_foreign_name_or_a_proxy_does_not_count_as_the_same_machine(client: Ask) -> None:
    async with client(host="evil.example") as http:
        assert (await http.get("/mail.json")).status_code == 401
    async with client(**{"x-forwarded-for": "10.0.0.7"}) as http:
        assert (await http.get("/mail.json")).status_code == 401


async def test_an_id_is_never_a_path(client: Ask, tmp_path: Path) -> None:
    (tmp_path / "secret.eml").write_text("x")
    async with client() as http:
        for path in ("/mail/..%2Fsecret", "/mail/.%2e/secret", "/mail/nothing"):
            answer = await http.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
