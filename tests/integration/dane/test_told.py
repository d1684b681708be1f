"""What holds records or keys up for longer than a run is told, and that it is over; `status` says it without asking."""

import json
from pathlib import Path

import pytest

from bed import ports
from integration.dane.published import Published

pytestmark = pytest.mark.real


def test_a_hold_is_told_after_the_second_run_and_its_end_once(page: Published, tmp_path: Path) -> None:
    messages, script = tmp_path / "messages", tmp_path / "tell"
    script.write_text(f"#!/bin/sh\ncat >> {messages}\n")
    script.chmod(0o755)
    page.configure(ALERT_COMMAND=str(script))

    def told() -> list[dict[str, object]]:
        assert (done := page.run()).code == 0, done.text
        found = [json.loads(line) for line in messages.read_text().splitlines()] if messages.exists() else []
        messages.unlink(missing_ok=True)
        return found

    assert told() == []
    port = ports.reserve()
    ports.release(port)
    page.configure(NAMESERVERS=f"{page.world.nameservers} 127.0.0.1:{port}")
    silent = f"127.0.0.1:{port} gives no answer"

    assert told() == []
    (message,) = told()
    assert message["troubles"] == [
        {
            "id": "rollover-blocked",
            "subject": f"TLSA {page.owner}",
            "kind": "blocked",
            "new": True,
            "message": silent,
            "hint": "mend that name server, or take it out of the zone",
        }
    ]
    assert told() == []
    shown = page.status()
    assert f"TLSA {page.owner}: publishing, held, since " in shown.out
    assert silent in shown.out
    (item,) = json.loads(page.status("--json").out)["certificates"]
    assert item["tlsa"]["phrase"] == "publishing, held"

    page.configure(NAMESERVERS=page.world.nameservers)
    (message,) = told()
    assert (message["troubles"], message["recovered"]) == ([], [f"TLSA {page.owner}"])
    assert told() == []
    (item,) = json.loads(page.status("--json").out)["certificates"]
    assert "held" not in item["tlsa"]["phrase"]
