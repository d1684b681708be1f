"""What this machine's files say of dehydrated and of keys, below a root of the test's own."""

from pathlib import Path

import pytest

from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.handed import HandedFiles
from certkeeper.adapters.keyfiles import key_files
from certkeeper.adapters.schedules import scheduled
from certkeeper.config.moving import KeyFile, key_findings, schedule_findings

SERVICE = "[Service]\nExecStart=/usr/bin/dehydrated --cron\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def enable(root: Path, timer: str) -> None:
    link = root / "etc/systemd/system/timers.target.wants" / timer
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"/lib/systemd/system/{timer}")


def test_whatever_starts_dehydrated_is_found_with_its_line(tmp_path: Path) -> None:
    write(
        tmp_path / "etc/cron.d/acme", "# dehydrated\nMAILTO=x\n7 3 * * * root /usr/local/lib/dehydrated/dehydrated -c\n"
    )
    write(tmp_path / "etc/cron.daily/dehydrated", "#!/bin/sh\n")
    write(tmp_path / "etc/cron.weekly/certs", "#!/bin/sh\nexec dehydrated -c\n")
    write(tmp_path / "etc/crontab", "1 1 * * * root test -x /usr/bin/dehydrated && dehydrated --cron\n")
    write(tmp_path / "var/spool/cron/crontabs/root", "0 4 * * * cd /etc/dehydrated; dehydrated -c -g\n")
    enable(tmp_path, "acme.timer")
    write(tmp_path / "usr/lib/systemd/system/acme.service", SERVICE)
    enable(tmp_path, "dehydrated.timer")
    found = {str(item.where).removeprefix(f"{tmp_path}/") for item in scheduled(str(tmp_path))}
    assert found == {
        "etc/cron.d/acme:3",
        "etc/cron.daily/dehydrated",
        "etc/cron.weekly/certs:2",
        "etc/crontab:1",
        "var/spool/cron/crontabs/root:1",
        "etc/systemd/system/timers.target.wants/acme.timer",
        "etc/systemd/system/timers.target.wants/dehydrated.timer",
    }
    told = list(schedule_findings(scheduled(str(tmp_path))))
    assert {item.code for item in told} == {"dehydrated-scheduled"}
    assert "systemctl disable --now dehydrated.timer" in [item.fix for item in told]


def test_what_does_not_start_it_is_left_alone(tmp_path: Path) -> None:
    assert scheduled(str(tmp_path)) == ()
    write(tmp_path / "etc/cron.d/a", "#7 3 * * * root dehydrated -c\n7 3 * * * root tar cf x /etc/dehydrated\n")
    write(tmp_path / "etc/cron.d/b", "7 3 * * * root certkeeper dehydrated --cron\n8 3 * * * root my-dehydrated-x\n")
    # A timer that nobody enabled, and one of something else.
    write(tmp_path / "usr/lib/systemd/system/dehydrated.timer", "[Timer]\n")
    write(tmp_path / "usr/lib/systemd/system/dehydrated.service", SERVICE)
    enable(tmp_path, "apt-daily.timer")
    (tmp_path / "etc/cron.d/loop").symlink_to("loop")
    write(tmp_path / "etc/cron.d/bytes", "")
    (tmp_path / "etc/cron.d/bytes").write_bytes(b"\xff\xfe\0")
    assert scheduled(str(tmp_path)) == ()


def test_keys_that_others_may_read_or_a_group_may_not_are_told(tmp_path: Path) -> None:
    for alias, mode in (("a.org", 0o600), ("b.org", 0o644)):
        write(tmp_path / f"certs/{alias}/privkey.pem", "x")
        (tmp_path / f"certs/{alias}/privkey.pem").chmod(mode)
    write(tmp_path / "accounts/ca/account_key.pem", "x")
    (tmp_path / "accounts/ca/account_key.pem").chmod(0o604)
    (tmp_path / "certs/torn").mkdir()
    (tmp_path / "certs/torn/privkey.pem").symlink_to("nothing")
    found = key_files((f"{tmp_path}/certs", f"{tmp_path}/nothing"), f"{tmp_path}/accounts")
    assert {(item.path.removeprefix(f"{tmp_path}/"), item.others_may_read) for item in found} == {
        ("certs/a.org/privkey.pem", False),
        ("certs/b.org/privkey.pem", True),
        ("accounts/ca/account_key.pem", True),
    }
    (told,) = key_findings(found)
    assert told.code == "open-private-key"
    assert "a.org/privkey" not in told.message


def test_a_group_that_was_given_keys_and_cannot_read_them_is_told() -> None:
    useless = KeyFile("/certs/a.org/privkey.pem", others_may_read=False, group="ssl-cert")
    useful = KeyFile("/certs/b.org/privkey.pem", others_may_read=False, group="ssl-cert", group_may_read=True)
    (told,) = key_findings((useless, useful))
    assert (told.code, "group ssl-cert" in told.message, "b.org" in told.message) == ("key-group", True, False)
    assert list(key_findings((useful,))) == []


def test_a_new_file_is_private_and_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "certkeeper.toml"
    HandedFiles().write_new(str(path), b"one")
    assert path.read_bytes() == b"one"
    assert path.stat().st_mode & 0o777 == 0o600
    (tmp_path / "new" / "link").symlink_to("nowhere")
    for taken in (path, path.parent / "link"):
        with pytest.raises(FileTrouble, match="is there already"):
            HandedFiles().write_new(str(taken), b"two")
    assert path.read_bytes() == b"one"
    assert sorted(each.name for each in path.parent.iterdir()) == ["certkeeper.toml", "link"]
