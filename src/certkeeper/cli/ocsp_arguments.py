"""What can be typed behind `certkeeper ocsp`."""

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.life_arguments import Command

_OCSP = """\
OCSP responses: what a CA says of a certificate now, signed and good for some days, for servers that send it along.
Only certificates that name a responder have them.
"""

_SHOW = """\
Show the OCSP responses that are kept, and when each is to be asked for anew. Reads files only.

exit codes: 0 done, 1 a certificate or its response is of no use, or one with must-staple has none, 2 usage or
configuration
"""

_FETCH = """\
Ask the responders of certificates whose response is missing, has ended, or is at half of its life or OCSP_DAYS old, and
keep what they answer beside the certificate: ocsp.der, as dehydrated names it. An answer is kept only where it is
signed by the issuer or by whom the issuer gave that task, about this certificate, of now, no older than what is there,
and good. HOOK is called with deploy_ocsp for each new one, as by runs with OCSP_FETCH. Services of DEPLOY have it with
the next run, or with: certkeeper deploy NAME

exit codes: 0 done, 1 a response could not be had, a script failed or a certificate is revoked, 2 usage or
configuration, 3 another run holds the lock
"""

_CHECK = """\
Ask the responders what they say now, and look at the responses that are kept. Changes nothing.

exit codes, as monitoring plugins have them: 0 all is well, 1 a responder does not answer or a response was not renewed
in time, 2 a certificate is not good, a response that is kept is of no use, or a certificate with must-staple has none,
3 not known
"""
_UNKNOWN = 3


def add_ocsp(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: "Command") -> None:
    """`ocsp show`, `fetch` and `check`; `command` makes one that takes --config."""
    ocsp = commands.add_parser("ocsp", help="OCSP responses for servers to send along", description=_OCSP)
    parts = ocsp.add_subparsers(dest="ocsp_command", metavar="COMMAND", required=True)
    show = command(parts, "show", "show the responses that are kept", _SHOW)
    fetch = command(parts, "fetch", "ask for responses that are due, and keep them", _FETCH)
    check = command(parts, "check", "ask the responders what they say now", _CHECK)
    check.set_defaults(usage_code=_UNKNOWN)
    for part in (show, fetch, check):
        part.add_argument("names", nargs="*", metavar="NAME", help="only certificates of that alias or with that name")
        part.add_argument("--json", action="store_true", help="print JSON instead of text")
    fetch.add_argument("--force", "-x", action="store_true", help="ask although nothing is due")
