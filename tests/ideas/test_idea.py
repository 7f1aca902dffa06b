"""An idea's file: everything that can be wrong in it is said with file and field, and nothing else is ever raised."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.errors import InvalidInputError, ShipworthyError
from shipworthy.ideas.gate import missing
from shipworthy.ideas.idea import Idea, read_idea

WHOLE = """\
title = "Bake less"
problem = "bakery"
challenger = "less"
change = "Bake less on Mondays."
because = "Mondays are quiet."
owner = "squad"
deadline = 2027-03-31

[worth]
smallest_gain = 3
expected_gain = [1, 5.5, 9.0]
per = "year"

[guardrails]
sold_out = 0.02
"""


def _read(tmp_path: Path, text: str | bytes, name: str = "0007-bake-less.toml") -> Idea:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_idea(path)


def test_every_field_is_read(tmp_path: Path):
    """What the file says is what the idea holds, in the types that the rest of the walk counts on."""
    assert _read(tmp_path, WHOLE) == Idea(
        number=7,
        slug="bake-less",
        title="Bake less",
        problem="bakery",
        challenger="less",
        change="Bake less on Mondays.",
        because="Mondays are quiet.",
        owner="squad",
        deadline=date(2027, 3, 31),
        smallest_gain=3.0,
        expected_gain=(1.0, 5.5, 9.0),
        per="year",
        guardrails={"sold_out": 0.02},
    )
    assert missing(_read(tmp_path, WHOLE)) == []


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("title = 3", "title must be text"),
        ("owner = ['a']", "owner must be text"),
        ("tilte = 'x'", "tilte is unknown. Known here: title"),
        ("deadline = '2027-03-31'", "deadline must be a date"),
        ("deadline = 2027-03-31T10:00:00", "deadline must be a date"),
        ("worth = 3", "worth must be a section"),
        ("guardrails = []", "guardrails must be a section"),
        ("[worth]\nsmalest_gain = 1", "smalest_gain is unknown. Known here: smallest_gain"),
        ("[worth]\nsmallest_gain = '5'", "smallest_gain must be a number"),
        ("[worth]\nsmallest_gain = true", "smallest_gain must be a number"),
        ("[worth]\nsmallest_gain = nan", "smallest_gain must be a number"),
        ("[worth]\nsmallest_gain = inf", "smallest_gain must be a number"),
        (f"[worth]\nsmallest_gain = 1{'0' * 400}", "smallest_gain must be a number"),
        ("[worth]\nexpected_gain = 5", "expected_gain must be three numbers"),
        ("[worth]\nexpected_gain = [1, 2]", "expected_gain must be three numbers"),
        ("[worth]\nexpected_gain = [1, 2, 'many']", "expected_gain must be a number"),
        ("[worth]\nexpected_gain = [1, 2, nan]", "expected_gain must be a number"),
        ("[worth]\nper = 'month'", "per must be 'period' or 'year'"),
        ("[worth]\nper = []", "per must be 'period' or 'year'"),
        ("[guardrails]\nsold_out = '2 %'", "sold_out must be a number"),
        ("[guardrails]\nsold_out = -0.1", "sold_out must be 0 or more"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(tmp_path: Path, text: str, field: str):
    """A field that is unknown, or of a wrong type, is refused by its name and the name of the file."""
    with pytest.raises(InvalidInputError, match=r"0007-bake-less\.toml: ") as refusal:
        _read(tmp_path, text)
    assert field in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "title = ",
        "title = 'a'\ntitle = 'b'",
        "title = 'a",
        "[worth\n",
        "deadline = 2027-13-31",
        b"title = '\xff\xfe'",
        b"\x00",
        "\ufefftitle = 'a'",
        f"[worth]\nsmallest_gain = {'9' * 5000}",
        f"title = {'[' * 5000}",
    ],
)
def test_what_is_no_toml_is_said_so(tmp_path: Path, text: str | bytes):
    """Broken TOML, other encodings, endless numbers and endless nesting are refused with the file's name."""
    with pytest.raises(InvalidInputError, match=r"0007-bake-less\.toml is not valid TOML"):
        _read(tmp_path, text)


@pytest.mark.parametrize("name", ["weather.toml", "7.toml", "-x.toml", "0000-zero.toml", "x7-a.toml", "²-square.toml"])
def test_a_file_needs_a_number_and_a_name(tmp_path: Path, name: str):
    """The file's name is the idea's number and slug; anything else is refused with an example."""
    with pytest.raises(InvalidInputError, match=r"is named like 0007-weather\.toml"):
        _read(tmp_path, WHOLE, name)


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        (("title = ", "# "), "no title"),
        (('"Mondays are quiet."', '"  "'), "does not say why"),
        (("smallest_gain = 3", ""), "what would be worth shipping"),
        (("smallest_gain = 3", "smallest_gain = -1"), "would ship a loss"),
        (("[1, 5.5, 9.0]", "[5, 1, 9]"), "not in order"),
        (("[1, 5.5, 9.0]", "[0, 1, 2]"), "below the smallest gain"),
    ],
)
def test_what_is_absent_or_senseless_is_a_gap(tmp_path: Path, change: tuple[str, str], gap: str):
    """What keeps an idea from being tested is no error but a gap, with a remedy."""
    assert change[0] in WHOLE
    [found] = missing(_read(tmp_path, WHOLE.replace(*change)))
    assert gap in found.what
    assert found.remedy


@settings(deadline=None, max_examples=150)
@given(
    text=st.one_of(
        st.text(),
        st.builds(
            "{} = {}\n[worth]\n{} = {}\n[guardrails]\n{} = {}".format,
            *[
                st.sampled_from(["title", "owner", "deadline", "per", "smallest_gain", "expected_gain", "x", '"a b"'])
                | st.text(max_size=5),
                st.one_of(
                    st.sampled_from(
                        ["1", "[1, 2, 3]", "'a'", "2027-01-01", "{}", "[{}]", "nan", "-inf", "1e999", "true", '""']
                    ),
                    st.integers().map(str),
                    st.floats().map(str),
                    st.text(max_size=10),
                ),
            ]
            * 3,
        ),
    )
)
def test_no_text_raises_anything_but_ours(text: str, tmp_path_factory: pytest.TempPathFactory):
    """Whatever stands in the file: it is an idea, or one of our errors."""
    path = tmp_path_factory.getbasetemp() / "0001-any.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        idea = read_idea(path)
    except ShipworthyError:
        return
    assert idea.number == 1
    assert isinstance(idea.gaps(), list)
