"""A private IMAP server (Dovecot) on 127.0.0.1 with its mailbox in a folder of the test."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from imapclient import IMAPClient

REQUIRED = "REDRESS_REQUIRE_IMAP"
FOLDER = "Help"
PASSWORD = "password-of-the-tests"
_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail
first_valid_uid = 0
first_valid_gid = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
"""


@dataclass(frozen=True)
class Imap:
    port: int

    def client(self) -> IMAPClient:
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
        client.login("help", PASSWORD)
        return client

    def append(self, *mails: bytes) -> None:
        with self.client() as client:
            for each in mails:
                client.append(FOLDER, each)

    def renew(self) -> None:
        """The folder is there, empty, and numbered anew."""
        with self.client() as client:
            if client.folder_exists(FOLDER):
                client.delete_folder(FOLDER)
            client.create_folder(FOLDER)


def needed() -> None:
    if shutil.which("dovecot") is None:
        why = "no dovecot on this machine (Debian: dovecot-imapd)"
        if os.environ.get(REQUIRED):
            pytest.fail(why)
        pytest.skip(why)


@contextmanager
def imap_server(folder: Path) -> Iterator[Imap]:
    """While the block lasts."""
    account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("run", "state", "home", "mail"):
        (folder / name).mkdir()
        os.chown(folder / name, account.pw_uid, account.pw_gid)
    for above in (folder, *folder.parents[:3]):
        if above.stat().st_uid == os.getuid() and above != Path("/tmp"):
            above.chmod(0o755)
    group = subprocess.run(["id", "-gn", account.pw_name], capture_output=True, text=True, check=True).stdout.strip()
    config = folder / "dovecot.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder, port=port, user=account.pw_name, group=group, password=PASSWORD,
            uid=account.pw_uid, gid=account.pw_gid,
        )
    )  # fmt: skip
    server = subprocess.Popen(["dovecot", "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait(port, server, folder)
        yield Imap(port)
    finally:
        server.terminate()
        server.wait(10)


def _wait(port: int, server: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(100):
        try:
            Imap(port).client().logout()
            return
        except Exception:  # it is not up yet
            if server.poll() is not None:
                break
            time.sleep(0.1)
    log = folder / "log"
    raise RuntimeError(log.read_text()[-2000:] if log.exists() else str(server.stderr and server.stderr.read()))
