"""A CA in memory: it answers the real requests of RFC 8555, checks every signature and nonce, and signs real CSRs."""

import hashlib
import hmac
import json
import random
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cached_property
from ipaddress import ip_address
from itertools import count

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from builders.certificates import intermediate, root
from builders.fakejose import b64, public_key, thumbprint_of, unb64, verify
from builders.fakemanners import Manners, Refused
from builders.fakes import FakeClock
from builders.plans import CA
from certkeeper.base.names import DnsName
from certkeeper.base.wire import Request, Response, TransportError

HOME = CA.rpartition("/")[0]
TERMS = f"{HOME}/terms"
LIFE = timedelta(days=90)
Look = Callable[[DnsName], Sequence[frozenset[str]]]
Fetch = Callable[[str], bytes | None]
"""What is served under a token, or under a server name."""
Json = Mapping[str, object]


@dataclass(slots=True)
class _Authorization:
    number: int
    account: str
    value: str
    wildcard: bool
    token: str
    status: str = "pending"
    checked_at: float | None = None
    error: Json | None = None
    type: str = "dns"
    used: str = "dns-01"


@dataclass(slots=True)
class _Order:
    number: int
    account: str
    identifiers: tuple[tuple[str, str], ...]
    authorizations: list[_Authorization]
    csr: x509.CertificateSigningRequest | None = None
    finalized_at: float = 0.0
    chain: bytes = b""
    posts: int = 0
    """Requests for this order and what belongs to it, except those whose nonce was refused."""

    @property
    def first(self) -> str:
        return self.identifiers[0][1]


class FakeCa:
    """Implements the port Http for one CA."""

    def __init__(
        self,
        clock: FakeClock,
        look: Look,
        seed: int = 0,
        url: str = CA,
        *,
        fetch: Fetch = lambda _: None,
        connect: Fetch = lambda _: None,
    ) -> None:
        self._home = url.rpartition("/")[0]
        self.manners = Manners()
        self.orders: dict[int, _Order] = {}
        self.accounts: dict[str, ec.EllipticCurvePublicKey] = {}
        self.thumbprints: dict[str, str] = {}
        self.requests: Counter[str] = Counter()
        self.replaced: list[str] = []
        self.documents: dict[str, dict[str, object]] = {}
        self.revoked: dict[bytes, tuple[int, str]] = {}
        self._clock = clock
        self._look = look
        self._fetch = fetch
        self._connect = connect
        self._random = random.Random(seed)  # noqa: S311 - a share of refusals, not a secret
        self._numbers = count(1)
        self._nonces: set[str] = set()
        self._authorizations: dict[int, _Authorization] = {}

    def send(self, request: Request) -> Response:
        if self.manners.down:
            raise TransportError(f"{self._home}: connection refused")
        path = request.url.removeprefix(self._home)
        self.requests[path.split("/")[1]] += 1
        try:
            answer = self._route(request, path)
        except Refused as refused:
            document = {"type": f"urn:ietf:params:acme:error:{refused.type}", "detail": refused.detail}
            if refused.type == "userActionRequired":
                document |= self.manners.new_terms
            answer = self._answer(refused.status, document, location=refused.location, until=refused.until)
            if refused.type == "userActionRequired":
                answer = replace(answer, headers=(*answer.headers, *self.manners.changed_terms))
        lost = self.manners.loses_answers_to and path.startswith(self.manners.loses_answers_to)
        if lost and self.manners.most_lost:
            self.manners.most_lost -= 1
            raise TransportError(f"{self._home}: connection reset")
        return answer

    def used(self, name: str) -> str:
        """The type of the challenge that was answered last for a name."""
        return [item for item in self._authorizations.values() if _named(item) == name][-1].used

    def undecided(self, known: Container[str]) -> int:
        """Orders that may still become certificates, but for those with these URLs."""
        return sum(
            1
            for number, order in self.orders.items()
            if f"{self._home}/order/{number}" not in known and self._status(order) not in {"valid", "invalid"}
        )

    def _route(self, request: Request, path: str) -> Response:
        if (refusal := self.manners.refuses_at.get(path.split("/")[1])) is not None:
            raise refusal.error()
        if path == "/directory":
            return self._answer(200, self._directory, nonce=False)
        if path.startswith("/renewal/") and self.manners.suggests is not None:
            start, end = self.manners.suggests
            window = {"start": start.isoformat(), "end": end.isoformat()}
            return self._answer(200, {"suggestedWindow": window}, nonce=False)
        if path == "/nonce":
            return self._answer(200, None)
        assert request.method == "POST", "everything else is a POST (RFC 8555 §6.3)"
        header, payload = self._open(request, path)
        if path == "/account":
            return self._account(header, payload)
        if path == "/revoke":
            return self._revoke(header, payload)
        account = str(header["kid"])
        if self.documents[account]["status"] != "valid":
            raise Refused("unauthorized", "Account is not valid, has status 'deactivated'", 403)
        if path == "/key-change":
            return self._key_change(account, payload)
        if path.startswith("/account/"):
            assert request.url == account
            return self._account_at(account, payload)
        return self._of_orders(account, path, payload)

    def _of_orders(self, account: str, path: str, payload: Json | None) -> Response:
        kind, _, number = path[1:].partition("/")
        if kind == "new-order":
            return self._new_order(account, payload)
        if kind in {"authorization", "challenge"}:
            number, _, used = number.partition("/")
            return self._authorization(kind, self._authorizations[int(number)], payload, used or "dns-01")
        order = self.orders[int(number)]
        assert order.account == account
        order.posts += 1
        if kind == "finalize":
            return self._finalize(order, payload)
        assert payload is None, "reading is POST-as-GET (RFC 8555 §6.3)"
        if kind == "certificate":
            return self._answer(200, self.manners.delivers(order.chain))
        assert kind == "order", path
        return self._order(order, 200)

    @cached_property
    def _directory(self) -> Json:
        return {
            "newNonce": f"{self._home}/nonce",
            "newAccount": f"{self._home}/account",
            "newOrder": f"{self._home}/new-order",
            "renewalInfo": f"{self._home}/renewal",
            "keyChange": f"{self._home}/key-change",
            "revokeCert": f"{self._home}/revoke",
            "meta": {"termsOfService": f"{self._home}/terms", "externalAccountRequired": self.manners.binds},
        }

    def _open(self, request: Request, path: str) -> tuple[Json, Json | None]:
        """The protected header and the payload (None where it is empty) of a request in order (§6.2)."""
        assert dict(request.headers)["content-type"] == "application/jose+json"
        jws = json.loads(request.body)
        assert set(jws) == {"protected", "payload", "signature"}
        header = json.loads(unb64(jws["protected"]))
        assert header["url"] == request.url
        assert header["alg"] == "ES256"
        assert ("kid" in header) != ("jwk" in header), "never both (§6.2)"
        assert path == "/revoke" or ("jwk" in header) == (path == "/account"), "jwk only for newAccount"
        if header["nonce"] not in self._nonces or self._random.random() < self.manners.bad_nonces:
            self._nonces.discard(header["nonce"])
            raise Refused("badNonce", "unacceptable anti-replay nonce")
        self._nonces.remove(header["nonce"])
        key = public_key(header["jwk"]) if "jwk" in header else self.accounts.get(header["kid"])
        if key is None:
            raise Refused("accountDoesNotExist", "no such account")
        try:
            verify(key, jws)
        except InvalidSignature:
            raise Refused("malformed", "JWS verification error") from None
        payload = unb64(jws["payload"])
        return header, json.loads(payload) if payload else None

    def _account(self, header: Json, payload: Json | None) -> Response:
        assert payload is not None
        jwk = header["jwk"]
        assert isinstance(jwk, dict)
        thumbprint = thumbprint_of(jwk)
        if self.manners.binds_first and "externalAccountBinding" not in payload:
            raise Refused("externalAccountRequired", "no binding", 403)
        known = self._owner(thumbprint)
        if known is not None:
            return self._answer(200, self.documents[known], location=known)
        if payload.get("onlyReturnExisting"):
            raise Refused("accountDoesNotExist", "no account with that key")
        if self.manners.busy_until is not None:
            raise Refused("rateLimited", "too many accounts", 429, self.manners.busy_until)
        if self.manners.drops_registration:
            raise TransportError(f"{self._home}: connection reset")
        if payload.get("termsOfServiceAgreed") is not True:
            raise Refused("userActionRequired", "agree to the terms", 403)
        self._check_binding(payload, jwk)
        url = f"{self._home}/account/{next(self._numbers)}"
        self.accounts[url], self.thumbprints[url] = public_key(jwk), thumbprint
        self.documents[url] = {"status": "valid", "contact": payload.get("contact", [])}
        return self._answer(201, self.documents[url], location=url)

    def _owner(self, thumbprint: str) -> str | None:
        return next((url for url, print_ in self.thumbprints.items() if print_ == thumbprint), None)

    def _account_at(self, account: str, payload: Json | None) -> Response:
        """§7.3.2, §7.3.6."""
        document = self.documents[account]
        if payload is not None:
            assert set(payload) <= {"contact", "status"}
            assert payload.get("status", "deactivated") == "deactivated"
            document |= payload if self.manners.keeps_contact else {**payload, "contact": []}
        return self._answer(200, document)

    def _key_change(self, account: str, payload: Json | None) -> Response:
        """§7.3.5."""
        assert payload is not None
        assert set(payload) == {"protected", "payload", "signature"}
        header = json.loads(unb64(str(payload["protected"])))
        assert set(header) == {"alg", "jwk", "url"}, "no nonce"
        assert header["url"] == f"{self._home}/key-change"
        verify(public_key(header["jwk"]), payload)
        inner = json.loads(unb64(str(payload["payload"])))
        assert inner["account"] == account
        assert thumbprint_of(inner["oldKey"]) == self.thumbprints[account]
        if self.manners.refuses_key_change:
            raise Refused("malformed", "the key is refused", self.manners.refuses_key_change)
        owner = self._owner(thumbprint := thumbprint_of(header["jwk"]))
        if owner is not None:
            raise Refused("malformed", "the key is in use", 409, location=owner)
        self.accounts[account], self.thumbprints[account] = public_key(header["jwk"]), thumbprint
        return self._answer(200, None)

    def _revoke(self, header: Json, payload: Json | None) -> Response:
        """§7.6."""
        assert payload is not None
        der = unb64(str(payload["certificate"]))
        certificate = x509.load_der_x509_certificate(der)
        if "jwk" in header:
            jwk = header["jwk"]
            assert isinstance(jwk, dict)
            if public_key(jwk).public_numbers() != certificate.public_key().public_numbers():  # type: ignore[union-attr]
                raise Refused("unauthorized", "not the certificate's key", 403)
        elif str(header["kid"]) not in {order.account for order in self.orders.values() if _leaf_of(order) == der}:
            raise Refused("unauthorized", "not this account's certificate", 403)
        reason = payload.get("reason", 0)
        assert isinstance(reason, int)
        if reason not in self.manners.reasons:
            raise Refused("badRevocationReason", f"reason {reason} is not taken")
        if der in self.revoked:
            raise Refused("alreadyRevoked", "it is revoked")
        self.revoked[der] = reason, "jwk" if "jwk" in header else "kid"
        return self._answer(200, None)

    def _check_binding(self, payload: Json, jwk: Json) -> None:
        """§7.3.4."""
        jws = payload.get("externalAccountBinding")
        if jws is None:
            if self.manners.binds:
                raise Refused("externalAccountRequired", "no binding", 403)
            return
        assert isinstance(jws, dict)
        assert set(jws) == {"protected", "payload", "signature"}
        header = json.loads(unb64(jws["protected"]))
        assert set(header) == {"alg", "kid", "url"}, "no nonce"
        assert (header["alg"], header["url"]) == ("HS256", f"{self._home}/account")
        assert json.loads(unb64(jws["payload"])) == jwk
        key = self.manners.customers.get(header["kid"])
        if key is None:
            raise Refused("unauthorized", "unknown key id", 403)
        mac = hmac.new(key, f"{jws['protected']}.{jws['payload']}".encode(), "sha256").digest()
        if not hmac.compare_digest(mac, unb64(jws["signature"])):
            raise Refused("malformed", "the binding's signature is wrong")

    def _new_order(self, account: str, payload: Json | None) -> Response:
        assert payload is not None
        if self.manners.changed_terms or self.manners.new_terms:
            raise Refused("userActionRequired", "Terms of service have changed", 403)
        listed = payload["identifiers"]
        assert isinstance(listed, list)
        if "replaces" in payload:
            if self.manners.refuses_replacement:
                raise Refused(self.manners.refuses_replacement, self.manners.refusal, 409)
            self.replaced.append(str(payload["replaces"]))
        identifiers = tuple((item["type"], item["value"]) for item in listed)
        for _, value in identifiers:
            if value in self.manners.refuses_orders_of:
                raise self.manners.refuses_orders_of[value].error()
        authorizations = [self._authorization_for(account, type_, value) for type_, value in identifiers]
        self._random.shuffle(authorizations)
        order = _Order(next(self._numbers), account, identifiers, authorizations, posts=1)
        self.orders[order.number] = order
        return self._order(order, 201)

    def _authorization_for(self, account: str, type_: str, value: str) -> _Authorization:
        for known in self._authorizations.values():
            self._validate(known)
            if self.manners.reuses and known.status == "valid" and _named(known) == value and known.account == account:
                return known
        number = next(self._numbers)
        wildcard = value.startswith("*.")
        made = _Authorization(number, account, value.removeprefix("*."), wildcard, f"token-{number}", type=type_)
        self._authorizations[number] = made
        return made

    def _authorization(self, kind: str, authorization: _Authorization, payload: Json | None, used: str) -> Response:
        for order in self.orders.values():
            if any(item is authorization for item in order.authorizations):
                order.posts += 1
                break
        if kind == "challenge":
            assert payload == {}, "an empty object starts a challenge (§7.5.1)"
            if authorization.checked_at is not None:
                raise Refused("malformed", f"Cannot update challenge with status {authorization.status}")
            authorization.used = used
            authorization.checked_at = self._clock.monotonic() + self.manners.validation
        else:
            assert payload is None
        self._validate(authorization)
        if kind == "challenge":
            return self._answer(200, self._challenge(authorization, used))
        document: dict[str, object] = {
            "status": authorization.status,
            "identifier": {"type": authorization.type, "value": authorization.value},
            "challenges": [self._challenge(authorization, type_) for type_ in _offered(authorization)],
        }
        if authorization.wildcard:
            document["wildcard"] = True
        return self._answer(200, document)

    def _challenge(self, authorization: _Authorization, type_: str) -> Json:
        under_way = authorization.status == "pending" and authorization.checked_at is not None
        document: dict[str, object] = {
            "type": type_,
            "url": f"{self._home}/challenge/{authorization.number}{'' if type_ == 'dns-01' else '/' + type_}",
            "status": "processing" if under_way else authorization.status,
            "token": authorization.token,
        }
        if authorization.error is not None:
            document["error"] = authorization.error
        return document

    def _validate(self, authorization: _Authorization) -> None:
        """Look once, when the time has come; every name server that answers has to serve the value."""
        at = authorization.checked_at
        if authorization.status != "pending" or at is None or at > self._clock.monotonic():
            return
        if self._is_there(authorization) and authorization.value not in self.manners.refuses:
            authorization.status = "valid"
            return
        authorization.status = "invalid"
        authorization.error = {
            "type": "urn:ietf:params:acme:error:unauthorized",
            "detail": f"Incorrect TXT record found at _acme-challenge.{authorization.value}"
            if authorization.used == "dns-01"
            else f"nothing that proves {authorization.value} by {authorization.used}",
        }

    def _is_there(self, authorization: _Authorization) -> bool:
        key_authorization = f"{authorization.token}.{self.thumbprints[authorization.account]}"
        digest = hashlib.sha256(key_authorization.encode()).digest()
        if authorization.used == "http-01":
            return self._fetch(authorization.token) == key_authorization.encode()
        if authorization.used == "tls-alpn-01":
            return _acme_certificate(self._connect(_server_name(authorization)), authorization, digest)
        seen = self._look(DnsName(f"_acme-challenge.{authorization.value}"))
        return bool(seen) and all(b64(digest) in values for values in seen)

    def _status(self, order: _Order) -> str:
        for authorization in order.authorizations:
            self._validate(authorization)
        statuses = {authorization.status for authorization in order.authorizations}
        if "invalid" in statuses:
            return "invalid"
        if statuses != {"valid"}:
            return "pending"
        if order.csr is None:
            return "ready"
        done = order.finalized_at + self.manners.signing <= self._clock.monotonic()
        return "valid" if done and order.first not in self.manners.stuck else "processing"

    def _order(self, order: _Order, status: int) -> Response:
        document: dict[str, object] = {
            "status": self._status(order),
            "identifiers": [{"type": type_, "value": value} for type_, value in order.identifiers],
            "authorizations": [f"{self._home}/authorization/{item.number}" for item in order.authorizations],
            "finalize": f"{self._home}/finalize/{order.number}",
        }
        if document["status"] == "valid":
            order.chain = order.chain or self._sign(order)
            document["certificate"] = f"{self._home}/certificate/{order.number}"
        return self._answer(status, document, location=f"{self._home}/order/{order.number}")

    def _finalize(self, order: _Order, payload: Json | None) -> Response:
        assert payload is not None
        if self._status(order) != "ready":
            raise Refused("orderNotReady", f"order is {self._status(order)}", 403)
        csr = x509.load_der_x509_csr(unb64(str(payload["csr"])))
        if self.manners.refuses_staple and _feature(csr):
            raise Refused("unauthorized", "OCSP must-staple extension is no longer available", 403)
        order.csr = csr
        order.finalized_at = self._clock.monotonic()
        assert order.csr.is_signature_valid
        named = order.csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert sorted(_texts(named)) == sorted(value for _, value in order.identifiers)
        return self._order(order, 200)

    def _sign(self, order: _Order) -> bytes:
        assert order.csr is not None
        now = self._clock.now().replace(microsecond=0)
        signer = intermediate()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(signer.certificate.subject)
            .public_key(order.csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now - timedelta(hours=1) + LIFE)
            .add_extension(x509.SubjectAlternativeName([_general_name(*item) for item in order.identifiers]), True)
            .add_extension(x509.AuthorityKeyIdentifier(b"fake", None, None), False)
        )
        for extension in (*_feature(order.csr), *_responder(self.manners.ocsp_url)):
            builder = builder.add_extension(extension, False)
        leaf = builder.sign(signer.key, SHA256())
        return leaf.public_bytes(Encoding.PEM) + signer.pem + root().pem

    def _answer(
        self,
        status: int,
        body: Json | bytes | None,
        *,
        location: str = "",
        nonce: bool = True,
        until: datetime | None = None,
    ) -> Response:
        headers = [("location", location)] if location else []
        if self.manners.clock_ahead is not None:
            headers.append(("date", format_datetime(self._clock.now() + self.manners.clock_ahead, usegmt=True)))
        if until is not None:
            headers.append(("retry-after", format_datetime(until, usegmt=True)))
        if nonce:
            fresh = f"nonce-{next(self._numbers)}"
            self._nonces.add(fresh)
            headers.append(("replay-nonce", fresh))
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return Response(status, self._clock.now(), tuple(headers), data)


def _leaf_of(order: _Order) -> bytes:
    return x509.load_pem_x509_certificate(order.chain).public_bytes(Encoding.DER) if order.chain else b""


def _offered(authorization: _Authorization) -> list[str]:
    if authorization.wildcard:
        return ["dns-01"]
    served = ["tls-alpn-01", "http-01"]
    return served if authorization.type == "ip" else ["http-01", "dns-01", "tls-alpn-01"]


def _server_name(authorization: _Authorization) -> str:
    return ip_address(authorization.value).reverse_pointer if authorization.type == "ip" else authorization.value


def _acme_certificate(pem: bytes | None, authorization: _Authorization, digest: bytes) -> bool:
    """RFC 8737 §3: self-signed, one name, and the digest in a critical extension."""
    if pem is None:
        return False
    certificate = x509.load_pem_x509_certificate(pem)
    certificate.verify_directly_issued_by(certificate)
    extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"))
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    return (
        extension.critical
        and extension.value.value == b"\x04\x20" + digest
        and list(named) == [_general_name(authorization.type, authorization.value)]
    )


def _general_name(type_: str, value: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(value)) if type_ == "ip" else x509.DNSName(value)


def _texts(named: x509.SubjectAlternativeName) -> list[str]:
    return [
        *named.get_values_for_type(x509.DNSName),
        *(str(address) for address in named.get_values_for_type(x509.IPAddress)),
    ]


def _named(authorization: _Authorization) -> str:
    return f"*.{authorization.value}" if authorization.wildcard else authorization.value


def _feature(csr: x509.CertificateSigningRequest) -> list[x509.ExtensionType]:
    return [item.value for item in csr.extensions if isinstance(item.value, x509.TLSFeature)]


def _responder(url: str) -> list[x509.ExtensionType]:
    place = x509.UniformResourceIdentifier(url)
    access = x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP, place)
    return [x509.AuthorityInformationAccess([access])] if url else []
