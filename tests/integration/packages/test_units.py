"""The units of `certkeeper timer` on a machine whose first process is systemd: runs at a real CA and PowerDNS."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bed.machine import Machine
from bed.namespace import Namespace
from bed.pebble import Options
from bed.powerdns import rrset
from bed.world import World
from integration.packages.conftest import PLACE, install

pytestmark = pytest.mark.real

SEED = Path(__file__).parents[2] / "data" / "seed" / "config"
SERVICE = "certkeeper.service"
SITE = """server {{
    listen 443 ssl;
    server_name {name};
    access_log /srv/log/{name}.log;
    ssl_certificate {folder}/{name}/fullchain.pem;
    ssl_certificate_key {folder}/{name}/privkey.pem;
}}
"""
REFUSED = "for file in {0}; do ! touch $file/x 2>/dev/null || {{ echo $file can be written; exit 1; }}; done"
HOOK = """#!/bin/sh
# It does what hooks do: copies, in folders of its own choice, another user's rights, and a reload.
set -eu
[ "$1" = deploy_cert ] || exit 0
for folder in /usr/local/etc/tls /srv/tls /etc/tls; do
    mkdir -p $folder
    cp "$5" "$folder/$2.pem"
done
runuser -u www-data -- id -un >/srv/tls/who
systemctl reload nginx
"""


@pytest.fixture(scope="module")
def installed(machine: Machine) -> Machine:
    install(machine, PLACE)
    machine.run("systemctl", "stop", "nginx")
    machine.run("rm", "/etc/nginx/sites-enabled/default")
    return machine


@pytest.fixture(scope="module")
def world(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """example.org leads to the machine, whose port 80 the CA asks."""
    folder = tmp_path_factory.mktemp("world")
    pebble: Options = {"http_port": 80}
    world = namespace.call(World, folder, zones=("example.org",), pebble=pebble)
    try:
        names = ("example.org", "www.example.org", "port80.example.org")
        namespace.call(world.primary.patch, "example.org", *(rrset(name, "A", ["127.0.0.1"]) for name in names))
        yield world
    finally:
        world.stop()


def page(machine: Machine, world: World, *lines: str, start: str = "", basedir: str = "/etc/dehydrated") -> None:
    """A page of dehydrated's that the CA and the PowerDNS of the world are in."""
    machine.write("/etc/ssl/pebble.pem", world.pebble.ca_bundle.read_text(encoding="utf-8"))
    settings = {
        "CA": world.pebble.directory_url,
        "CA_BUNDLE": "/etc/ssl/pebble.pem",
        "NAMESERVERS": world.nameservers,
        "CAA_CHECK": "no",
        "ARI": "no",
        "KEY_ALGO": "prime256v1",
        "WAIT": "20",
        "BASEDIR": basedir,
    }
    text = start + "".join(f'{name}="{value}"\n' for name, value in settings.items()) + "".join(f"{x}\n" for x in lines)
    machine.run("rm", "-rf", "/etc/dehydrated", basedir)
    machine.write("/etc/dehydrated/config", text, 0o600)
    machine.run("mkdir", "-p", basedir)


def api(world: World) -> tuple[str, ...]:
    url = world.primary.api_url
    return (f"PDNS_HOST={url}",)


def listed(machine: Machine, names: str, basedir: str = "/etc/dehydrated") -> None:
    machine.write(f"{basedir}/domains.txt", f"{names}\n")


def units(machine: Machine, *, refused: str = "") -> str:
    """Written and known to systemd, with a probe of the sandbox before the program: the service's text."""
    machine.run("rm", "-rf", "/etc/systemd/system/certkeeper.service.d")
    written = machine.run("certkeeper", "timer", "--write", check=False)
    if written.returncode:
        # DEHYDRATED_USER writes nothing that is root's: root puts what is printed where it says.
        assert "print them" in written.stdout
        for text in machine.run("certkeeper", "timer").stdout.split("# /etc/systemd/system/")[1:]:
            name, _, content = text.partition("\n")
            machine.write(f"/etc/systemd/system/{name}", content.partition("# or, in the place of both")[0])
    if refused:
        probe = f"[Service]\nExecStartPre=/bin/sh -c '{REFUSED.format(refused).replace('$', '$$')}'\n"
        machine.write("/etc/systemd/system/certkeeper.service.d/probe.conf", probe)
    machine.run("systemctl", "daemon-reload")
    return machine.read(f"/etc/systemd/system/{SERVICE}")


def started(machine: Machine) -> str:
    """What the service said of a run that ended well."""
    done = machine.run("systemctl", "start", SERVICE, check=False)
    said = machine.run("journalctl", "--no-pager", "--output", "cat", "--unit", SERVICE).stdout
    assert done.returncode == 0, f"{done.stdout}{said}"
    return said


def shown(namespace: Namespace, name: str) -> bytes:
    """The certificate that the machine's web server shows, in DER."""

    def look() -> bytes:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", 443), timeout=10)
        with closing(plain), context.wrap_socket(plain, server_hostname=name) as secured:
            return secured.getpeercert(binary_form=True) or b""

    return namespace.call(look)


def live(machine: Machine, name: str, basedir: str = "/etc/dehydrated") -> bytes:
    return ssl.PEM_cert_to_DER_cert(machine.read(f"{basedir}/certs/{name}/cert.pem"))


def test_the_seeds_page_with_a_web_server_that_is_reloaded(
    installed: Machine, world: World, namespace: Namespace
) -> None:
    """LOCKFILE is in /var/run and BASEDIR in /etc; nginx logs where nobody expects it, and is reloaded over D-Bus."""
    start = SEED.read_text(encoding="utf-8")
    page(
        installed,
        world,
        "HOST=",
        "KEY=",
        'DEPLOY="nginx"',
        f"PDNS_KEY={world.primary.api_key}",
        *api(world),
        start=start,
    )
    listed(installed, "example.org")
    text = units(installed, refused="/etc /usr /usr/local")
    assert "ProtectSystem=full\n" in text
    installed.run("certkeeper", "run", "--accept-terms")
    installed.run("mkdir", "-p", "/srv/log")
    site = SITE.format(name="example.org", folder="/etc/dehydrated/certs")
    installed.write("/etc/nginx/sites-enabled/site", site)
    installed.run("systemctl", "start", "nginx")
    before = shown(namespace, "example.org")
    assert before == live(installed, "example.org")

    listed(installed, "example.org www.example.org")
    said = started(installed)
    assert "error" not in said
    assert shown(namespace, "example.org") == live(installed, "example.org") != before
    assert installed.run("test", "-e", "/run/dehydrated.lock", check=False).returncode == 1


def test_without_services_all_but_the_pages_folders_is_read_only(installed: Machine, world: World) -> None:
    installed.run("mkdir", "-p", "/etc/credstore")
    installed.write("/etc/credstore/pdns-key", world.primary.api_key, 0o600)
    lines = (
        "CHALLENGETYPE=dns-01",
        "LOCKFILE=/var/run/dehydrated.lock",
        "PDNS_KEY_FILE=credential:pdns-key",
        *api(world),
    )
    page(installed, world, *lines)
    listed(installed, "example.org")
    text = units(installed, refused="/etc /usr /srv /var/lib /var/log /root /home /boot")
    assert "ProtectSystem=strict\n" in text
    assert "LoadCredential=pdns-key:/etc/credstore/pdns-key\n" in text
    installed.run("certkeeper", "run", "--accept-terms")
    listed(installed, "example.org\nwww.example.org")
    started(installed)
    assert live(installed, "www.example.org")


def test_a_hook_does_what_hooks_do(installed: Machine, world: World) -> None:
    lines = ("CHALLENGETYPE=dns-01", "DNS_PROVIDER=powerdns", f"PDNS_KEY={world.primary.api_key}", *api(world))
    page(installed, world, *lines, "HOOK=/etc/dehydrated/hook.sh")
    installed.write("/etc/dehydrated/hook.sh", HOOK, 0o755)
    listed(installed, "example.org")
    text = units(installed, refused="/usr /usr/bin /boot")
    assert "may write anywhere: /etc/dehydrated/hook.sh\n" in text
    installed.run("systemctl", "start", "nginx")
    installed.run("certkeeper", "run", "--accept-terms")
    installed.run("rm", "-rf", "/usr/local/etc/tls", "/srv/tls", "/etc/tls")
    listed(installed, "example.org www.example.org")
    began = installed.run("date", "+%s").stdout.strip()
    started(installed)
    chain = installed.read("/etc/dehydrated/certs/example.org/fullchain.pem")
    for folder in ("/usr/local/etc/tls", "/srv/tls", "/etc/tls"):
        assert installed.read(f"{folder}/example.org.pem") == chain
    assert installed.read("/srv/tls/who") == "www-data\n"
    assert (
        "Reloaded nginx" in installed.run("journalctl", "--no-pager", "--unit", "nginx", "--since", f"@{began}").stdout
    )


def test_a_user_of_its_own_answers_on_port_80(installed: Machine, world: World) -> None:
    installed.run("systemctl", "stop", "nginx")
    installed.run("useradd", "--system", "certs")
    lines = ("CHALLENGETYPE=http-01", "HTTP_LISTEN=:80", "DEHYDRATED_USER=certs")
    page(installed, world, *lines, basedir="/srv/certs")
    installed.run("chmod", "644", "/etc/dehydrated/config")
    listed(installed, "port80.example.org", "/srv/certs")
    installed.run("chown", "-R", "certs", "/srv/certs")
    text = units(installed, refused="/etc /usr /srv /var/lib /tmp/..")
    assert "User=certs\n" in text
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in text
    installed.run("certkeeper", "account", "register", "--accept-terms")
    started(installed)
    assert live(installed, "port80.example.org", "/srv/certs")
