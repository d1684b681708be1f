"""domains.txt and the certificates' own files as dehydrated's users have them, with a real CA and name server."""

from collections.abc import Callable

import pytest

from builders.page import Page, assert_clean_dns, openssl

pytestmark = pytest.mark.real
MakePage = Callable[..., Page]


@pytest.mark.row("D01", "D02", "D05", "D08", "D10", "D11", "D16", "D17", "D20", "E01", "E02", "E05")
def test_each_line_makes_its_certificate_in_the_folder_that_dehydrated_would_take(
    make_page: MakePage, zone: str
) -> None:
    page = make_page(DOMAINS_D="$BASEDIR/own")
    page.domains.write_bytes(
        f"  {zone.upper()}\twww.{zone} # note\r\n*.star.{zone} >star star.{zone}\nbücher.{zone}\n"
        f"dot.{zone}. *.dot.{zone}\nlost.{zone} >\nip:192.0.2.8\nlast.{zone} www.last.{zone}".encode()
    )
    drop_ins = page.folder / "domains.txt.d"
    drop_ins.mkdir()
    (drop_ins / "a.txt").write_text(f"first.{zone}\n")
    (drop_ins / "b.conf").write_text(f"never.{zone}\n")
    (page.folder / "own").mkdir()
    (page.folder / "own/star").write_text("export KEY_ALGO=rsa KEYSIZE=$((1024 * 2))\n")
    (page.folder / "own" / f"bücher.{zone}").write_text("KEY_ALGO=secp384r1\nWELLKNOWN=${CERTDIR}/$alias/wk\n")
    done = page.run()
    assert done.code == 1, done.text
    for name, line in (f"lost.{zone}", 5), ("ip:192.0.2.8", 6):
        (error,) = (said for said in done.errors if said.startswith(f"{name}: "))
        assert f"{page.domains}:{line}: " in error
    expected = {
        zone: {zone, f"www.{zone}"},
        "star": {f"*.star.{zone}", f"star.{zone}"},
        f"bücher.{zone}": {f"xn--bcher-kva.{zone}"},
        f"dot.{zone}.": {f"dot.{zone}", f"*.dot.{zone}"},
        f"last.{zone}": {f"last.{zone}", f"www.last.{zone}"},
        f"first.{zone}": {f"first.{zone}"},
    }
    assert page.live() == set(expected)
    for alias, names in expected.items():
        assert page.verified_names(alias) == names
    key = {alias: openssl("pkey", "-in", page.place(alias) / "privkey.pem", "-noout", "-text") for alias in expected}
    assert "(2048 bit" in key["star"]
    assert "P-384" in key[f"bücher.{zone}"]
    assert all("P-256" in key[alias] for alias in expected if alias not in {"star", f"bücher.{zone}"})
    assert_clean_dns(page.world, zone)

    page.write_lines(
        f"www.{zone} {zone}. > {zone}", f"star.{zone} *.STAR.{zone} > star", f"bücher.{zone} bücher.{zone}"
    )
    (drop_ins / "a.txt").unlink()
    again = page.run()
    assert (again.code, "nothing due" in again.out) == (0, True), again.text


@pytest.mark.row("E07", "E08", "E11")
def test_what_is_wrong_with_a_certificates_own_file_stops_that_certificate_alone(
    make_page: MakePage, zone: str
) -> None:
    page = make_page(f"good.{zone}", f"curve.{zone}", f"hook.{zone}", f"old.{zone}", KEY_ALGO="secp384r1")
    page.certificate_config(f"curve.{zone}", KEY_ALGO="ecdsa")
    page.certificate_config(f"hook.{zone}", PDNS_HOST="", DNS_PROVIDER="hook", HOOK="")
    page.certificate_config(f"old.{zone}")
    (page.place(f"old.{zone}") / "config").write_text(";;\n;; don't ask\n;;\nKEY_ALGO=prime256v1\n")
    done = page.run()
    assert done.code == 1, done.text
    assert page.live() == {f"good.{zone}", f"old.{zone}"}
    assert any("prime256v1 or secp384r1" in hint for hint in done.hints)
    assert any(f"hook.{zone} is proven through a hook" in error for error in done.errors), done.text
    assert "P-256" in openssl("pkey", "-in", page.place(f"old.{zone}") / "privkey.pem", "-noout", "-text")
    assert "read as comments" in done.out
