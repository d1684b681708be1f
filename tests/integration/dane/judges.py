"""Others who verify TLSA records: what they say of a server, each by its own reading of the RFCs."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bed import binaries

STARTTLS = {
    "smtp": "smtp",
    "submission": "smtp",
    "imap": "imap",
    "pop3": "pop3",
    "lmtp": "lmtp",
    "sieve": "sieve",
    "xmpp-client": "xmpp",
    "xmpp-server": "xmpp-server",
}
"""What openssl calls it, where a connection does not begin with TLS."""


class Verdict(NamedTuple):
    good: bool
    text: str


def _said(*words: str | Path, prefix: Sequence[str] = ()) -> tuple[int, str]:
    ended = subprocess.run(
        [*prefix, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=30,
    )
    return ended.returncode, ended.stdout


def openssl(port: int, name: str, word: str, records: Iterable[str]) -> Verdict:
    """It is told the records: where they are from is nothing it knows."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-dane_tlsa_domain", name, "-verify_return_error"]
    words += [word for record in sorted(records) for word in ("-dane_tlsa_rrdata", record)]
    if starttls := STARTTLS.get(word):
        words += ["-starttls", starttls, *(["-xmpphost", name] if starttls.startswith("xmpp") else [])]
    _, text = _said(*words)
    matched = ("matched the EE certificate at depth 0", "matched EE certificate at depth 0")
    return Verdict(any(line in text for line in matched), text)


def ldns_of_file(port: int, name: str, records: Iterable[str], file: Path) -> Verdict:
    """ldns-dane, told the records by a file, of a port that begins with TLS.

    Without DNS it would compare the certificate's names with the address, also under usage 3.
    """
    file.write_text("".join(f"_{port}._tcp.{name}. 1 IN TLSA {record}\n" for record in sorted(records)), "ascii")
    words = ("-4", "-n", "-a", "127.0.0.1", "-t", file, "verify")
    return _ldns(*words)


def ldns(port: int, name: str, chain: Path | None = None, prefix: Sequence[str] = ()) -> Verdict:
    """ldns-dane by itself: it asks the machine's resolver. `chain`: of that file and not of the port."""
    return _ldns("-4", *(("-c", chain) if chain else ()), "verify", name, str(port), prefix=prefix)


def _ldns(*words: str | Path, prefix: Sequence[str] = ()) -> Verdict:
    code, text = _said(binaries.require("ldns-dane"), *words, prefix=prefix)
    return Verdict(code == 0 and "dane-validated successfully" in text, f"{code}: {text}")


def postfix(domain: str, prefix: Sequence[str] = ()) -> Verdict:
    """Postfix's DANE client, which follows MX records to port 25."""
    _, text = _said(binaries.require("posttls-finger"), "-c", "-l", "dane-only", "-L", "summary", domain, prefix=prefix)
    return Verdict("Verified TLS connection established" in text, text)


def hash_slinger(port: int, name: str, anchor: Path, starttls: str = "no", prefix: Sequence[str] = ()) -> Verdict:
    """`tlsa --verify`, which proves DNSSEC itself. It tells of each record, and one that matches is enough."""
    words = ("--verify", "-4", "--rootkey", anchor, "--port", str(port), "--starttls", starttls, name)
    code, text = _said(binaries.require("tlsa"), *words, prefix=prefix)
    return Verdict(code in {0, 2} and "SUCCESS" in text, f"{code}: {text}")
