"""What programs of the house send us, signed as Standard Webhooks says, and written without a line of ours."""

import base64
import hashlib
import hmac
import json
from typing import Any

KEY = b"twenty-four random bytes"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def signed(body: bytes, at: float, key: bytes = KEY, webhook_id: str = "msg_1") -> dict[str, str]:
    """The headers of a body that is sent at `at` (Unix time)."""
    told = f"{webhook_id}.{int(at)}.".encode() + body
    made = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{made}",
        "Content-Type": "application/json",
    }


def written(told: Any) -> bytes:
    return told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
