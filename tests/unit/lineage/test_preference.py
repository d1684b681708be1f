from cryptography import x509
from cryptography.x509.oid import NameOID

from builders.certificates import fullchain, intermediate, new_key, new_root, root
from certkeeper.lineage.preference import ChainNames, chain_names, preferred

SHORT = ChainNames(("X2",), ("E1", "X2"))
LONG = ChainNames(("X1",), ("E1", "X2", "X1"))


def test_the_names_of_a_chain_with_its_root() -> None:
    names = chain_names(fullchain(new_key()))
    assert names == ChainNames(("Test Root",), ("Test Intermediate", "Test Root"))
    assert str(names) == "Test Intermediate < Test Root"


def test_an_issuer_that_is_not_in_the_chain_counts() -> None:
    leaf = intermediate().leaf(new_key())
    assert chain_names(leaf + intermediate().pem) == ChainNames(("Test Root",), ("Test Intermediate", "Test Root"))
    assert chain_names(leaf) == ChainNames(("Test Intermediate",), ("Test Intermediate",))


def test_a_name_of_a_common_name_only_is_read() -> None:
    assert root().certificate.issuer == x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Root")])
    assert preferred("Test Root", [chain_names(fullchain(new_key()))]) == 0


def test_text_of_the_ca_cannot_write_to_the_terminal() -> None:
    strange = new_root("a\x1b[2Jb")
    assert str(chain_names(strange.leaf(new_key()))) == "a [2Jb"


def test_the_end_of_a_chain_counts_before_its_middle() -> None:
    assert preferred("X2", [LONG, SHORT]) == 1
    assert preferred("X1", [SHORT, LONG]) == 1
    assert preferred("X2", [LONG]) == 0


def test_of_equal_chains_the_first_one_counts() -> None:
    assert preferred("E1", [SHORT, LONG]) == 0
    assert preferred("X2", [SHORT, SHORT]) == 0


def test_case_and_every_letter_count() -> None:
    assert preferred("x2", [SHORT, LONG]) is None
    assert preferred("X", [SHORT, LONG]) is None
    assert preferred("E1", []) is None
