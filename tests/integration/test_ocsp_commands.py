"""`certkeeper ocsp …` on a page with dehydrated's folders, and a responder on loopback."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.ocsp import OCSPCertStatus

from bed.serving import OwnServer, Serving
from builders.certificates import NOW, Wish, intermediate, new_key, root
from builders.responder import Says, answer, by_issuer
from certkeeper.base.names import Identifier
from certkeeper.cli.main import main
from certkeeper.lineage import layout
from certkeeper.lineage.model import VersionFiles
from certkeeper.ocsp.fetch import RESPONSE_TYPE
from certkeeper.ocsp.request import Issued, issued
from contract.store.folders import dehydrated_folder

DAY = timedelta(days=1)


class Responder(Serving):
    """Answers about one certificate what a test wants, whatever it is asked."""

    def __init__(self) -> None:
        self.says, self.signer, self.status = Says(), by_issuer(), 200
        self.about: Issued | None = None
        self.asked = 0
        self.serve(_Handler)

    @property
    def der(self) -> bytes:
        assert self.about is not None
        return answer(self.about, self.says, self.signer)


class _Handler(BaseHTTPRequestHandler):
    server: OwnServer[Responder]

    def do_GET(self) -> None:
        owner = self.server.owner
        owner.asked += 1
        body = owner.der
        self.send_response(owner.status)
        self.send_header("content-type", RESPONSE_TYPE)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nobody reads it."""


class Page:
    """One certificate that names the responder, and one that names none."""

    def __init__(self, base: Path, responder: Responder, *, must_staple: bool = False) -> None:
        self.base = base
        self.folder = base / "certs" / "example.org"
        (base / "config").write_text(f'BASEDIR={base}\nCHALLENGETYPE="http-01"\nWELLKNOWN={base}\n')
        (base / "domains.txt").write_text("example.org\nplain.example.org\n")
        for name, url in (("example.org", f"http://127.0.0.1:{responder.port}"), ("plain.example.org", None)):
            key = new_key()
            wish = Wish(
                (Identifier.parse(name),),
                ocsp_url=url,
                not_after=NOW + 10_000 * DAY,
                must_staple=must_staple and url is not None,
            )
            cert = intermediate().leaf(key, wish)
            chain = intermediate().pem
            dehydrated_folder(base / "certs" / name, VersionFiles(key.pem, b"", cert, chain, cert + chain))
            if url is not None:
                responder.about = issued(cert, chain)

    def setting(self, line: str) -> None:
        with (self.base / "config").open("a") as file:
            file.write(f"{line}\n")

    def call(self, *words: str) -> tuple[int, str, str]:
        out, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(errors):
            code = main(["ocsp", *words, "-f", str(self.base / "config")])
        return code, out.getvalue(), errors.getvalue()

    def state(self, *words: str) -> tuple[int, dict[str, object]]:
        code, out, _ = self.call(*words, "--json")
        first, second = json.loads(out)["certificates"]
        assert second["state"] == "no responder"
        return code, first

    def told(self, *words: str) -> str:
        out = io.StringIO()
        with redirect_stdout(out):
            assert main([*words, "-f", str(self.base / "config")]) == 0
        return out.getvalue()

    def status(self) -> dict[str, Any]:
        found = json.loads(self.told("status", "--json"))["certificates"]
        first: dict[str, Any]
        (first,) = (item for item in found if item["alias"] == "example.org")
        return first

    @property
    def staple(self) -> bytes | None:
        path = self.folder / layout.STAPLE
        return path.read_bytes() if path.exists() else None


def test_from_none_to_good_to_revoked(tmp_path: Path) -> None:
    now = datetime.now(tz=UTC)
    with Responder() as responder:
        page = Page(tmp_path, responder)
        responder.says = Says(this_update=now - DAY, next_update=now + 9 * DAY)
        code, found = page.state("show")
        assert (code, found["state"], responder.asked) == (0, "missing", 0)

        responder.signer = by_issuer(root())
        code, _, errors = page.call("fetch")
        assert (code, page.staple) == (1, None)
        assert "nobody who may speak" in errors
        responder.signer = by_issuer()

        code, found = page.state("fetch")
        assert (code, found["state"], found["fetched"]) == (0, "good", True)
        first = page.staple
        assert first is not None
        assert Path(f"{page.folder}/ocsp.der").readlink().name.startswith("ocsp-")
        asked = responder.asked
        code, out, _ = page.call("fetch")
        assert (code, responder.asked) == (0, asked), "nothing was due"
        assert "example.org: good from" in out
        assert page.call("fetch", "--force")[0] == 0
        assert responder.asked == asked + 1
        page.setting("OCSP_DAYS=1")
        assert page.call("fetch")[0] == 0
        assert responder.asked == asked + 2
        code, out, _ = page.call("check")
        assert (code, out.splitlines()[0]) == (0, "CERTKEEPER OK - 1 of 1 certificates with a good response")
        code, out, _ = page.call("check", "plain.example.org")
        assert (code, out.splitlines()[0]) == (0, "CERTKEEPER OK - no certificate names an OCSP responder")

        responder.says = Says(this_update=now - 2 * DAY, next_update=now + 9 * DAY)
        code, found = page.state("fetch", "--force")
        assert (code, found["flaw"], page.staple) == (1, "older", first)
        responder.status = 500
        code, found = page.state("check")
        assert (code, found["flaw"], found["state"]) == (1, "http", "good")
        said = "CERTKEEPER WARNING - 1 of 1 certificates with a good response; 1 could not be confirmed"
        assert page.call("check")[1].splitlines()[0] == said
        responder.status = 200
        responder.says = Says(OCSPCertStatus.REVOKED, now, now + 9 * DAY)
        code, found = page.state("check")
        assert (code, found["state"]) == (2, "revoked")
        code, _, errors = page.call("fetch", "--force")
        assert (code, page.staple) == (1, first)
        assert "revoked" in errors


def test_a_must_staple_certificate_without_a_response_is_refused_by_clients(tmp_path: Path) -> None:
    now = datetime.now(tz=UTC)
    with Responder() as responder:
        page = Page(tmp_path, responder, must_staple=True)
        responder.says = Says(this_update=now - DAY, next_update=now + 9 * DAY)
        for words, expected in ((("show",), 1), (("check",), 2)):
            code, _, errors = page.call(*words)
            assert code == expected
            assert "example.org: it has must-staple, and there is no OCSP response" in errors
            assert "hint: certkeeper ocsp fetch example.org\n" in errors
        responder.status = 500
        code, out, errors = page.call("check", "example.org")
        assert (code, out.splitlines()[0].startswith("CERTKEEPER CRITICAL")) == (2, True)
        assert "answers with status 500" in errors
        assert "hint: certkeeper ocsp fetch example.org\n" in errors
        responder.status = 200
        assert page.call("fetch", "example.org")[0] == 0
        assert (page.call("show")[0], page.call("check")[0]) == (0, 0)


def test_status_shows_the_response_and_who_needs_one(tmp_path: Path) -> None:
    now = datetime.now(tz=UTC).replace(microsecond=0)
    with Responder() as responder:
        page = Page(tmp_path, responder, must_staple=True)
        first = page.status()
        assert (first["state"], first["ocsp"]) == (
            "unstapled",
            {"state": "missing", "until": None, "message": "there is none", "needed": True},
        )
        said = page.told("status")
        assert "    OCSP response: there is none; clients refuse the certificate without one\n" in said
        assert "    hint: certkeeper ocsp fetch example.org\n" in said

        responder.says = Says(this_update=now - DAY, next_update=now + 9 * DAY)
        assert page.call("fetch")[0] == 0
        first = page.status()
        until = f"{now + 9 * DAY:%Y-%m-%dT%H:%M:%SZ}"
        assert first["ocsp"] == {"state": "good", "until": until, "message": "", "needed": True}
        assert first["state"] != "unstapled"

        (page.folder / layout.STAPLE).write_bytes(b"nonsense")
        assert (page.status()["state"], page.status()["ocsp"]["state"]) == ("unstapled", "useless")


def test_doctor_calls_a_renewal_an_error_that_will_not_be_ordered(tmp_path: Path) -> None:
    with Responder() as responder:
        page = Page(tmp_path, responder)
        page.setting("OCSP_MUST_STAPLE=required")
        for command, severity in (("plan", "warning"), ("doctor", "error")):
            out = io.StringIO()
            with redirect_stdout(out):
                main([command, "--json", "-f", str(tmp_path / "config")])
            found = [item for item in json.loads(out.getvalue())["findings"] if item["code"] == "must-staple-required"]
            assert [item["severity"] for item in found] == [severity, severity]


def test_status_of_a_response_that_ended(tmp_path: Path) -> None:
    now = datetime.now(tz=UTC)
    with Responder() as responder:
        page = Page(tmp_path, responder)
        assert page.status()["ocsp"] is None, "nobody wants one"
        page.setting("OCSP_FETCH=yes")
        first = page.status()
        assert (first["ocsp"]["state"], first["state"] == "unstapled") == ("missing", False)
        responder.says = Says(this_update=now - 9 * DAY, next_update=now - DAY)
        (page.folder / layout.STAPLE).write_bytes(responder.der)
        assert (page.status()["state"], page.status()["ocsp"]["state"]) == ("unstapled", "ended")


def test_who_finds_a_certificate_revoked_reads_what_to_type(tmp_path: Path) -> None:
    now = datetime.now(tz=UTC)
    with Responder() as responder:
        page = Page(tmp_path, responder)
        responder.says = Says(OCSPCertStatus.REVOKED, now, now + 9 * DAY)
        assert "hint: certkeeper run --force example.org: " in page.call("check", "example.org")[2]
        page.setting('PRIVATE_KEY_RENEW="no"')
        with_key = 'hint: certkeeper run --force example.org, with PRIVATE_KEY_RENEW="yes": '
        assert with_key in page.call("check", "example.org")[2]
        page.setting('OCSP_FETCH="yes"')
        first = "hint: certkeeper ocsp fetch --force example.org, then certkeeper run example.org: "
        assert first in page.call("check", "example.org")[2]
        code, _, errors = page.call("fetch", "--force", "example.org")
        assert (code, "hint: certkeeper run example.org: " in errors) == (1, True)


def test_what_somebody_else_put_there(tmp_path: Path) -> None:
    now = datetime.now(tz=UTC)
    with Responder() as responder:
        page = Page(tmp_path, responder)
        (page.folder / layout.STAPLE).write_bytes(b"<html>")
        code, found = page.state("show")
        assert (code, found["state"], found["flaw"]) == (1, "useless", "malformed")
        assert "hint: certkeeper ocsp fetch example.org\n" in page.call("show")[2]
        responder.says = Says(this_update=now - DAY, next_update=now + DAY)
        code, found = page.state("check")
        assert (code, found["state"]) == (2, "useless")
        code, found = page.state("fetch")
        assert (code, found["state"], page.staple is not None) == (0, "good", True)


@pytest.mark.parametrize(("words", "code"), [(("show",), 1), (("fetch",), 1), (("check",), 3), (("show", "nobody"), 2)])
def test_what_cannot_be_looked_at(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    with Responder() as responder:
        page = Page(tmp_path, responder)
        (page.folder / layout.CHAIN).unlink()
        assert page.call(*words)[0] == code
