"""What ZeroSSL binds a new account with: asked for by mail address, as dehydrated does."""

import json
from dataclasses import dataclass, field, replace

import pytest

from builders.dnsworld import DnsWorld
from builders.fakeca import FakeCa
from builders.fakeports import fake_ports
from builders.fakes import FakeAccounts, FakeClock, SeededExecutor, through
from builders.plans import CA, settings
from certkeeper.acme.jws import b64url
from certkeeper.acme.session import Session
from certkeeper.apply.account import BindingRefused, BindingRequired, open_session
from certkeeper.apply.credentials import CredentialsRefused
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import CredentialsRequested, Event
from certkeeper.base.wire import Request, Response, TransportError
from certkeeper.config.authority import PRESETS
from certkeeper.config.settings import ExternalAccount, Secret, Settings

SERVICE = "https://api.zerossl.com/acme/eab-credentials-email"
KEY = b"k" * 32
HMAC_KEY = b64url(KEY)
PAIR = {"success": True, "eab_kid": "kid-1", "eab_hmac_key": HMAC_KEY}
PAGE = replace(settings(), ca=PRESETS["zerossl"], contact_email="me+acme@example.org")


@dataclass(slots=True)
class Scene:
    """A CA behind ZeroSSL's URL, with the service beside it. `answer` None: nobody is there."""

    page: Settings = PAGE
    status: int = 200
    answer: object = field(default_factory=lambda: PAIR)
    clock: FakeClock = field(default_factory=FakeClock)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    asked: list[Request] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    ca: FakeCa = field(init=False)

    def __post_init__(self) -> None:
        self.ca = FakeCa(self.clock, lambda _: [])
        self.ca.manners.binds = True
        self.ca.manners.customers["kid-1"] = KEY

    def send(self, request: Request) -> Response:
        if request.url != SERVICE:
            return self.ca.send(replace(request, url=CA) if request.url == self.page.ca else request)
        self.asked.append(request)
        if self.answer is None:
            raise TransportError(f"{SERVICE}: cannot connect: refused", sent=False, hint="is it reachable?")
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return Response(self.status, self.clock.now(), (), body)

    def open(self) -> Session:
        ports = replace(fake_ports(self.clock, DnsWorld(self.clock, (), {}), self), accounts=self.accounts)
        scheduler = Scheduler(SeededExecutor(through(ports), self.clock), self.clock)
        ended: list[object] = []
        opening = open_session(self.page, user_agent="test", terms_accepted=True, tell=self.events.append)
        scheduler.spawn(opening, lambda value, error: ended.append(error or value))
        scheduler.run()
        (end,) = ended
        if isinstance(end, Exception):
            raise end
        assert isinstance(end, Session)
        return end


def test_the_pair_is_asked_for_by_mail_address_and_binds_the_new_account() -> None:
    scene = Scene()
    assert scene.open().kid == scene.accounts.kids[scene.page.ca]
    (request,) = scene.asked
    assert (request.method, request.body) == ("POST", b"email=me%2Bacme%40example.org")
    assert dict(request.headers)["content-type"] == "application/x-www-form-urlencoded"
    assert CredentialsRequested(SERVICE, PAGE.contact_email) in scene.events
    assert HMAC_KEY not in repr(scene.events)


def test_an_account_that_is_there_asks_for_nothing() -> None:
    scene = Scene()
    scene.open()
    scene.asked.clear()
    scene.open()
    assert scene.asked == []


def test_a_registration_that_was_cut_off_asks_once_more() -> None:
    scene = Scene()
    scene.ca.manners.drops_registration = True
    with pytest.raises(TransportError):
        scene.open()
    scene.ca.manners.drops_registration = False
    assert scene.open().kid == scene.accounts.kids[scene.page.ca]
    assert len(scene.asked) == 2


def test_the_page_s_own_pair_counts() -> None:
    scene = Scene(replace(PAGE, external_account=ExternalAccount("kid-1", Secret(HMAC_KEY))))
    scene.open()
    assert scene.asked == []


@pytest.mark.parametrize("ca", [CA, PRESETS["google"]])
def test_no_other_ca_s_service_hears_of_the_address(ca: str) -> None:
    scene = Scene(replace(PAGE, ca=ca))
    with pytest.raises(BindingRequired) as caught:
        scene.open()
    assert scene.asked == []
    assert "CONTACT_EMAIL" not in caught.value.hint


def test_without_an_address_it_says_so() -> None:
    scene = Scene(replace(PAGE, contact_email=""))
    with pytest.raises(BindingRequired) as caught:
        scene.open()
    assert caught.value.hint.startswith("set CONTACT_EMAIL")
    assert "app.zerossl.com" in caught.value.hint
    assert scene.asked == []


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (200, {"success": False, "error": {"code": 2900, "type": "bad_mail"}}, "HTTP 200, bad_mail"),
        (200, {"success": False, "error": {"type": "bad\x1b[2J"}}, "HTTP 200, bad [2J"),
        (200, {"success": False, "error": "no"}, "HTTP 200"),
        (200, {**PAIR, "eab_kid": ""}, "HTTP 200"),
        (200, {**PAIR, "eab_kid": "\x07"}, "HTTP 200"),
        (200, {"eab_kid": "kid-1"}, "HTTP 200"),
        (200, {**PAIR, "eab_hmac_key": f"{HMAC_KEY}+/"}, "HTTP 200"),
        (200, f"eab_hmac_key: {HMAC_KEY}".encode(), "HTTP 200"),
        (503, PAIR, "HTTP 503"),
        (302, b"", "HTTP 302"),
    ],
)
def test_an_answer_without_a_pair_is_one_error_that_holds_no_key(status: int, answer: object, said: str) -> None:
    scene = Scene(status=status, answer=answer)
    with pytest.raises(CredentialsRefused) as caught:
        scene.open()
    refused = caught.value
    assert str(refused) == f"{SERVICE}: no key id and HMAC key for CONTACT_EMAIL me+acme@example.org: {said}"
    assert "app.zerossl.com" in refused.hint
    assert HMAC_KEY not in _texts(refused)
    assert scene.accounts.keys == {}
    assert scene.ca.requests["account"] == 0


def _texts(error: BaseException | None) -> str:
    """What a traceback of it would show."""
    if error is None:
        return ""
    hint = error.hint if isinstance(error, CertkeeperError) else ""
    return f"{error!r} {hint} {_texts(error.__cause__)} {_texts(error.__context__)}"


def test_nobody_there_is_one_error_that_says_how_to_go_without() -> None:
    scene = Scene(answer=None)
    with pytest.raises(TransportError) as caught:
        scene.open()
    assert caught.value.hint.startswith("is it reachable?; or get a pair at https://app.zerossl.com/developer")
    assert scene.accounts.keys == {}


def test_a_pair_that_the_ca_does_not_take_is_said_to_be_its_own() -> None:
    scene = Scene(answer={**PAIR, "eab_kid": "kid-2"})
    with pytest.raises(BindingRefused) as caught:
        scene.open()
    assert "EAB_KID kid-2" in str(caught.value)
    assert caught.value.hint.startswith("the CA gave it out for CONTACT_EMAIL")
    assert HMAC_KEY not in _texts(caught.value)
    assert scene.accounts.keys == {}
