"""When somebody is told, and of what."""

from datetime import datetime, timedelta

from builders.certificates import NOW
from builders.plans import configuration, spec
from certkeeper.base.value import replace
from certkeeper.plan.actions import HeldTooLong
from certkeeper.plan.alerts import Alert, Kind, Told, Trouble, alert, troubles_of

WEB = Trouble("web", "no zone holds web")
MAIL = Trouble("mail", "no zone holds mail")
EVERYBODY = frozenset({"web", "mail", "run"})
HOUR = timedelta(hours=1)


def after(*troubles: Trouble, at: datetime = NOW) -> dict[str, Told]:
    sent, told = alert(troubles, {}, EVERYBODY, at)
    assert sent is not None
    return dict(told)


def test_a_failure_is_told_once_however_long_it_lasts() -> None:
    told = after(WEB)
    assert alert([WEB], told, EVERYBODY, NOW + HOUR) == (None, told)
    assert alert([WEB], told, EVERYBODY, NOW + 9000 * HOUR) == (None, told)


def test_how_often_and_when_next_is_no_change_but_another_reason_is() -> None:
    first = Trouble("web", "failed 1 time, next try from 2026-11-29T10:00:00Z; the last failure: no zone holds web")
    assert alert([first], after(WEB), EVERYBODY, NOW + HOUR)[0] is None
    other = Trouble("web", "failed 2 times; the last failure: CAA forbids it")
    assert alert([other], after(WEB), EVERYBODY, NOW + HOUR)[0] == Alert((other,))


def test_a_new_failure_is_told_together_with_the_old_ones() -> None:
    sent, told = alert([WEB, MAIL], after(WEB), EVERYBODY, NOW + HOUR)
    assert sent == Alert((MAIL,), still=(WEB,))
    assert {key: item.at for key, item in told.items()} == {"web": NOW, "mail": NOW + HOUR}


def test_recovery_is_told_once() -> None:
    sent, told = alert([], after(WEB, MAIL), EVERYBODY, NOW + HOUR)
    assert sent == Alert((), ("mail", "web"))
    assert told == {}
    assert alert([], told, EVERYBODY, NOW + HOUR)[0] is None


def test_what_was_not_looked_at_has_not_recovered() -> None:
    sent, told = alert([], after(WEB, MAIL), {"web"}, NOW + HOUR)
    assert sent == Alert((), ("web",))
    assert set(told) == {"mail"}


def test_recovery_of_one_does_not_repeat_the_other() -> None:
    sent, told = alert([MAIL], after(WEB, MAIL), EVERYBODY, NOW + HOUR)
    assert sent == Alert((), ("web",), (MAIL,))
    assert told["mail"].at == NOW


def test_a_certificate_may_fail_and_end_soon_and_each_is_told_when_it_begins_and_when_it_is_over() -> None:
    ending = Trouble("web", "the certificate ends on 2026-12-01", kind=Kind.EXPIRING)
    looked = {WEB.key, ending.key}
    assert len(looked) == 2
    sent, told = alert([WEB, ending], after(WEB), looked, NOW + HOUR)
    assert sent == Alert((ending,), still=(WEB,))
    later = replace(ending, message="the certificate ends on 2026-12-02")
    assert alert([WEB, later], told, looked, NOW + HOUR)[0] is None
    sent, told = alert([ending], told, looked, NOW + 2 * HOUR)
    assert sent == Alert((), ("web",), (ending,))
    sent, told = alert([], told, looked, NOW + 3 * HOUR)
    assert (sent, told) == (Alert((), ("web (expiring)",)), {})


def test_the_title_names_a_few() -> None:
    assert Alert((WEB,)).title == "1 problem: web"
    many = tuple(Trouble(f"n{number}", "x") for number in range(7))
    assert Alert(many).title == "7 problems: n0, n1, n2, n3, n4 and 2 more"
    assert Alert((), ("web",)).title == "recovered: web"


def test_a_certificate_that_is_held_too_long_is_told() -> None:
    error = HeldTooLong("held, and it ends on 2026-12-03", hint="certkeeper activate example.org")
    page = configuration(spec("example.org"))
    (found,) = troubles_of(page, (), {"example.org": [error]})
    assert (found.subject, found.message, found.hint) == ("example.org", str(error), error.hint)
    assert list(troubles_of(page, (), {})) == []
