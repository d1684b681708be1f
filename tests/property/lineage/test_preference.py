from hypothesis import given
from hypothesis import strategies as st

from certkeeper.lineage.preference import ChainNames, preferred

NAMES = st.sampled_from(["A", "B", "C", "D"])
CHAINS = st.lists(
    st.lists(NAMES, min_size=1, max_size=4, unique=True).map(lambda names: ChainNames((names[-1],), tuple(names))),
    max_size=5,
)


@given(NAMES, CHAINS)
def test_the_chosen_chain_holds_the_name_and_none_before_it_is_better(wanted: str, chains: list[ChainNames]) -> None:
    chosen = preferred(wanted, chains)
    if chosen is None:
        assert not any(wanted in chain.issuers for chain in chains)
        return
    assert wanted in chains[chosen].issuers
    ends = [position for position, chain in enumerate(chains) if wanted in chain.top]
    assert chosen == ends[0] if ends else all(wanted not in chain.issuers for chain in chains[:chosen])
