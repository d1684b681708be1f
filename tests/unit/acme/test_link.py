import pytest

from certkeeper.acme.link import targets

BASE = "https://ca.test/acme/cert/abc"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("<https://ca.test/1>;rel=alternate", ["https://ca.test/1"], id="a token"),
        pytest.param('<https://ca.test/1>; rel="alternate"', ["https://ca.test/1"], id="quoted"),
        pytest.param('<1>;rel="alternate", <2>;rel="alternate"', ["/acme/cert/1", "/acme/cert/2"], id="two in one"),
        pytest.param('<1>;title="a, <b>; c";rel=alternate', ["/acme/cert/1"], id="a quoted comma"),
        pytest.param('<1>;title="a \\" b";rel=alternate', ["/acme/cert/1"], id="a quoted quote"),
        pytest.param('<1>;rel="up ALTERNATE"', ["/acme/cert/1"], id="one of several relations, in any case"),
        pytest.param("<1> ;REL = alternate", ["/acme/cert/1"], id="blanks"),
        pytest.param("<1>;rel=up;rel=alternate", [], id="the first rel counts"),
        pytest.param("<1>;rel=alternates", [], id="another relation"),
        pytest.param("<1>", [], id="no relation"),
        pytest.param("<1>;rel=alternate;anchor=/other", [], id="of another resource"),
        pytest.param("1;rel=alternate", [], id="no brackets"),
        pytest.param("<1;rel=alternate", [], id="half a target"),
        pytest.param('<1>;rel="alternate', [], id="half a parameter"),
        pytest.param("<1>;rel=alternate;rel", ["/acme/cert/1"], id="a parameter without a value"),
        pytest.param("<1>;;;rel=alternate;", ["/acme/cert/1"], id="empty parameters"),
        pytest.param("<1>;rel=alternate,<1#x>;rel=alternate", ["/acme/cert/1"], id="the same twice"),
        pytest.param("<?n=1>;rel=alternate", ["/acme/cert/abc?n=1"], id="a query"),
        pytest.param("<javascript:x>;rel=alternate", [], id="no http"),
        pytest.param("<https://[x>;rel=alternate", [], id="no URL"),
        pytest.param("<https://ca.test:x/>;rel=alternate", [], id="no port"),
        pytest.param("<https://ca.test/\x1b[2J>;rel=alternate", [], id="an escape sequence"),
    ],
)
def test_targets(field: str, expected: list[str]) -> None:
    whole = [url if url.startswith("https:") else f"https://ca.test{url}" for url in expected]
    assert targets([field], "alternate", BASE) == tuple(whole)


def test_fields_come_in_order() -> None:
    fields = ["<2>;rel=alternate", "<directory>;rel=index", "<1>;rel=alternate"]
    assert targets(fields, "alternate", BASE) == ("https://ca.test/acme/cert/2", "https://ca.test/acme/cert/1")
