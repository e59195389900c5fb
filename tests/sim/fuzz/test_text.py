"""What is written as TOML is read back as it was."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from sim.fuzz.text import to_toml

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
PLAIN = st.one_of(TEXTS, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(0, 1))
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_tables_and_values_come_back(content):
    assert tomllib.loads(to_toml(content)) == content


def test_a_line_of_many_dots_is_one_that_a_scenario_may_have():
    content = {"hosts": [f"10.0.0.{number}" for number in range(40)]}
    text = to_toml(content)
    assert text.count(".") == 0
    assert tomllib.loads(text) == content


def test_what_a_terminal_must_not_see_is_escaped():
    assert to_toml({"name": "a\u202e\x7f\x1b"}).isascii()


def test_tables_in_a_list_are_written_one_below_the_other():
    assert to_toml({"links": [{"match": "a--b"}, {"match": "*"}], "seed": 1}) == (
        'seed = 1\n\n[[links]]\nmatch = "a--b"\n\n[[links]]\nmatch = "*"\n'
    )
