"""Errors and hints of a certkeeper.toml are in its own form, those of dehydrated's page in that one."""

import json
from pathlib import Path

import pytest

from builders.page import certkeeper

TABLE = '[certificate.post]\nnames = ["example.org"]\n'
DNS = 'challengetype = ["dns-01"]\npdns_host = "localhost"\n'
HTTP = 'challengetype = ["http-01"]\n'


def native(folder: Path, text: str) -> Path:
    page = folder / "certkeeper.toml"
    page.write_text(text + TABLE, encoding="utf-8")
    return page


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        (DNS, "pdns_key is not set, pdns_host is", 'write pdns_key = "…", the api-key of pdns.conf'),
        (HTTP + 'ari = "perhaps"\n', "ari: 'perhaps' is neither yes nor no", "write ari = false"),
        (HTTP + 'renew_days = "soon"\n', "renew_days: 'soon' is no number", "write renew_days = 32"),
        (HTTP + 'key_mode = "0777"\n', "key_mode: 0777 lets", 'write key_mode = "0640", or key_mode = "0600"'),
        (HTTP + 'nameservers = ["x y"]\n', "nameservers: ", "write each word"),
    ],
)
def test_what_stops_a_command(tmp_path: Path, text: str, error: str, hint: str) -> None:
    done = certkeeper("status", "--config", native(tmp_path, text), cwd=tmp_path)
    assert error in done.only_error()
    assert hint in done.hints[0]


def test_findings(tmp_path: Path) -> None:
    page = native(tmp_path, HTTP + 'key_mode = "0640"\n')
    done = certkeeper("config", "check", "--config", page, cwd=tmp_path)
    assert "key_mode: lets a group read private keys, and cert_group does not say which" in done.out
    assert 'fix: write cert_group = "ssl-cert", or key_mode = "0600"' in done.out
    assert "KEY_MODE" not in done.text
    document = json.loads(certkeeper("config", "check", "--json", "--config", page, cwd=tmp_path).out)
    assert 'write cert_group = "ssl-cert", or key_mode = "0600"' in {item["fix"] for item in document["findings"]}


def test_what_a_page_says_is_shown_as_it_stands_there(tmp_path: Path) -> None:
    page = native(tmp_path, f'{HTTP}RENEW_DAYS = 30\nhook = "/srv/KEY_MODE"\n')
    done = certkeeper("config", "check", "--config", page, cwd=tmp_path)
    assert "RENEW_DAYS: not a setting; did you mean renew_days?" in done.out
    assert "/srv/KEY_MODE" in done.out


def test_what_is_found_without_the_page_s_reader(tmp_path: Path) -> None:
    done = certkeeper("alert", "test", "--config", native(tmp_path, HTTP), cwd=tmp_path)
    assert "none of alert_mail, alert_command and alert_urls is set" in done.text
    assert 'write alert_mail = "root", or alert_command = "/usr/local/bin/script"' in done.text


def test_dehydrated_s_page_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "config").write_text('CHALLENGETYPE="http-01"\nKEY_MODE="0777"\n', encoding="utf-8")
    (tmp_path / "domains.txt").write_text("example.org\n", encoding="utf-8")
    done = certkeeper("status", "--config", tmp_path / "config", cwd=tmp_path)
    assert done.only_error().endswith("KEY_MODE: 0777 lets everybody at private keys")
    assert done.hints == ['write KEY_MODE="0640", or KEY_MODE="0600", 0440 or 0400']
