"""Makes private keys, and loads them with an answer to what is wrong with a file that is none."""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from certkeeper.adapters.files import FileTrouble, read_file
from certkeeper.base.errors import printable
from certkeeper.base.keys import KeyAlgorithm, KeyPair, KeySpec
from certkeeper.lineage.model import UnusableKey
from certkeeper.lineage.pem import CERTIFICATE, blocks

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

# CA/Browser Forum Baseline Requirements §6.1.5.
RSA_LEAST = 2048
_CURVES: dict[KeyAlgorithm, ec.EllipticCurve] = {
    KeyAlgorithm.P256: ec.SECP256R1(),
    KeyAlgorithm.P384: ec.SECP384R1(),
    KeyAlgorithm.P521: ec.SECP521R1(),
}
_CURVE_NAMES = {curve.name: algorithm for algorithm, curve in _CURVES.items()}
_ENCRYPTED = (b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")
# By the SHA-256 of their files: they are kept nowhere in clear.
_KEY_IDS: dict[bytes, str] = {}
_MOST_KEY_IDS = 4096
_NEW_KEY_HINT = "move the file away, and a new key is made; or put an RSA, P-256 or P-384 key in its place"


def make(spec: KeySpec) -> KeyPair:
    """A new key. RSA of 4096 bits takes a quarter of a second and more, without the interpreter's lock.

    Raises:
        UnusableKey: the size is one that no CA takes.
    """
    if spec.algorithm is KeyAlgorithm.ED25519:
        return _pair(ed25519.Ed25519PrivateKey.generate(), str(spec))
    if spec.algorithm is not KeyAlgorithm.RSA:
        return _pair(ec.generate_private_key(_CURVES[spec.algorithm]), str(spec))
    if spec.size < RSA_LEAST:
        raise UnusableKey(
            f"key {spec}: CAs take no RSA key below {RSA_LEAST} bits", hint="set KEYSIZE to 2048, 3072 or 4096"
        )
    return _pair(rsa.generate_private_key(public_exponent=65537, key_size=spec.size), str(spec))


def load_own(path: str) -> KeyPair:
    """A key that this program or dehydrated made: without the arithmetic proof of RSA keys (a quarter of a second).

    Raises:
        UnusableKey: it cannot be read, or is no key that a CA takes.
    """
    return parse_own(_read(path), path)


def load_foreign(path: str) -> KeyPair:
    """A key that a person put there, proven to be sound.

    Raises:
        UnusableKey: it cannot be read, is no key that a CA takes, or its numbers do not fit together.
    """
    return parse_foreign(_read(path), path)


def parse_own(pem: bytes, path: str) -> KeyPair:
    """As `load_own`, for content that is read already; the path is for messages."""
    block = _key_block(pem, path)
    try:
        key = load_pem_private_key(block, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unloadable(error, path) from error
    return _accepted(key, pem, path)


def own_key_id(pem: bytes, path: str) -> str:
    """The key_id of a key as `parse_own` takes it. A run asks for most of them more than once.

    Raises:
        UnusableKey: as there.
    """
    digest = hashlib.sha256(pem).digest()
    if digest not in _KEY_IDS:
        if len(_KEY_IDS) >= _MOST_KEY_IDS:
            _KEY_IDS.clear()
        _KEY_IDS[digest] = parse_own(pem, path).key_id
    return _KEY_IDS[digest]


def parse_foreign(pem: bytes, path: str) -> KeyPair:
    """As `load_foreign`, for content that is read already; the path is for messages."""
    block = _key_block(pem, path)
    try:
        key = load_pem_private_key(block, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unloadable(error, path) from error
    return _accepted(key, pem, path)


def public_key_of(pem: bytes, path: str) -> bytes:
    """The SubjectPublicKeyInfo in DER of a private key of any algorithm; the path is for messages.

    Raises:
        UnusableKey: it cannot be read.
    """
    try:
        key = load_pem_private_key(_key_block(pem, path), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unloadable(error, path) from error
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_beside(path: str, key_id: str) -> KeyPair | None:
    """The key of the certificate in that file, under the name that clients give it; None where it is not there.

    `cert-1700000000.pem` and `fullchain1.pem` make `privkey-1700000000.pem` and `privkey1.pem`.
    """
    folder, slash, name = path.rpartition("/")
    named = next((f"privkey{name.removeprefix(word)}" for word in ("cert", "fullchain") if name.startswith(word)), "")
    for candidate in dict.fromkeys((named, "privkey.pem")):
        try:
            found = load_foreign(f"{folder}{slash}{candidate}") if candidate else None
        except UnusableKey:
            continue
        if found is not None and found.key_id == key_id:
            return found
    return None


def _read(path: str) -> bytes:
    try:
        return read_file(path)
    except FileTrouble as error:
        raise UnusableKey(str(error), hint=error.hint) from error


def _key_block(pem: bytes, path: str) -> bytes:
    """The one block that is the key; `openssl ecparam -genkey` puts parameters before it, some people certificates."""
    if not pem.strip():
        raise UnusableKey(f"{path}: empty", hint=_NEW_KEY_HINT)
    if any(mark in pem for mark in _ENCRYPTED):
        raise UnusableKey(
            f"{path}: the key is encrypted, and nobody is here to type its passphrase",
            hint=f"decrypt it: (umask 077; openssl pkey -in {path} -out {path}.plain) && mv {path}.plain {path}",
        )
    found = blocks(pem)
    keys = [block.text for block in found if block.label.endswith("PRIVATE KEY")]
    if len(keys) > 1:
        raise UnusableKey(f"{path}: holds {len(keys)} private keys", hint="leave one in it")
    if keys:
        return keys[0]
    labels = {block.label for block in found}
    if CERTIFICATE in labels:
        raise UnusableKey(f"{path}: a certificate in the key's place", hint=_NEW_KEY_HINT)
    if labels:
        raise UnusableKey(f"{path}: no private key, but {' and '.join(sorted(labels))}", hint=_NEW_KEY_HINT)
    raise UnusableKey(f"{path}: not a PEM key", hint=f"see what it is: openssl pkey -in {path} -noout -text")


def _unloadable(error: Exception, path: str) -> UnusableKey:
    if isinstance(error, UnsupportedAlgorithm):
        return UnusableKey(f"{path}: an algorithm that CAs refuse ({printable(str(error), 120)})", hint=_NEW_KEY_HINT)
    return UnusableKey(
        f"{path}: not a sound private key ({printable(str(error), 120)})",
        hint=f"see what is wrong: openssl pkey -in {path} -noout -check",
    )


def _accepted(key: object, pem: bytes, path: str) -> KeyPair:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < RSA_LEAST:
            raise UnusableKey(
                f"{path}: an RSA key of {key.key_size} bits, CAs want {RSA_LEAST} at least", hint=_NEW_KEY_HINT
            )
        return _described(key, f"rsa-{key.key_size}", pem)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = _CURVE_NAMES.get(key.curve.name)
        if algorithm is not None:
            return _described(key, algorithm.value, pem)
        raise UnusableKey(f"{path}: a key on the curve {key.curve.name}, which CAs refuse", hint=_NEW_KEY_HINT)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _described(key, KeyAlgorithm.ED25519.value, pem)
    kind = type(key).__name__.removesuffix("PrivateKey")
    raise UnusableKey(f"{path}: an algorithm that CAs refuse ({kind})", hint=_NEW_KEY_HINT)


def _pair(key: Private, description: str) -> KeyPair:
    return _described(key, description, key.private_bytes(Encoding.PEM, form_of(key), NoEncryption()))


def form_of(key: Private) -> PrivateFormat:
    """As OpenSSL's own commands write new keys, so what reads dehydrated's files reads ours: SEC1 for curves."""
    return PrivateFormat.TraditionalOpenSSL if isinstance(key, ec.EllipticCurvePrivateKey) else PrivateFormat.PKCS8


def _described(key: Private, description: str, pem: bytes) -> KeyPair:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(hashlib.sha256(spki).hexdigest(), description, pem, key)
