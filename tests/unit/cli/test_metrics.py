"""METRICS_FILE, read by Prometheus' own client and judged by promtool."""

import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bed import binaries
from builders.certificates import NOW
from builders.plans import leaf, lineage, spec
from certkeeper.base.names import Alias
from certkeeper.cli.metrics import RunNumbers, metrics_text
from certkeeper.cli.statusdocument import Row
from certkeeper.cli.tlsalines import InDns
from certkeeper.plan.actions import Reason
from certkeeper.plan.due import Decision
from certkeeper.plan.inservices import InService, Progress
from certkeeper.plan.instaples import InStaple, Response
from certkeeper.plan.state import State
from certkeeper.plan.tlsastands import TlsaStand, TlsaStands

HOUR = timedelta(hours=1)
RUN = RunNumbers(NOW, 1.25, 1, NOW - HOUR)


def seconds(at: datetime) -> float:
    return float(int(at.timestamp()))


def rows() -> list[Row]:
    web = spec("web.test", alias="web")
    held = TlsaStand(Alias("web"), 'mail"\\.test:25', "ageing", "ageing: …", trouble="a server lags", since=NOW)
    whole = Row(
        web,
        lineage("web", leaf("web.test")),
        Decision(Reason.CURRENT, "", NOW + 24 * HOUR),
        (),
        None,
        None,
        State.OK,
        services=(InService("nginx", Progress.SEEN, 5), InService("dovecot", Progress.FAILED, 5, 3)),
        staple=InStaple(Response.GOOD, NOW + 3 * HOUR, since=NOW - HOUR),
        records=InDns(TlsaStands(NOW, (held,)), (held,)),
    )
    mail = spec("mail.test", alias="mail")
    missing = Row(mail, lineage("mail"), Decision(Reason.MISSING, "", None), (), None, None, State.MISSING)
    return [whole, missing]


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Each sample by its name and labels, once."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.type == "gauge", family.name
        for sample in family.samples:
            key = (sample.name.removeprefix("certkeeper_"), tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def of(certificate: str, **more: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({"certificate": certificate, **more}.items()))


def test_prometheus_reads_what_status_shows() -> None:
    page = rows()
    found = read(metrics_text(RUN, page, 1, NOW + 24 * HOUR))
    live = page[0].lineage.leaf
    assert live is not None
    expected = {
        ("run_timestamp_seconds", ()): seconds(NOW),
        ("run_duration_seconds", ()): 1.25,
        ("run_exit_code", ()): 1,
        ("run_success", ()): 0,
        ("good_run_timestamp_seconds", ()): seconds(NOW - HOUR),
        ("next_due_timestamp_seconds", ()): seconds(NOW + 24 * HOUR),
        ("certificates", (("state", "ok"),)): 1,
        ("certificates", (("state", "missing"),)): 1,
        ("certificates", (("state", "rejected"),)): 1,
        ("certificates", (("state", "failed"),)): 0,
        ("certificate_not_after_timestamp_seconds", of("web")): seconds(live.not_after),
        ("certificate_last_success_timestamp_seconds", of("web")): seconds(live.not_before),
        ("certificate_due_timestamp_seconds", of("web")): seconds(NOW + 24 * HOUR),
        ("certificate_problem", of("web")): 0,
        ("certificate_problem", of("mail")): 1,
        ("certificate_state", of("mail", state="missing")): 1,
        ("staple_good", of("web")): 1,
        ("staple_this_update_timestamp_seconds", of("web")): seconds(NOW - HOUR),
        ("staple_until_timestamp_seconds", of("web")): seconds(NOW + 3 * HOUR),
        ("tlsa_state", of("web", owner='mail"\\.test:25', state="ageing")): 1,
        ("tlsa_held", of("web", owner='mail"\\.test:25')): 1,
        ("deployment_state", of("web", service="dovecot", state="failed")): 1,
        ("deployment_failures", of("web", service="dovecot")): 3,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert not [key for key in found if key[0].startswith("certificate_not_after") and "mail" in str(key)]


def test_promtool_has_nothing_to_say() -> None:
    promtool = binaries.require("promtool")
    text = metrics_text(RUN, rows(), 1, NOW)
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_page_without_certificates_and_without_a_good_run_is_whole_too() -> None:
    found = read(metrics_text(RunNumbers(NOW, 0.0, 2), (), 0, None))
    assert found["run_exit_code", ()] == 2
    assert ("good_run_timestamp_seconds", ()) not in found


def test_every_name_is_described() -> None:
    text = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `certkeeper_(\w+)", text, re.MULTILINE))
    assert described == {name for name, _ in read(metrics_text(RUN, rows(), 1, NOW))}
