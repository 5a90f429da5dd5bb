"""Keys of a version 3 user: from passwords to what signs and encrypts at one router.

The procedures (RFC 3414 A.2 and 2.6, RFC 7860, RFC 3826, and the vendors' drafts for longer
keys) are pysnmp's; the digest is put in and checked by structure, see ber.digest_span.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyasn1.type import univ
from pysnmp.proto.error import StatusInformation
from pysnmp.proto.secmod.rfc3414 import localkey, service

from monitor.adapters.snmp import ber
from monitor.adapters.snmp.trouble import Odd, Oddity
from monitor.core.snmp_credentials import SnmpV3Credential


class _Digest(NamedTuple):
    """A digest: its hash, how many bytes of it are sent, its name in pysnmp."""

    hash: Callable[..., Any]
    size: int
    oid: tuple[int, ...]


_SHA2 = service.hmacsha2.HmacSha2
_DIGESTS: dict[str, _Digest] = {
    "md5": _Digest(hashlib.md5, 12, service.hmacmd5.HmacMd5.SERVICE_ID),
    "sha": _Digest(hashlib.sha1, 12, service.hmacsha.HmacSha.SERVICE_ID),
    "sha224": _Digest(hashlib.sha224, 16, _SHA2.SHA224_SERVICE_ID),
    "sha256": _Digest(hashlib.sha256, 24, _SHA2.SHA256_SERVICE_ID),
    "sha384": _Digest(hashlib.sha384, 32, _SHA2.SAH384_SERVICE_ID),
    "sha512": _Digest(hashlib.sha512, 48, _SHA2.SHA512_SERVICE_ID),
}
"""RFC 3414 (md5, sha) and RFC 7860, 4.1 (the sizes of the others)."""

_CIPHERS: dict[str, tuple[int, ...]] = {
    "des": service.des.Des.SERVICE_ID,
    "3des": service.des3.Des3.SERVICE_ID,
    "aes128": service.aes.Aes.SERVICE_ID,
    "aes192": service.aes192.AesBlumenthal192.SERVICE_ID,
    "aes256": service.aes256.AesBlumenthal256.SERVICE_ID,
}


@dataclass(frozen=True, slots=True)
class EngineKeys:
    """One user's keys at one router (RFC 3414, 2.6: localised to its engine id)."""

    digest: _Digest | None = None
    auth_key: bytes = field(default=b"", repr=False)
    cipher: Any = field(default=None, repr=False)
    priv_key: Any = field(default=None, repr=False)

    def signed(self, data: bytes) -> bytes:
        """`data` with the digest in its place, which holds zeros (RFC 3414, 6.3.1)."""
        start, stop = ber.digest_span(data)
        return data[:start] + self._sum(data) + data[stop:]

    def proves(self, data: bytes) -> bool:
        """Whether the digest in `data` was made with this key (RFC 3414, 6.3.2)."""
        try:
            start, stop = ber.digest_span(data)
        except ber.ShapeError:
            return False
        if self.digest is None:
            return False
        blank = data[:start] + bytes(stop - start) + data[stop:]
        # The whole of ours, whatever the size of theirs: an empty digest proves nothing.
        return hmac.compare_digest(self._sum(blank), data[start:stop])

    def encrypt(self, plain: bytes, boots: int, clock_s: int) -> tuple[bytes, bytes]:
        """The encrypted PDU, and the salt for msgPrivacyParameters."""
        encrypted, salt = self.cipher.encrypt_data(self.priv_key, (boots, clock_s, None), plain)
        return bytes(encrypted.asOctets()), bytes(salt.asOctets())

    def decrypt(self, encrypted: bytes, boots: int, clock_s: int, salt: bytes) -> bytes:
        """The PDU, perhaps padded. Raises Odd(AUTH) when that cannot be."""
        parameters = (boots, clock_s, univ.OctetString(salt))
        try:
            return bytes(
                self.cipher.decrypt_data(self.priv_key, parameters, univ.OctetString(encrypted))
            )
        except (StatusInformation, ValueError) as error:
            raise Odd(Oddity.AUTH, "cannot be decrypted") from error

    def _sum(self, data: bytes) -> bytes:
        if self.digest is None:
            return b""
        return hmac.digest(self.auth_key, data, self.digest.hash)[: self.digest.size]


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """One user's keys before they are localised; made once a credential, which takes long."""

    user: bytes
    context: bytes
    digest: _Digest | None = None
    auth_key: Any = field(default=None, repr=False)
    cipher: Any = field(default=None, repr=False)
    priv_key: Any = field(default=None, repr=False)

    @property
    def authenticates(self) -> bool:
        return self.digest is not None

    @property
    def encrypts(self) -> bool:
        return self.cipher is not None

    @property
    def digest_size(self) -> int:
        return 0 if self.digest is None else self.digest.size

    def at(self, engine_id: bytes) -> EngineKeys:
        """The keys at the router with this engine id."""
        if self.digest is None:
            return EngineKeys()
        engine = univ.OctetString(engine_id)
        auth_key = localkey.localize_key(self.auth_key, engine, self.digest.hash)
        priv_key = None
        if self.cipher is not None:
            priv_key = self.cipher.localize_key(self.digest.oid, self.priv_key, engine)
        return EngineKeys(self.digest, bytes(auth_key.asOctets()), self.cipher, priv_key)


def master_keys(credential: SnmpV3Credential) -> MasterKeys:
    """Hash the passwords (a megabyte each, RFC 3414 A.2: some 10 ms of CPU)."""
    digest = None if credential.auth_protocol is None else _DIGESTS[credential.auth_protocol]
    auth_key = priv_key = cipher = None
    if digest is not None:
        auth_key = _hashed(credential.auth_password, digest)
        if credential.priv_protocol is not None:
            # The shared service: it counts the salts, and none may come twice.
            cipher = service.SnmpUSMSecurityModel.PRIV_SERVICES[_CIPHERS[credential.priv_protocol]]
            priv_key = _hashed(credential.priv_password, digest)
    return MasterKeys(
        user=credential.user.encode(),
        context=credential.context.encode(),
        digest=digest,
        auth_key=auth_key,
        cipher=cipher,
        priv_key=priv_key,
    )


def _hashed(password: str | None, digest: _Digest) -> Any:
    return localkey.hash_passphrase((password or "").encode(), digest.hash)
