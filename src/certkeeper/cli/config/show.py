"""`certkeeper config show`."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from certkeeper.base.errors import ExitCode, printable
from certkeeper.cli.compose import open_machine
from certkeeper.cli.documents import write_document
from certkeeper.cli.plan import error_document
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.config.domains import DomainList
from certkeeper.config.effective import Effective, of_certificate, of_page, own_settings
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import Configuration

_WIDEST = 48


def show(options: argparse.Namespace) -> int:
    """Print the settings that count, each with where it comes from. Secrets are masked.

    Raises:
        CertkeeperError: the page cannot be read, or a name means no certificate of it.
    """
    configuration = _configuration(options)
    selected = select(configuration, options.names)
    if options.json:
        write_document("config-show", _document(selected, whole=not options.names))
        return ExitCode.DONE
    if options.names:
        for spec in selected.certificates:
            _print(f"certificate {spec.alias}, of {spec.where}", of_certificate(selected, spec))
    else:
        _print(f"page {configuration.settings.config_file}", of_page(configuration, os.environ))
        for title, own in _parts(configuration):
            _print(title, own)
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    return ExitCode.DONE


def _configuration(options: argparse.Namespace) -> Configuration:
    """Without its certificates where their list cannot be read: what else counts can be shown all the same."""
    try:
        return open_machine(options.config, evaluator=options.evaluator).configuration
    except ConfigError as error:
        if options.names:
            raise
        try:
            found = open_machine(options.config, DomainList(), evaluator=options.evaluator).configuration
        except ConfigError:
            raise error from None
        if error.where.file != found.settings.domains_txt or error.where.line:
            raise
        print_error(error)
        return found


def _parts(configuration: Configuration) -> Iterable[tuple[str, Sequence[Effective]]]:
    """What is set for one account, zone or certificate alone."""
    said = configuration.said
    for ca, own in said.accounts.items():
        if own:
            yield f"account {printable(ca)}", own_settings(own)
    for zone, own in said.zones.items():
        yield f"zone {printable(zone)}", own_settings(own)
    for alias, certificate in said.certificates.items():
        if certificate.own:
            yield f"certificate {alias}, of {certificate.where}", own_settings(certificate.own)


def _print(title: str, settings: Sequence[Effective]) -> None:
    sys.stdout.write(f"{title}\n")
    names = max((len(item.name) for item in settings), default=0)
    texts = max((size for item in settings if (size := len(printable(item.text))) <= _WIDEST), default=0)
    for item in settings:
        sys.stdout.write(f"  {item.name:{names}}  {printable(item.text):{texts}}  {item.said}\n")


def _document(configuration: Configuration, *, whole: bool) -> Mapping[str, object]:
    said = configuration.said
    page = {"settings": [_setting(item) for item in of_page(configuration, os.environ)]}
    own = {
        "accounts": {ca: [_setting(item) for item in own_settings(own)] for ca, own in said.accounts.items() if own},
        "zones": {zone: [_setting(item) for item in own_settings(own)] for zone, own in said.zones.items()},
    }
    return {
        "file": configuration.settings.config_file,
        **({**page, **own} if whole else {}),
        "certificates": [
            {
                "alias": str(spec.alias),
                "names": [str(name) for name in spec.identifiers],
                "where": str(spec.where),
                "settings": [_setting(item) for item in of_certificate(configuration, spec)],
            }
            for spec in configuration.certificates
        ],
        "rejected": [{"name": item.label, "error": error_document(item.error)} for item in configuration.rejected],
    }


def _setting(item: Effective) -> Mapping[str, object]:
    return {
        "name": item.name,
        "value": item.text,
        "origin": item.origin.value,
        "file": item.where.file if item.where is not None else None,
        "line": item.where.line or None if item.where is not None else None,
        "under": item.under or None,
    }
