"""HTTP with a memory for some URLs: what a plan had to look at is not fetched again by its run."""

from collections.abc import Collection

from certkeeper.apply.ports import Http
from certkeeper.base.wire import Request, Response


class Remembered:
    """Implements the port Http by another one. A GET of these that ended well is answered from then on as it was."""

    def __init__(self, http: Http, urls: Collection[str]) -> None:
        self._http = http
        self._urls = frozenset(urls)
        self._answers: dict[str, Response] = {}

    def send(self, request: Request) -> Response:
        if request.method != "GET" or request.url not in self._urls:
            return self._http.send(request)
        answer = self._answers.get(request.url) or self._http.send(request)
        if answer.status == 200:
            self._answers[request.url] = answer
        return answer
