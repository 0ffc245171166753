"""A key pair of one's own and short-lived tokens, for the standalone system and the tests. Elsewhere an OIDC provider
does this."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.web.principal import Role

Algorithm = Literal["RS256", "ES256"]
PRIVATE_FILE = "signing-key.pem"
JWKS_FILE = "jwks.json"


@dataclass(frozen=True)
class Signer:
    """A private key that issues tokens. `jwks` is what services need to check them."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    kid: str
    issuer: str = "redress"
    audience: str = "redress"

    @classmethod
    def generate(cls, algorithm: Algorithm = "ES256", *, kid: str = "redress-1") -> "Signer":
        if algorithm == "RS256":
            return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048), kid)
        return cls(ec.generate_private_key(ec.SECP256R1()), kid)

    @classmethod
    def in_folder(cls, folder: Path) -> "Signer":
        """The signer kept in `folder`, made on first use: `signing-key.pem` (mode 600) and `jwks.json` beside it."""
        private = folder / PRIVATE_FILE
        if not private.exists():
            made = cls.generate()
            folder.mkdir(parents=True, exist_ok=True)
            pem = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
        key = load_pem_private_key(private.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError(f"{private} is not an RSA or EC key; delete it to get a new one")
        signer = cls(key, "redress-1")
        (folder / JWKS_FILE).write_text(signer.jwks)
        return signer

    @property
    def algorithm(self) -> Algorithm:
        return "RS256" if isinstance(self.key, rsa.RSAPrivateKey) else "ES256"

    @property
    def jwks(self) -> str:
        """The public half as a JWKS document; also good as the setting `AUTH_JWKS` itself."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        else:
            public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}]})

    def token(
        self,
        subject: str,
        *roles: Role,
        name: str = "",
        teams: Sequence[str] = (),
        seconds: int = 3600,
        not_before: int = 0,
    ) -> str:
        """A token that is good from `not_before` seconds from now on, for `seconds`."""
        now = int(time.time())
        return jwt.encode(
            {
                "iss": self.issuer,
                "aud": self.audience,
                "sub": subject,
                "name": name,
                "roles": [role.value for role in roles],
                "teams": list(teams),
                "iat": now,
                "nbf": now + not_before,
                "exp": now + seconds,
            },
            self.key,
            algorithm=self.algorithm,
            headers={"kid": self.kid},
        )
