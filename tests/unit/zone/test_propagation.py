from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import PATIENCE, Answer, Demand, Evidence, Server, Verdict, final, judge

A, B = DnsName("_acme-challenge.a.example.org"), DnsName("_acme-challenge.b.example.org")
WANTED = {A: frozenset({"1", "2"}), B: frozenset({"3"})}
NS1, NS2 = Server("ns1.example.org", "192.0.2.1"), Server("ns2.example.org", "192.0.2.2")
NS2_V6 = Server("ns2.example.org", "2001:db8::2")

CONFIRMS = Evidence(WANTED)
LACKS_B = Evidence({A: frozenset({"1", "2", "foreign"})})
SILENT_ONCE = Evidence(None, "timed out", 1)
SILENT = Evidence(None, "timed out", PATIENCE)


def verdict(evidence: dict[Server, Evidence]) -> Verdict:
    return judge(evidence, WANTED, evidence)


def test_every_server_confirms() -> None:
    said = verdict({NS1: CONFIRMS, NS2: CONFIRMS})
    assert said.proven
    assert said.confirmed == (NS1, NS2)
    assert final(said, WANTED) == frozenset()


def test_other_values_beside_the_wanted_ones_do_no_harm() -> None:
    assert verdict({NS1: Evidence({A: frozenset({"1", "2", "x"}), B: frozenset({"3", "y"})})}).proven


def test_one_value_of_two_is_not_enough() -> None:
    said = verdict({NS1: Evidence({A: frozenset({"1"}), B: frozenset({"3"})})})
    assert said.refuted == {A}


def test_a_server_that_answers_without_the_value_fails_the_names_it_lacks_and_no_others() -> None:
    said = verdict({NS1: CONFIRMS, NS2: LACKS_B})
    assert not said.proven
    assert dict(said.lacking) == {NS2: {B}}
    assert final(said, WANTED) == {B}


def test_a_silent_address_waits_for_patience_where_its_name_has_another_that_confirms() -> None:
    assert not verdict({NS1: CONFIRMS, NS2: CONFIRMS, NS2_V6: SILENT_ONCE}).proven
    assert verdict({NS1: CONFIRMS, NS2: CONFIRMS, NS2_V6: SILENT}).proven


def test_a_name_whose_addresses_are_all_silent_is_not_proven_however_long_they_are() -> None:
    said = verdict({NS1: CONFIRMS, NS2: SILENT, NS2_V6: SILENT})
    assert not said.proven
    assert dict(said.silent) == {NS2: "timed out", NS2_V6: "timed out"}


def test_at_the_bound_a_silent_server_is_no_proof_against_where_another_confirmed() -> None:
    assert final(verdict({NS1: CONFIRMS, NS2: SILENT}), WANTED) == frozenset()


def test_at_the_bound_nothing_is_proven_where_nobody_answered() -> None:
    assert final(verdict({NS1: SILENT, NS2: SILENT}), WANTED) == {A, B}


def test_a_silent_address_does_not_excuse_a_lacking_one_of_the_same_name() -> None:
    said = verdict({NS1: CONFIRMS, NS2: LACKS_B, NS2_V6: SILENT})
    assert final(said, WANTED) == {B}


def test_servers_that_were_not_asked_are_silent_in_words() -> None:
    said = judge([NS1], WANTED, {})
    assert dict(said.silent) == {NS1: "no answer yet"}
    assert not said.proven


def test_without_servers_nothing_is_ever_proven() -> None:
    said = judge([], WANTED, {})
    assert not said.proven
    assert final(said, WANTED) == {A, B}


def test_a_server_is_named_by_ns_name_address_and_unusual_port() -> None:
    assert str(NS1) == "ns1.example.org (192.0.2.1)"
    assert str(NS2_V6) == "ns2.example.org ([2001:db8::2])"
    assert str(Server("127.0.0.1", "127.0.0.1", 5300)) == "127.0.0.1:5300"
    assert str(Server("::1", "::1")) == "[::1]"


def test_where_all_are_demanded_a_silent_address_is_enough_for_not_proven() -> None:
    evidence = {NS1: CONFIRMS, NS2: CONFIRMS, NS2_V6: SILENT}
    said = judge(evidence, WANTED, evidence, demand=Demand.ALL)
    assert not said.proven
    assert final(said, WANTED, Demand.ALL) == {A, B}
    evidence[NS2_V6] = CONFIRMS
    assert judge(evidence, WANTED, evidence, demand=Demand.ALL).proven


def test_ready_is_what_nobody_lacks_once_the_silent_ones_had_their_turns() -> None:
    assert verdict({NS1: CONFIRMS, NS2: LACKS_B}).ready == {A}
    assert verdict({NS1: CONFIRMS, NS2: SILENT_ONCE}).ready == frozenset()
    assert verdict({NS1: CONFIRMS, NS2: SILENT}).ready == {A, B}
    assert verdict({NS1: SILENT}).ready == frozenset()


def test_a_flawed_owner_is_lacking_whatever_its_values_are() -> None:
    flawed = Evidence().heard(Answer(WANTED, flaws={A: "as an alias that leads back to itself"}))
    assert dict(verdict({NS1: flawed}).lacking) == {NS1: {A}}


SIGNED = Evidence().heard(Answer(WANTED, signed=True))
UNSIGNED = Evidence().heard(Answer(WANTED, unsigned=frozenset(WANTED)))
BOGUS = Evidence().heard(Answer(WANTED, bogus={B: "with a signature that does not verify"}, signed=True))
DS = frozenset({"1 13 2 ab"})


def test_a_zone_is_signed_where_any_server_shows_a_signature() -> None:
    assert verdict({NS1: UNSIGNED, NS2: UNSIGNED}).proven
    assert dict(verdict({NS1: UNSIGNED, NS2: SIGNED}).lacking) == {NS1: {A, B}}
    assert dict(verdict({NS1: BOGUS, NS2: SIGNED}).lacking) == {NS1: {B}}


def test_the_parent_has_the_last_word_on_whether_signatures_count() -> None:
    evidence = {NS1: UNSIGNED, NS2: BOGUS}
    assert judge(evidence, WANTED, evidence, ds=frozenset()).proven
    assert dict(judge([NS1], WANTED, evidence, ds=DS).lacking) == {NS1: {A, B}}


def test_a_later_answer_counts_for_the_owners_that_it_is_about() -> None:
    first = Answer(
        {A: frozenset({"1"}), B: frozenset({"3"})},
        serial=5,
        flaws={A: "flawed", B: "flawed"},
        bogus={A: "bogus"},
        unsigned=frozenset({A, B}),
        over=("udp",),
        notes=("note",),
    )
    later = Evidence().heard(first).heard(Answer({A: WANTED[A]}, serial=6, over=("tcp",)))
    assert later.served == {A: WANTED[A], B: frozenset({"3"})}
    assert later.said == Answer(later.served, 6, flaws={B: "flawed"}, unsigned=frozenset({B}), over=("tcp",), notes=())


def test_a_serial_alone_changes_nothing_but_the_serial() -> None:
    first = Answer(WANTED, serial=5, over=("udp", "tcp"), notes=("note",))
    later = Evidence().heard(first).heard(Answer({}, serial=6))
    assert (later.serial, later.said.over, later.said.notes) == (6, ("udp", "tcp"), ("note",))
    assert Evidence().heard(first).heard(Answer({})).serial == 5


def test_one_lost_answer_is_forgiven() -> None:
    once = CONFIRMS.missed("timed out")
    assert (once.served, once.silent_tries, once.trouble) == (WANTED, 1, "timed out")
    thrice = once.missed("timed out").missed("refused")
    assert (thrice.served, thrice.silent_tries, thrice.trouble) == (None, PATIENCE, "refused")
    assert once.heard(Answer(WANTED)).silent_tries == 0
