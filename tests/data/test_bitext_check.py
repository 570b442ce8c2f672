"""The rules that tell from texts alone that a pair is no translation."""

import pytest

from spacy_optical.data.bitext_check import names_of, rule_faults, script_of, shares_no_name

WORDS = ["maji", "moto", "mkate", "nyumba", "mtoto", "barabara", "shule", "daktari"]
ENGLISH = ["water", "fire", "bread", "house", "child", "road", "school", "doctor"]


def sound(n=100):
    """Pairs of English and Swahili words, all different."""
    for i in range(n):
        picked = [(i * (k + 3) + k) % 8 for k in range(3 + i % 5)]
        yield f"{i} " + " ".join(ENGLISH[j] for j in picked), " ".join(WORDS[j] for j in picked)


def faults_with(*pairs):
    """Faults of pairs that stand among sound ones."""
    sources, targets = zip(*[*sound(), *pairs], strict=True)
    found = rule_faults(sources, targets)
    assert not any(found[:100]), found[:100]
    return found[100:]


@pytest.mark.parametrize(
    ("source", "target", "fault"),
    [
        ("The house on the road", "the HOUSE on the road!", "copied"),
        ("2020", "2020", ""),
        ("water and bread", "पाणी आणि भाकरी", "script"),
        ("water and bread", "house road water fire", "language"),
        ("water", "maji " * 40, "length"),
        ("So Anna Smith met Musa Keller in Paris.", "mtoto na daktari katika shule", "names"),
        ("So Anna Smith met Musa Keller in Paris.", "daktari Ana Smit na mtoto shule", ""),
    ],
)
def test_a_fault_is_named(source, target, fault):
    assert faults_with((source, target)) == [fault]


def test_a_pair_is_a_duplicate_the_second_time_also_across_files():
    pair = ("bread, water", "mkate, maji")
    assert faults_with(pair, ("Bread water!", "MKATE maji")) == ["", "duplicate"]
    seen = set()
    sources, targets = zip(*sound(), strict=True)
    assert not any(rule_faults(sources, targets, seen=seen))
    assert set(rule_faults(sources, targets, seen=seen)) == {"duplicate"}


def test_two_scripts_that_are_both_usual_are_no_fault():
    pairs = [("water bread", f"вода хлеб {i}") for i in range(30)]
    pairs += [("fire house", f"vatra kuća {i}") for i in range(10)]
    assert set(rule_faults(*zip(*pairs, strict=True))) == {"", "script"}
    # The second script is that of the source side: those targets may not be translated.
    pairs = [("पाणी भाकरी", target) for _, target in pairs]
    assert set(rule_faults(*zip(*pairs, strict=True))) == {""}


def test_names_are_compared_in_one_script_only():
    pairs = [(f"So Anna Smith met Musa Keller in Paris, {i}.", "अॅना स्मिथ भेटली") for i in range(9)]
    assert set(rule_faults(*zip(*pairs, strict=True))) == {""}


def test_no_pair_is_no_fault():
    assert rule_faults([], []) == []


def test_small_parts():
    assert names_of("Yes. She met Ann in Rome in 1990.") == {"ann", "rome", "1990"}
    assert shares_no_name("So Ann Lee left Kigali in 1990.", "Habari gani?")
    assert not shares_no_name("She left Kigali.", "Habari gani?")
    assert script_of("...") == ""
