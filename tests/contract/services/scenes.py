"""One service each, real or fake, with certificates that can be exchanged below it, and a target that describes it."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bed.services.apache import Apache
from bed.services.dovecot import Dovecot
from bed.services.haproxy import Haproxy
from bed.services.listening import Listening
from bed.services.nginx import NginxHosts
from bed.services.postfix import Postfix
from bed.services.prosody import ProsodyByFolder
from builders.fakeservices import FakeProbes, FakeService, FakeServices
from certkeeper.adapters.clients import Clients
from certkeeper.adapters.probe import Prober
from certkeeper.adapters.services.local import LocalServices
from certkeeper.apply.deployports import Condition, Placement, Probes, Services
from certkeeper.base.access import NO_ACCESS
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.handshake import Contact, Handshake
from certkeeper.service.kinds import Description, target
from certkeeper.service.target import Command, Form, Kind, Target

NAME = "mail.example.org"
OTHER = "www.example.org"
ALIAS = Alias(NAME)
NO_SYSTEMD = "/nonexistent"
FORMS = {Form.FULLCHAIN: "fullchain.pem", Form.PRIVKEY: "privkey.pem"} | {
    Form.KEY_FULLCHAIN: "key-first.pem",
    Form.FULLCHAIN_KEY: "key-last.pem",
}


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    key: bytes
    fullchain: bytes

    @classmethod
    def new(cls, name: str = NAME) -> "Pair":
        made = authority().issue_cert(name, key_type=trustme.KeyType.ECDSA)
        return cls(made.private_key_pem.bytes(), b"".join(blob.bytes() for blob in made.cert_chain_pems))

    @property
    def leaf(self) -> bytes:
        return x509.load_pem_x509_certificate(self.fullchain).public_bytes(Encoding.DER)


class Keys:
    """A folder with one certificate, in all forms that services want. `group` may read them."""

    def __init__(self, folder: Path, pair: Pair, group: str = "") -> None:
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.folder = folder
        self._group = group
        self.put(pair)

    def put(self, pair: Pair) -> None:
        contents = {
            Form.FULLCHAIN: pair.fullchain,
            Form.PRIVKEY: pair.key,
            Form.KEY_FULLCHAIN: pair.key + pair.fullchain,
            Form.FULLCHAIN_KEY: pair.fullchain + pair.key,
        }
        for form, content in contents.items():
            new = self.folder / "new"
            new.write_bytes(content)
            new.chmod(0o640 if self._group else 0o600)
            if self._group:
                shutil.chown(new, group=self._group)
            new.rename(self[form])

    def __getitem__(self, form: Form) -> Path:
        return self.folder / FORMS[form]

    def placement(self, target: str, *forms: Form) -> Placement:
        return Placement(target, ALIAS, {str(self[form]): form for form in forms}, NO_ACCESS)


@dataclass
class Scene:
    """`sees_mismatch`: its test tells of a key that is another certificate's. `kept` are contacts of certificates that
    are not exchanged.
    """

    target: Target
    keys: Keys
    contacts: tuple[Contact, ...]
    services: Services
    probes: Probes
    changed: tuple[Placement, ...] = ()
    sees_mismatch: bool = False
    kept: tuple[Contact, ...] = ()

    def stop(self) -> None:
        raise NotImplementedError

    def break_config(self) -> None:
        raise NotImplementedError

    def leaves(self, contacts: Sequence[Contact] = ()) -> set[bytes | None]:
        """The leaves that are shown now, in DER; None for what cannot be reached."""
        looks = self.probes.look(contacts or self.contacts)
        return {look.chain[0] if isinstance(look, Handshake) else None for look in looks}


@dataclass(kw_only=True)
class RealScene(Scene):
    bed: Listening
    config: Path
    garbage: str = "\nthis is { no configuration\n"
    services: Services = field(default_factory=lambda: LocalServices(systemd=NO_SYSTEMD))
    probes: Probes = field(default_factory=lambda: Clients(Prober()))

    def stop(self) -> None:
        self.bed.stop()

    def break_config(self) -> None:
        with self.config.open("a", encoding="utf-8") as config:
            config.write(self.garbage)


def contacts(ports: Mapping[str, int], name: str = NAME) -> tuple[Contact, ...]:
    return tuple(Contact(parse_endpoint(f"{word}://{name}:{port}@127.0.0.1")) for word, port in ports.items())


def by_pid_file(path: Path, program: str) -> Command:
    return Command(("start-stop-daemon", "--status", "--pidfile", str(path), "--exec", program))


def command(*words: str | Path) -> Command:
    return Command(tuple(map(str, words)))


@contextmanager
def nginx(place: Path) -> Iterator[RealScene]:
    keys, other = Keys(place / "keys", Pair.new()), Keys(place / "other", Pair.new(OTHER))
    hosts = {
        NAME: (keys[Form.FULLCHAIN], keys[Form.PRIVKEY]),
        OTHER: (other[Form.FULLCHAIN], other[Form.PRIVKEY]),
    }
    with NginxHosts(place / "nginx", hosts) as bed:
        yield RealScene(
            target=Target(
                "nginx",
                Kind.NGINX,
                test=(command("nginx", "-t", "-q", "-c", bed.config),),
                apply=(command("nginx", "-s", "reload", "-c", bed.config),),
                running=by_pid_file(bed.pid_file, "/usr/sbin/nginx"),
            ),
            keys=keys,
            contacts=contacts(bed.ports),
            kept=contacts(bed.ports, OTHER),
            bed=bed,
            config=bed.config,
            sees_mismatch=True,
        )


@contextmanager
def apache(place: Path) -> Iterator[RealScene]:
    keys = Keys(place / "keys", Pair.new())
    with Apache(place / "apache", NAME, keys[Form.FULLCHAIN], keys[Form.PRIVKEY]) as bed:
        yield RealScene(
            target=Target(
                "apache2",
                Kind.APACHE,
                test=(command("apache2", "-t", "-f", bed.config),),
                apply=(command("apache2", "-k", "graceful", "-f", bed.config),),
                running=by_pid_file(bed.pid_file, "/usr/sbin/apache2"),
            ),
            keys=keys,
            contacts=contacts(bed.ports),
            bed=bed,
            config=bed.config,
        )


@contextmanager
def postfix(place: Path) -> Iterator[RealScene]:
    keys = Keys(place / "keys", Pair.new())
    with Postfix(keys[Form.KEY_FULLCHAIN]) as bed:
        yield _postfix(bed, keys)


@contextmanager
def postfix_by_name(place: Path) -> Iterator[RealScene]:
    """The certificate is in a map, for one name; another one is for all others."""
    keys, other = Keys(place / "keys", Pair.new()), Keys(place / "other", Pair.new(OTHER))
    with Postfix(other[Form.KEY_FULLCHAIN], {NAME: keys[Form.KEY_FULLCHAIN]}) as bed:
        scene = _postfix(bed, keys)
        said = Description(Kind.POSTFIX, config=str(bed.config), maps=(f"hash:{bed.names}",))
        scene.target = target("postfix", said)
        scene.kept = contacts(bed.ports, OTHER)
        yield scene


def _postfix(bed: Postfix, keys: Keys) -> RealScene:
    return RealScene(
        target=Target(
            "postfix",
            Kind.POSTFIX,
            test=(command("postconf", "-c", bed.config, "-n"), command("postfix", "-c", bed.config, "check")),
            apply=(command("postfix", "-c", bed.config, "reload"),),
            running=command("postfix", "-c", bed.config, "status"),
        ),
        keys=keys,
        contacts=contacts(bed.ports),
        bed=bed,
        config=bed.main,
    )


@contextmanager
def dovecot(place: Path) -> Iterator[RealScene]:
    keys = Keys(place / "keys", Pair.new())
    with Dovecot(place / "dovecot", keys[Form.FULLCHAIN], keys[Form.PRIVKEY]) as bed:
        yield RealScene(
            target=Target(
                "dovecot",
                Kind.DOVECOT,
                test=(command("doveconf", "-c", bed.config, "-n"),),
                apply=(command("doveadm", "-c", bed.config, "reload"),),
                running=by_pid_file(place / "dovecot/run/master.pid", "/usr/sbin/dovecot"),
            ),
            keys=keys,
            contacts=contacts(bed.ports),
            bed=bed,
            config=bed.config,
        )


@contextmanager
def prosody(place: Path) -> Iterator[RealScene]:
    user = "prosody" if os.geteuid() == 0 else ""
    keys = Keys(place / "keys", Pair.new(), group=user)
    certs = place / "certs"
    certs.mkdir()
    (certs / f"{NAME}.crt").symlink_to(keys[Form.FULLCHAIN])
    (certs / f"{NAME}.key").symlink_to(keys[Form.PRIVKEY])
    with ProsodyByFolder(place / "prosody", NAME, certs) as bed:
        yield RealScene(
            target=Target(
                "prosody",
                Kind.PROSODY,
                test=(command("prosodyctl", "--config", bed.config, "check", "certs"),),
                apply=(command("prosodyctl", "--config", bed.config, "reload"),),
                running=command("prosodyctl", "--config", bed.config, "status"),
                user=user,
            ),
            keys=keys,
            contacts=contacts(bed.ports),
            bed=bed,
            config=bed.config,
            sees_mismatch=True,
        )


@contextmanager
def haproxy(place: Path) -> Iterator[RealScene]:
    keys = Keys(place / "keys", Pair.new())
    with Haproxy(keys[Form.FULLCHAIN_KEY]) as bed:
        yield RealScene(
            target=Target(
                "haproxy",
                Kind.HAPROXY,
                test=(command("haproxy", "-c", "-q", "-f", bed.config),),
                apply=(command("start-stop-daemon", "--stop", "--signal", "USR2", "--pidfile", bed.pid_file),),
                running=by_pid_file(bed.pid_file, "/usr/sbin/haproxy"),
            ),
            keys=keys,
            contacts=contacts(bed.ports),
            changed=(keys.placement("haproxy", Form.FULLCHAIN_KEY),),
            bed=bed,
            config=bed.config,
            sees_mismatch=True,
        )


@contextmanager
def haproxy_by_socket(place: Path) -> Iterator[RealScene]:
    with haproxy(place) as scene:
        assert isinstance(scene.bed, Haproxy)
        scene.target = replace(scene.target, socket=str(scene.bed.socket))
        yield scene


@dataclass(kw_only=True)
class FakeScene(Scene):
    service: FakeService

    def stop(self) -> None:
        self.service.condition = Condition.STOPPED

    def break_config(self) -> None:
        self.service.broken = "fake: fake -t ended with status 1: no configuration"


@contextmanager
def fake(place: Path) -> Iterator[FakeScene]:
    keys = Keys(place / "keys", Pair.new())
    (contact,) = shown = contacts({"https": 443})
    path = str(keys[Form.FULLCHAIN])
    service = FakeService({contact.endpoint: path}, lambda name: Path(name).read_bytes(), frozenset({path}))
    services = FakeServices({"fake": service})
    target = Target("fake", Kind.COMMAND, refresh=(command("copy"),))
    yield FakeScene(target, keys, shown, services, FakeProbes(services), service=service)


ALL = (fake, nginx, apache, postfix, postfix_by_name, dovecot, prosody, haproxy, haproxy_by_socket)
REAL = ALL[1:]
