"""What each built-in service does by itself, what a description changes, and what cannot be described."""

from dataclasses import replace
from datetime import timedelta

import pytest

from certkeeper.base.access import Access
from certkeeper.base.names import Alias, Identifier
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.kinds import BUILT_IN, KINDS, BadDescription, Description, built_in, target
from certkeeper.service.target import Command, Form, Kind, Target, TargetFile


def words(commands: tuple[Command, ...]) -> list[str]:
    return [" ".join(command.words) for command in commands]


def running(found: Target) -> str:
    return " ".join(found.running.words) if found.running else ""


def files(found: Target) -> dict[str, str]:
    return {file.form.value: file.path for file in found.files}


def test_nginx_reads_certificates_where_they_are() -> None:
    found = built_in("nginx")
    assert (found.kind, found.in_place, found.unit, found.user, found.where) == (Kind.NGINX, True, "nginx", "", None)
    assert (words(found.test), words(found.apply)) == (["nginx -t -q"], ["nginx -s reload"])
    assert running(found) == "service nginx status"
    assert not found.restarts
    assert found.probe == ("https://{name}",)


def test_apache_is_told_by_the_program_that_knows_debian_s_variables() -> None:
    found = built_in("apache2")
    assert (found.in_place, found.unit) == (True, "apache2")
    assert (words(found.test), words(found.apply)) == (["apache2ctl -t"], ["apache2ctl graceful"])


def test_postfix_has_one_file_with_the_key_first() -> None:
    found = built_in("postfix")
    assert files(found) == {"key+fullchain": "/etc/postfix/certs/{alias}.pem"}
    assert (words(found.test), words(found.apply)) == (["postconf -n", "postfix check"], ["postfix reload"])
    assert (found.refresh, running(found), found.access) == ((), "postfix status", Access())
    assert found.probe == ("smtp://{name}", "submission://{name}", "smtps://{name}")


def test_dovecot_reads_certificates_where_they_are() -> None:
    found = built_in("dovecot")
    assert (found.in_place, words(found.test), words(found.apply)) == (True, ["doveconf -n"], ["doveadm reload"])
    assert running(found) == "doveadm process status"
    assert len(found.probe) == 5


def test_prosody_reads_two_files_as_itself() -> None:
    found = built_in("prosody")
    assert files(found) == {
        "fullchain": "/etc/prosody/certs/{name}.crt",
        "privkey": "/etc/prosody/certs/{name}.key",
    }
    assert (found.user, found.access, found.access.key_mode) == ("prosody", Access(group="prosody"), 0o640)
    assert (words(found.test), words(found.apply)) == (["prosodyctl about"], ["prosodyctl reload"])


def test_haproxy_has_one_file_with_the_chain_first_and_the_response_beside_it() -> None:
    found = built_in("haproxy")
    assert files(found) == {
        "fullchain+key": "/etc/haproxy/certs/{alias}.pem",
        "ocsp": "/etc/haproxy/certs/{alias}.pem.ocsp",
    }
    assert words(found.test) == ["haproxy -c -f /etc/haproxy/haproxy.cfg"]
    assert (words(found.apply), found.socket) == (["service haproxy reload"], "")


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_what_is_built_in_is_whole(name: str) -> None:
    found = built_in(name)
    assert (found.name, found.kind.value, found.unit) == (name, name, name)
    assert found.test
    assert found.apply
    assert found.running is not None
    for text in found.probe:
        parse_endpoint(text.replace("{name}", "mail.example.org"))
    folders = {file.path.rpartition("/")[0] for file in found.files}
    assert len(folders) <= 1


def test_every_kind_but_commands_is_built_in() -> None:
    assert {*KINDS} == {*Kind} - {Kind.COMMAND}


class TestDescribed:
    def test_a_word_of_the_operator_s_takes_the_default_s_place(self) -> None:
        said = Description(
            Kind.POSTFIX,
            files=(TargetFile(Form.PRIVKEY, "/srv/k"), TargetFile(Form.FULLCHAIN, "/srv/c")),
            test=(("true",),),
            running=("pgrep", "master"),
            probe=("smtp://{name}:2525",),
            user="postfix",
            bound=timedelta(seconds=5),
            certificates=("mail*",),
        )
        found = target("mail", said)
        assert (found.name, found.kind, [file.path for file in found.files]) == (
            "mail",
            Kind.POSTFIX,
            ["/srv/k", "/srv/c"],
        )
        assert found.test == (Command(("true",), timedelta(seconds=5)),)
        assert found.apply == (Command(("postfix", "reload"), timedelta(seconds=5)),)
        assert (running(found), found.user, found.probe) == ("pgrep master", "postfix", ("smtp://{name}:2525",))
        assert (found.unit, found.certificates) == ("postfix", ("mail*",))

    def test_nothing_can_be_said_too(self) -> None:
        found = target("haproxy", Description(Kind.HAPROXY, files=(), test=(), probe=(), user=""))
        assert (found.files, found.test, found.probe) == ((), (), ())

    def test_access_is_changed_part_by_part(self) -> None:
        found = target("prosody", Description(Kind.PROSODY, access=Access(mode=0o440)))
        assert found.access == Access(group="prosody", mode=0o440)
        found = target("prosody", Description(Kind.PROSODY, access=Access(owner="prosody", group="ssl-cert")))
        assert found.access == Access("prosody", "ssl-cert")

    @pytest.mark.parametrize(
        ("kind", "test", "apply", "running_"),
        [
            (Kind.NGINX, ["nginx -t -q -c /x"], "nginx -s reload -c /x", ""),
            (Kind.APACHE, ["apache2 -t -f /x"], "apache2 -f /x -k graceful", ""),
            (
                Kind.POSTFIX,
                ["postconf -c /x -n", "postfix -c /x check"],
                "postfix -c /x reload",
                "postfix -c /x status",
            ),
            (Kind.DOVECOT, ["doveconf -n -c /x"], "doveadm -c /x reload", "doveadm -c /x process status"),
            (
                Kind.PROSODY,
                ["prosodyctl --config /x about"],
                "prosodyctl --config /x reload",
                "prosodyctl --config /x status",
            ),
        ],
    )
    def test_another_configuration_is_another_process_than_debian_s(
        self, kind: Kind, test: list[str], apply: str, running_: str
    ) -> None:
        said = Description(kind, config="/x", running=() if running_ else ("true",))
        found = target("own", said)
        assert (words(found.test), words(found.apply)) == (test, [apply])
        assert running(found) == (running_ or "true")
        assert found.unit == ""
        assert target("own", replace(said, unit="own.service")).unit == "own.service"

    def test_haproxy_with_its_own_file_has_to_be_told_somehow(self) -> None:
        said = Description(Kind.HAPROXY, config="/x", running=("true",))
        with pytest.raises(BadDescription, match="nothing makes the service take new files"):
            target("own", said)
        found = target("own", replace(said, socket="/run/x.sock", running=()))
        assert (words(found.test), found.apply, found.socket) == (["haproxy -c -f /x"], (), "/run/x.sock")

    def test_each_instance_of_postfix_is_told(self) -> None:
        found = target("postfix", Description(Kind.POSTFIX, instances=("-", "postfix-out", "/etc/postfix-in")))
        assert words(found.apply) == [
            "postmulti -i - -p reload",
            "postmulti -i postfix-out -p reload",
            "postfix -c /etc/postfix-in reload",
        ]
        assert words(found.test)[2:] == [
            "postmulti -i postfix-out -x postconf -n",
            "postmulti -i postfix-out -p check",
            "postconf -c /etc/postfix-in -n",
            "postfix -c /etc/postfix-in check",
        ]
        assert (running(found), found.unit) == ("postmulti -i - -p status", "")

    def test_maps_are_made_anew_before_the_reload(self) -> None:
        said = Description(Kind.POSTFIX, maps=("hash:/etc/postfix/sni", "/srv/sni"), refresh=(("touch", "/srv/x"),))
        assert words(target("postfix", said).refresh) == [
            "postmap -F hash:/etc/postfix/sni",
            "postmap -F /srv/sni",
            "touch /srv/x",
        ]
        found = target("postfix", replace(said, config="/etc/postfix-in"))
        assert words(found.refresh)[0] == "postmap -c /etc/postfix-in -F hash:/etc/postfix/sni"

    def test_maps_are_read_without_being_made_as_the_last_part_of_any_test(self) -> None:
        said = Description(Kind.POSTFIX, maps=("hash:/etc/postfix/sni", "/srv/a:b"), test=(("true",),))
        found = target("postfix", said)
        assert words(found.test) == [
            "true",
            "postmap -F -q certkeeper.invalid texthash:/etc/postfix/sni",
            "postmap -F -q certkeeper.invalid texthash:/srv/a:b",
        ]
        assert [(item.table, item.ends) for item in found.test[1:]] == [
            ("/etc/postfix/sni", (0, 1)),
            ("/srv/a:b", (0, 1)),
        ]
        assert [(item.table, item.ends) for item in found.refresh] == [("/etc/postfix/sni", (0,)), ("/srv/a:b", (0,))]

    def test_a_command_has_what_is_said_and_nothing_else(self) -> None:
        found = target("mumble", Description(Kind.COMMAND, restart=(("systemctl", "try-restart", "mumble-server"),)))
        assert (words(found.apply), found.restarts) == (["systemctl try-restart mumble-server"], True)
        assert (found.test, found.refresh, found.running, found.unit, found.probe) == ((), (), None, "", ())

    def test_a_unit_will_do(self) -> None:
        found = target("coturn", Description(Kind.COMMAND, unit="coturn"))
        assert (found.unit, found.apply) == ("coturn", ())

    def test_a_service_that_looks_by_itself_is_told_nothing(self) -> None:
        found = target("exim", Description(Kind.COMMAND, reload=()))
        assert (found.apply, found.restarts) == ((), False)

    def test_whoever_writes_a_reload_does_not_mean_the_unit(self) -> None:
        said = Description(Kind.NGINX, reload=(("kill-hup-nginx",),))
        assert (target("nginx", said).unit, words(target("nginx", said).apply)) == ("", ["kill-hup-nginx"])
        assert target("nginx", replace(said, unit="nginx")).unit == "nginx"


@pytest.mark.parametrize(
    ("said", "key", "reason"),
    [
        (Description(Kind.NGINX, socket="/run/x"), "socket", "is haproxy's"),
        (Description(Kind.DOVECOT, maps=("/x",)), "maps", "are Postfix'"),
        (Description(Kind.HAPROXY, socket="/run/x", instances=("a",)), "instances", "are Postfix'"),
        (Description(Kind.NGINX, reload=(), restart=()), "restart", "stands beside reload"),
        (Description(Kind.POSTFIX, config="/x", instances=("a",)), "instances", "stand beside config"),
        (Description(Kind.COMMAND, config="/x", unit="a"), "config", "nobody knows"),
        (Description(Kind.COMMAND), "", "nothing makes the service take new files"),
        (Description(Kind.NGINX, config="/x"), "config", "whether that process runs is not known"),
        (Description(Kind.NGINX, access=Access(group="www-data")), "group", "counts for copies"),
        (Description(Kind.NGINX, access=Access("www-data")), "owner", "counts for copies"),
        (Description(Kind.DOVECOT, access=Access(mode=0o600)), "mode", "counts for copies"),
        (Description(Kind.POSTFIX, password_file="/x"), "password_file", "locks PKCS#12"),
    ],
)
def test_what_cannot_be_is_told_with_its_key_and_what_to_do(said: Description, key: str, reason: str) -> None:
    with pytest.raises(BadDescription) as caught:
        target("x", said)
    assert caught.value.key == key
    assert reason in str(caught.value)
    assert caught.value.hint


def test_placeholders_are_filled_once() -> None:
    file = TargetFile(Form.CERT, "/srv/{alias}/{name}.pem")
    assert file.of(Alias("mail"), Identifier.parse("*.example.org")) == "/srv/mail/example.org.pem"
    assert file.of(Alias("{name}"), Identifier.parse("example.org")) == "/srv/{name}/example.org.pem"
    assert file.of(Alias("a"), Identifier.parse("ip:2001:db8::1")) == "/srv/a/2001:db8::1.pem"
