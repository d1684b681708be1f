from builders.certificates import NOW
from certkeeper.adapters.remembered import Remembered
from certkeeper.base.wire import Request, Response

DIRECTORY = Request("GET", "https://ca.test/directory")


class Counting:
    """Answers with how often it was asked."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = statuses
        self.asked = 0

    def send(self, _request: Request) -> Response:
        self.asked += 1
        return Response(self.statuses[min(self.asked, len(self.statuses)) - 1], NOW, body=b"%d" % self.asked)


def test_a_good_answer_is_given_again_without_asking() -> None:
    http = Counting(200)
    remembered = Remembered(http, [DIRECTORY.url])
    assert [remembered.send(DIRECTORY).body for _ in range(3)] == [b"1", b"1", b"1"]
    assert http.asked == 1


def test_a_failure_is_not_remembered() -> None:
    remembered = Remembered(Counting(503, 200), [DIRECTORY.url])
    assert [remembered.send(DIRECTORY).status for _ in range(2)] == [503, 200]


def test_everything_else_is_asked_each_time() -> None:
    remembered = Remembered(Counting(200), [DIRECTORY.url])
    for request in (Request("HEAD", DIRECTORY.url), Request("GET", "https://ca.test/other")):
        first, second = remembered.send(request).body, remembered.send(request).body
        assert first != second


def test_each_ca_has_its_own_answer() -> None:
    other = Request("GET", "https://other.test/directory")
    remembered = Remembered(Counting(200), [DIRECTORY.url, other.url])
    assert [remembered.send(request).body for request in (DIRECTORY, other, DIRECTORY, other)] == [b"1", b"2"] * 2
