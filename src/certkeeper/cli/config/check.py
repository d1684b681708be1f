"""`certkeeper config check`."""

import argparse
import sys
from collections.abc import Sequence

from certkeeper.base.errors import ExitCode
from certkeeper.base.events import count
from certkeeper.cli.compose import check_page, house_findings
from certkeeper.cli.documents import write_document
from certkeeper.cli.plan import finding_document
from certkeeper.cli.render import finding_lines
from certkeeper.config.findings import Finding, Severity


def check(options: argparse.Namespace) -> int:
    """Say all that is wrong with a page and its files; nobody is asked."""
    found = check_page(options.config, options.evaluator)
    more = found.known(house_findings(found.configuration)) if found.configuration is not None else ()
    return tell((*found.findings, *more), schema="config-check" if options.json else "")


def tell(findings: Sequence[Finding], *, schema: str) -> int:
    """Print them, as a document of that schema where one is named, and end with 1 where one is an error."""
    findings = tuple(dict.fromkeys(findings))
    if schema:
        write_document(schema, {"findings": [finding_document(finding) for finding in findings]})
    else:
        for line in finding_lines(findings):
            sys.stdout.write(f"{line}\n")
        numbers = [(each, sum(1 for finding in findings if finding.severity is each)) for each in Severity]
        said = ", ".join(count(number, each.value) for each, number in numbers if number)
        sys.stdout.write(f"{said or 'nothing wrong'}\n")
    wrong = any(finding.severity is Severity.ERROR for finding in findings)
    return ExitCode.FAILED if wrong else ExitCode.DONE
