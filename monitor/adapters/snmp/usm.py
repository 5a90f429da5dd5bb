"""SNMP version 3: the user-based security model (RFC 3414), keys and messages, the requesting side.

The messages' ASN.1 and the key procedures (RFC 3414 A.2 and 2.6, RFC 7860, RFC 3826, and the
vendors' drafts for longer keys) are pysnmp's. The state machine is our own, one for each router:
pysnmp's notices a replaced router only after five minutes, copies its user table for each new
router (quadratic), and times the routers' clocks by the wall clock. The digest is inserted and
verified by structure, see ber.digest_span.

What a router reports without proof, its engine id above all, is used only for the next request,
whose response has a digest. An engine that has proven itself is not left for such a report: the
wait for its response goes on, and only when there is none is the other engine tried. Every message
has an unpredictable number, so that a replayed message is never accepted as a response.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pyasn1.type import univ
from pysnmp.proto import rfc1905
from pysnmp.proto.error import StatusInformation
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414 import localkey, service
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from monitor.adapters.snmp import ber
from monitor.adapters.snmp.errors import DatagramRejected, RejectReason
from monitor.adapters.snmp.messages import (
    Asn1,
    EncodedRequest,
    EngineReport,
    Oid,
    SnmpRequest,
    SnmpResponse,
    checked_response,
    decode_asn1,
    encode_asn1,
    get_request,
    numbered_pdu,
    plain_response,
)
from monitor.core.snmp_credentials import SnmpV3Credential

_VERSION = 3
_USM = 3
_MAX_SIZE = ber.MAX_MESSAGE_BYTES
_REPORTABLE, _PRIVATE, _AUTHENTIC = 0x04, 0x02, 0x01
_TIME_WINDOW_S = 150  # RFC 3414, 2.2.3
_ENGINE_SIZES = range(5, 33)  # RFC 3411, SnmpEngineID

_NOT_IN_TIME: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0)
_UNKNOWN_ENGINE: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0)
_REPORTS: dict[Oid, str] = {
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0): "the router does not allow this security level",
    _NOT_IN_TIME: "the router's clock does not fit, and it does not prove it",
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0): "the router does not know this user",
    _UNKNOWN_ENGINE: "the router does not know its own engine id",
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0): "the router finds the authentication password wrong",
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0): "the router cannot decrypt: wrong privacy password",
}


class _AuthProtocol(NamedTuple):
    """Hash, bytes of the digest that are sent, and id in pysnmp."""

    hash: Callable[..., Any]
    size: int
    oid: tuple[int, ...]


_SHA2 = service.hmacsha2.HmacSha2
_AUTH_PROTOCOLS: dict[str, _AuthProtocol] = {
    "md5": _AuthProtocol(hashlib.md5, 12, service.hmacmd5.HmacMd5.SERVICE_ID),
    "sha": _AuthProtocol(hashlib.sha1, 12, service.hmacsha.HmacSha.SERVICE_ID),
    "sha224": _AuthProtocol(hashlib.sha224, 16, _SHA2.SHA224_SERVICE_ID),
    "sha256": _AuthProtocol(hashlib.sha256, 24, _SHA2.SHA256_SERVICE_ID),
    "sha384": _AuthProtocol(hashlib.sha384, 32, _SHA2.SAH384_SERVICE_ID),
    "sha512": _AuthProtocol(hashlib.sha512, 48, _SHA2.SHA512_SERVICE_ID),
}
"""RFC 3414 (md5, sha) and RFC 7860, 4.1 (the sizes of the others)."""

_PRIV_PROTOCOLS: dict[str, tuple[int, ...]] = {
    "des": service.des.Des.SERVICE_ID,
    "3des": service.des3.Des3.SERVICE_ID,
    "aes128": service.aes.Aes.SERVICE_ID,
    "aes192": service.aes192.AesBlumenthal192.SERVICE_ID,
    "aes256": service.aes256.AesBlumenthal256.SERVICE_ID,
}


@dataclass(frozen=True, slots=True)
class EngineKeys:
    """One user's keys at one router (RFC 3414, 2.6: localised to its engine id)."""

    digest: _AuthProtocol | None = None
    auth_key: bytes = field(default=b"", repr=False)
    cipher: Any = field(default=None, repr=False)
    priv_key: Any = field(default=None, repr=False)

    def signed(self, data: bytes) -> bytes:
        """`data` with the digest in its place, which holds zeros (RFC 3414, 6.3.1)."""
        start, stop = ber.digest_span(data)
        return data[:start] + self._digest_of(data) + data[stop:]

    def verifies(self, data: bytes) -> bool:
        """Whether the digest in `data` was made with this key (RFC 3414, 6.3.2)."""
        try:
            start, stop = ber.digest_span(data)
        except ber.BerError:
            return False
        if self.digest is None:
            return False
        blank = data[:start] + bytes(stop - start) + data[stop:]
        # Compare the full length of our digest: an empty one must not verify.
        return hmac.compare_digest(self._digest_of(blank), data[start:stop])

    def encrypt(self, plain: bytes, boots: int, clock_s: int) -> tuple[bytes, bytes]:
        """The encrypted PDU, and the salt for msgPrivacyParameters."""
        encrypted, salt = self.cipher.encrypt_data(self.priv_key, (boots, clock_s, None), plain)
        return bytes(encrypted.asOctets()), bytes(salt.asOctets())

    def decrypt(self, encrypted: bytes, boots: int, clock_s: int, salt: bytes) -> bytes:
        """The PDU, perhaps padded. Raises DatagramRejected(AUTH) when that cannot be."""
        parameters = (boots, clock_s, univ.OctetString(salt))
        try:
            return bytes(
                self.cipher.decrypt_data(self.priv_key, parameters, univ.OctetString(encrypted))
            )
        except (StatusInformation, ValueError) as error:
            raise DatagramRejected(RejectReason.AUTH, "cannot be decrypted") from error

    def _digest_of(self, data: bytes) -> bytes:
        if self.digest is None:
            return b""
        return hmac.digest(self.auth_key, data, self.digest.hash)[: self.digest.size]


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """One user's keys before they are localised; derived once for each credential."""

    user: bytes
    context: bytes
    digest: _AuthProtocol | None = None
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
    """Derive keys from the passwords (RFC 3414 A.2: hashes a megabyte each, some 10 ms of CPU)."""
    digest = None if credential.auth_protocol is None else _AUTH_PROTOCOLS[credential.auth_protocol]
    auth_key = priv_key = cipher = None
    if digest is not None:
        auth_key = _hash_password(credential.auth_password, digest)
        if credential.priv_protocol is not None:
            # The shared service: it counts the salts, none of which may be used twice.
            cipher = service.SnmpUSMSecurityModel.PRIV_SERVICES[
                _PRIV_PROTOCOLS[credential.priv_protocol]
            ]
            priv_key = _hash_password(credential.priv_password, digest)
    return MasterKeys(
        user=credential.user.encode(),
        context=credential.context.encode(),
        digest=digest,
        auth_key=auth_key,
        cipher=cipher,
        priv_key=priv_key,
    )


def _hash_password(password: str | None, digest: _AuthProtocol) -> Any:
    return localkey.hash_passphrase((password or "").encode(), digest.hash)


@dataclass(frozen=True, slots=True)
class _Engine:
    """What is known of the router's engine; clock_s was its engine time when ours was at_s.

    proven: a message of it had a digest made with our user's key.
    """

    id: bytes
    boots: int
    clock_s: int
    at_s: float
    keys: EngineKeys
    proven: bool = False

    def clock_at(self, now_s: float) -> int:
        return max(0, self.clock_s + int(now_s - self.at_s))


@dataclass(frozen=True, slots=True)
class _SecurityHeader:
    """The sender as a message states it; proven only if `authentic` and the digest verified."""

    engine_id: bytes
    boots: int
    clock_s: int
    user: bytes
    authentic: bool


class UsmCodec:
    """Messages of one router for a version 3 user. now_s: a clock that never steps."""

    def __init__(self, keys: MasterKeys, now_s: Callable[[], float]) -> None:
        self._keys = keys
        self._now_s = now_s
        self._engine: _Engine | None = None
        self._reported: _Engine | None = None
        self._discovery = get_request(())
        self._flags = _AUTHENTIC * keys.authenticates | _PRIVATE * keys.encrypts

    def __repr__(self) -> str:
        return f"UsmCodec(user={self._keys.user!r})"

    def encode(self, request: SnmpRequest, number: int) -> EncodedRequest:
        engine = self._engine
        if engine is None:
            return self._discovery_message(number)
        clock_s = engine.clock_at(self._now_s())
        scoped = _scoped(engine.id, self._keys.context, numbered_pdu(request, number))
        message = _envelope(number, self._flags | _REPORTABLE)
        salt = b""
        if self._keys.encrypts:
            encrypted, salt = engine.keys.encrypt(encode_asn1(scoped), engine.boots, clock_s)
            _put(message[3], 1, encrypted)
        else:
            _put(message[3], 0, scoped)
        digest = bytes(self._keys.digest_size)
        _put(
            message,
            2,
            _security(engine.id, engine.boots, clock_s, self._keys.user, digest, salt),
        )
        data = encode_asn1(message)
        if self._keys.authenticates:
            data = engine.keys.signed(data)
        return EncodedRequest(ber.MessageId(_VERSION, number), data)

    def decode(self, data: bytes, request: SnmpRequest, number: int) -> SnmpResponse | EngineReport:
        message = decode_asn1(data, SNMPv3Message())
        header = message[1]
        security = decode_asn1(bytes(message[2].asOctets()), UsmSecurityParameters())
        if int(header[0]) != number or int(header[3]) != _USM:
            raise DatagramRejected(
                RejectReason.WRONG_ANSWER, "another message number or security model"
            )
        flags = header[2].asOctets()[0] & (_AUTHENTIC | _PRIVATE)
        sender = _SecurityHeader(
            engine_id=bytes(security[0].asOctets()),
            boots=int(security[1]),
            clock_s=int(security[2]),
            user=bytes(security[3].asOctets()),
            authentic=bool(flags & _AUTHENTIC),
        )
        if sender.authentic:
            self._authenticate(data, sender)
        pdu, context = self._decrypted(message, sender, bytes(security[5].asOctets()), flags)
        if isinstance(pdu, rfc1905.ReportPDU):
            return self._on_report(plain_response(pdu), sender)
        engine = self._engine
        if engine is None or sender.engine_id != engine.id or flags != self._flags:
            raise DatagramRejected(RejectReason.WRONG_ANSWER, "less protected than the request")
        if context != (engine.id, self._keys.context):
            raise DatagramRejected(RejectReason.WRONG_ANSWER, "another context")
        self._update_clock(engine, sender)
        return checked_response(request, number, plain_response(pdu))

    def reset(self) -> bool:
        self._engine, self._reported = self._reported, None
        return self._engine is not None

    def _discovery_message(self, number: int) -> EncodedRequest:
        """An empty request without engine and user, which makes the router report its engine id
        (RFC 3414, 4)."""
        message = _envelope(number, _REPORTABLE)
        _put(message, 2, _security(b"", 0, 0, b"", b"", b""))
        _put(message[3], 0, _scoped(b"", b"", numbered_pdu(self._discovery, number)))
        return EncodedRequest(ber.MessageId(_VERSION, number), encode_asn1(message))

    def _authenticate(self, data: bytes, sender: _SecurityHeader) -> None:
        """Raises DatagramRejected unless our user's key at the known engine signed the message."""
        engine = self._engine
        if engine is None or not self._keys.authenticates:
            raise DatagramRejected(RejectReason.AUTH, "signed, but no key is known for it")
        if sender.engine_id != engine.id or sender.user != self._keys.user:
            raise DatagramRejected(RejectReason.AUTH, "signed by another engine or user")
        if not engine.keys.verifies(data):
            raise DatagramRejected(RejectReason.AUTH, "the digest does not fit")

    def _decrypted(
        self, message: Asn1, sender: _SecurityHeader, salt: bytes, flags: int
    ) -> tuple[Asn1, tuple[bytes, bytes]]:
        """The PDU, decrypted if necessary, and its context (engine id, name)."""
        body = message[3]
        encrypted = body.getName() == "encryptedPDU"
        if encrypted != bool(flags & _PRIVATE):
            raise DatagramRejected(RejectReason.WRONG_ANSWER, "flags that do not fit the message")
        scoped = body.getComponent()
        if encrypted:
            engine = self._engine
            if engine is None or not sender.authentic or not self._keys.encrypts:
                raise DatagramRejected(RejectReason.AUTH, "encrypted, but no key is known for it")
            plain = engine.keys.decrypt(
                bytes(scoped.asOctets()), sender.boots, sender.clock_s, salt
            )
            scoped = decode_asn1(plain, ScopedPDU())
        context = (bytes(scoped[0].asOctets()), bytes(scoped[1].asOctets()))
        return scoped[2].getComponent(), context

    def _on_report(self, report: SnmpResponse, sender: _SecurityHeader) -> EngineReport:
        """Learn the engine or its clock (RFC 3414, 3.2 and 4). Raises DatagramRejected."""
        oid = report.varbinds[0].oid if report.varbinds else ()
        known = self._engine
        new = known is None or sender.engine_id != known.id
        if new and (known is None or oid == _UNKNOWN_ENGINE):
            if len(sender.engine_id) not in _ENGINE_SIZES:
                raise DatagramRejected(RejectReason.WRONG_ANSWER, "a report without an engine id")
            reported = _Engine(
                id=sender.engine_id,
                boots=sender.boots,
                clock_s=sender.clock_s,
                at_s=self._now_s(),
                keys=self._keys.at(sender.engine_id),
            )
            if known is not None and known.proven:
                self._reported = reported
                raise DatagramRejected(RejectReason.AUTH, "another engine, which proves nothing")
            self._engine = reported
            return EngineReport("engine")
        if oid == _NOT_IN_TIME and sender.authentic and known is not None:
            # Signed, and with our random number: valid even if the clock went backwards, as it
            # does in a router that lost its memory but kept its engine id.
            self._engine = replace(
                known, boots=sender.boots, clock_s=sender.clock_s, at_s=self._now_s(), proven=True
            )
            return EngineReport("time")
        raise DatagramRejected(RejectReason.AUTH, _REPORTS.get(oid, "an unknown report"))

    def _update_clock(self, engine: _Engine, sender: _SecurityHeader) -> None:
        """Follow the clock of a signed response; reject an old one (RFC 3414, 3.2 (7b))."""
        if not sender.authentic:
            return
        now_s = self._now_s()
        behind_s = engine.clock_at(now_s) - sender.clock_s
        if sender.boots < engine.boots or (
            sender.boots == engine.boots and behind_s > _TIME_WINDOW_S
        ):
            raise DatagramRejected(RejectReason.AUTH, "an answer from outside the time window")
        self._reported = None
        self._engine = replace(
            engine, boots=sender.boots, clock_s=sender.clock_s, at_s=now_s, proven=True
        )


def _envelope(number: int, flags: int) -> Asn1:
    message = SNMPv3Message()
    _put(message, 0, _VERSION)
    header = message.setComponentByPosition(1).getComponentByPosition(1)
    for position, value in enumerate((number, _MAX_SIZE, bytes((flags,)), _USM)):
        _put(header, position, value)
    message.setComponentByPosition(3)
    return message


def _security(
    engine_id: bytes, boots: int, clock_s: int, user: bytes, digest: bytes, salt: bytes
) -> bytes:
    parameters = UsmSecurityParameters()
    for position, value in enumerate((engine_id, boots, clock_s, user, digest, salt)):
        _put(parameters, position, value)
    return encode_asn1(parameters)


def _scoped(engine_id: bytes, context: bytes, pdu: Asn1) -> Asn1:
    scoped = ScopedPDU()
    _put(scoped, 0, engine_id)
    _put(scoped, 1, context)
    scoped.setComponentByPosition(2).getComponentByPosition(2).setComponentByType(
        pdu.tagSet, pdu, verifyConstraints=False, matchTags=False, matchConstraints=False
    )
    return scoped


def _put(message: Asn1, position: int, value: Any) -> None:
    message.setComponentByPosition(position, value)
