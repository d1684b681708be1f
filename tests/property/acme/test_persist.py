"""Values of dns-persist-01: what we write is read back, and whatever stands there is read or refused."""

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.acme.accountlabel import account_label
from certkeeper.acme.persist import MalformedStanding, Standing, judge_standing, parse_standing, values_of
from certkeeper.base.names import DnsName
from certkeeper.zone.rrset import canonical_txt, txt_rdata

LABELS = st.from_regex(r"[a-z0-9](?:-?[a-z0-9]){0,20}", fullmatch=True)
ISSUERS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ACCOUNTS = st.from_regex(r"https://[\x21-\x3a\x3c-\x7e]{1,400}", fullmatch=True)
STANDINGS = st.builds(
    Standing, issuer=ISSUERS, account=ACCOUNTS, wildcard=st.booleans(), until=st.none() | st.integers(0, 2**53)
)


@given(STANDINGS)
def test_what_is_written_is_read_back(standing: Standing) -> None:
    value = standing.value
    assert parse_standing(value) == standing
    assert not value.endswith(";")
    rdata = txt_rdata(value)
    assert canonical_txt(rdata) == rdata
    strings = rdata[1:-1].split('" "')
    # A long account URL does not fit into one character-string (RFC 1035 §3.3).
    assert all(len(string.replace("\\", "")) <= 255 for string in strings)
    assert len(strings) == -(-len(value) // 255)


@given(st.text(st.characters(codec="utf-8"), max_size=80) | st.text("ca.example; =accounturipolicy\t1", max_size=80))
def test_any_text_is_a_standing_or_refused(value: str) -> None:
    try:
        standing = parse_standing(value)
    except MalformedStanding:
        return
    assert parse_standing(standing.value) == standing


@given(st.lists(st.tuples(STANDINGS, st.booleans())), STANDINGS, st.integers(0, 2**40), st.booleans())
def test_others_neither_help_nor_harm(
    others: list[tuple[Standing, bool]],
    ours: Standing,
    at: int,
    wildcard: bool,  # noqa: FBT001 - drawn
) -> None:
    foreign = [item.value + ("; x" if broken else "") for item, broken in others if item.account != ours.account]
    alone = judge_standing([ours.value], issuers=[ours.issuer], account=ours.account, wildcard=wildcard, at=at)
    among = judge_standing(
        [*foreign, ours.value], issuers=[ours.issuer], account=ours.account, wildcard=wildcard, at=at
    )
    assert among == alone
    assert values_of([*foreign, ours.value], ours.account) == (ours.value,)


@given(st.text(st.characters(codec="utf-8")))
def test_every_account_s_label_is_one(account: str) -> None:
    label = account_label(account)
    assert DnsName.parse(f"{label}.example").labels[0] == label
    assert len(label) == 17
