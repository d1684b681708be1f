from dataclasses import replace

import pytest

from builders.plans import spec
from certkeeper.cli.select import NoSuchCertificate, select
from certkeeper.config.domains import parse_domains
from certkeeper.config.settings import Configuration, Settings

SETTINGS = Settings("/c", "/b", "/b/domains.txt", "/b/certs", "/b/accounts", "/b/state", None, "https://ca.test/dir")
PAGE = Configuration(SETTINGS, (spec("example.org", "www.example.org"), spec("xn--bcher-kva.example.net")))


@pytest.mark.parametrize("name", ["example.org", "WWW.Example.Org.", "www.example.org"])
def test_a_name_selects_its_certificate_however_it_is_written(name: str) -> None:
    assert [item.alias.text for item in select(PAGE, [name]).certificates] == ["example.org"]


def test_a_unicode_name_selects_its_certificate() -> None:
    assert len(select(PAGE, ["bücher.example.net"]).certificates) == 1


def test_a_name_that_is_not_there_is_refused_with_a_guess() -> None:
    with pytest.raises(NoSuchCertificate) as caught:
        select(PAGE, ["exmaple.org"])
    assert "did you mean example.org?" in caught.value.hint


@pytest.mark.parametrize("name", ["dot.org.", "dot.org", "bücher.example", "xn--bcher-kva.example", "Alias.of.org."])
def test_a_folder_that_is_called_otherwise_than_the_name_is_found_by_either(name: str) -> None:
    lines = parse_domains([("d", "dot.org.\nbücher.example\nx.org > alias.of.org.\n")]).lines
    specs = tuple(replace(spec("a.org"), alias=line.alias, identifiers=line.identifiers) for line in lines)
    assert len(select(Configuration(SETTINGS, specs), [name]).certificates) == 1
