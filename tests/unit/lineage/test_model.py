import subprocess
import sys

from builders.certificates import fullchain, new_key, version_files
from certkeeper.base.names import Alias
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain, Lineage

ALIAS = Alias("example.org")


def test_a_lineage_is_torn_when_key_and_leaf_differ_or_files_disagree() -> None:
    key = new_key()
    leaf = parse_leaf(fullchain(key))
    assert not Lineage(ALIAS, leaf=leaf, key_id=key.key_id).torn
    assert not Lineage(ALIAS, leaf=leaf).torn
    assert not Lineage(ALIAS, key_id=key.key_id).torn
    assert Lineage(ALIAS, leaf=leaf, key_id=new_key().key_id).torn
    assert Lineage(ALIAS, leaf=leaf, key_id=key.key_id, disagreement="chain.pem is another's").torn


def test_a_versions_key_is_never_shown() -> None:
    key = new_key()
    assert key.pem.splitlines()[1].decode() not in repr(version_files(key))


def test_a_bad_chain_says_everything() -> None:
    error = BadChain(("one", "two"), hint="do this")
    assert (str(error), error.mismatches, error.hint) == ("certificate chain: one; two", ("one", "two"), "do this")


def test_the_model_and_the_names_load_no_cryptography() -> None:
    program = (
        "import sys, certkeeper.lineage.model, certkeeper.lineage.layout, certkeeper.lineage.passage\n"
        "sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
