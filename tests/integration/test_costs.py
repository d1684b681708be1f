"""What runs cost, counted: requests, changes of zones, opened files, loaded modules, started processes.

Where one of these fails after a change that is worth its price, the figure is raised by whoever made the change.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from bed.waiting import wait_until
from builders.cost import Budget, cost_of
from builders.oldfolders import leave_as_dehydrated
from builders.page import Page

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]

CALM = Budget(opened=2, modules=12, processes=0, ca=0, patches=0, others=0)
"""Nothing is due, and nothing has changed since a run found that."""
NOTHING_DUE = Budget(opened=10, modules=205, processes=0, ca=0, patches=0, others=0)
ONE = Budget(opened=48, modules=305, processes=0, ca=13, patches=2, others=19)
"""One certificate with two names; the CA may need a moment more to validate."""
FIFTY = Budget(opened=1000, modules=305, processes=0, ca=550, patches=2, others=19)
"""Fifty with two names, of one zone."""


def with_old_ones(page: Page, zone: str, number: int) -> list[str]:
    """A page with so many certificates that are not due, once runs know them; its lines."""
    lines = [f"old{each}.{zone}" for each in range(number)]
    for name in lines:
        leave_as_dehydrated(page.place(name), (name,), days_left=80)
    page.write_lines(*lines)

    def calm() -> bool:
        done = page.run(terms=False)
        assert (done.code, done.err) == (0, ""), done.text
        return (page.folder / "state" / "calm").exists()

    wait_until(calm, "runs are calm", deadline=30)
    return lines


def registered(page: Page, zone: str) -> None:
    """It has an account, and a certificate that no line asks for any more."""
    lines = page.domains.read_text(encoding="utf-8").splitlines()
    page.write_lines(f"known.{zone}")
    assert page.run().code == 0
    page.write_lines(*lines)


@pytest.mark.parametrize("number", [10, 300])
def test_nothing_due_whatever_the_number_of_certificates(make_page: MakePage, zone: str, number: int) -> None:
    page = make_page(ARI="no")
    with_old_ones(page, zone, number)
    calm = cost_of(page)
    assert f"{number} certificates, nothing due" in calm.done.out
    assert CALM.exceeded(calm) == {}
    assert calm.heavy == set()
    (page.folder / "state" / "calm").unlink()
    whole = cost_of(page)
    assert f"{number} certificates, nothing due" in whole.done.out
    assert NOTHING_DUE.exceeded(whole) == {}
    assert whole.opened_below(page.certs) == 0
    # The journal is looked at.
    assert whole.heavy == {"sqlite3"}


def test_one_certificate(make_page: MakePage, zone: str) -> None:
    page = make_page(ARI="no")
    registered(page, zone)
    page.write_lines(f"a.{zone} b.{zone}")
    cost = cost_of(page)
    assert (cost.done.code, cost.done.err) == (0, ""), cost.done.text
    assert ONE.exceeded(cost) == {}
    assert cost.heavy == {"cryptography", "dns", "sqlite3", "urllib3"}


def test_fifty_certificates(make_page: MakePage, zone: str) -> None:
    page = make_page(ARI="no")
    registered(page, zone)
    page.write_lines(*(f"a{number}.{zone} b{number}.{zone}" for number in range(50)))
    cost = cost_of(page)
    assert (cost.done.code, cost.done.err) == (0, ""), cost.done.text
    assert FIFTY.exceeded(cost) == {}


def test_one_certificate_more_on_a_long_list_costs_what_one_costs(make_page: MakePage, zone: str) -> None:
    page = make_page(ARI="no")
    registered(page, zone)
    lines = with_old_ones(page, zone, 300)
    page.write_lines(*lines, f"a.{zone} b.{zone}")
    cost = cost_of(page)
    assert (cost.done.code, cost.done.err) == (0, ""), cost.done.text
    assert "1 issued, 300 not due" in cost.done.out
    assert ONE.exceeded(cost) == {}
    assert not any(cost.opened_below(page.place(name)) for name in lines)


@pytest.mark.parametrize("wasted", ["files", "modules", "processes"])
def test_waste_shows(
    make_page: MakePage, zone: str, tmp_path: Path, wasted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look itself: what an interpreter does in addition is counted."""
    (tmp_path / "more").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "more"))
    page = make_page(ARI="no")
    with_old_ones(page, zone, 1)
    waste = {
        "files": f"[open({str(page.config)!r}).close() for _ in range(3)]",
        "modules": "import certkeeper.apply.reconcile",
        "processes": "import os; os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
    }
    (tmp_path / "more" / "sitecustomize.py").write_text(waste[wasted], encoding="utf-8")
    name = {"files": "opened"}.get(wasted, wasted)
    assert set(CALM.exceeded(cost_of(page))) == {name}
