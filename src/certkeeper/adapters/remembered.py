"""HTTP with a memory for one URL: what a plan had to look at is not fetched again by its run."""

from certkeeper.apply.ports import Http
from certkeeper.base.wire import Request, Response


class Remembered:
    """Implements the port Http by another one. A GET of `url` that ended well is answered from then on as it was."""

    def __init__(self, http: Http, url: str) -> None:
        self._http = http
        self._url = url
        self._answer: Response | None = None

    def send(self, request: Request) -> Response:
        if request.method != "GET" or request.url != self._url:
            return self._http.send(request)
        answer = self._answer or self._http.send(request)
        if answer.status == 200:
            self._answer = answer
        return answer
