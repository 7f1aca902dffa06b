"""Fitted state is data: what fit returned comes back bit for bit, and opening it makes nothing that is not on the list."""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.errors import InvalidInputError, ShipworthyError, UserCodeError
from shipworthy.project.code import Code
from shipworthy.ship.fitted import open_fitted, pack_fitted
from shipworthy.ship.fitted.bundle import pack_parts, read_parts
from shipworthy.ship.release import build_release, open_release
from tests.problems import SHOP, make_project, replay_of

MODULE = '''
from dataclasses import dataclass, field
from enum import Enum

class Model:
    """Anything with a dictionary of its own."""

@dataclass(frozen=True, slots=True)
class Found:
    level: float
    inside: object = None

@dataclass
class Plain:
    names: list = field(default_factory=list)

class Stateful:
    def __init__(self): self.kept, self.cache = 1, 2
    def __getstate__(self): return {"kept": self.kept}
    def __setstate__(self, state): self.kept, self.cache = state["kept"], None

class Kind(Enum):
    A = 1

class Outer:
    class Inner:
        pass

class Lookup(dict):
    pass

def rounded(x): return round(x)
'''

VALUES: list[Any] = [
    None,
    [True, 0, -(2**80), 0.0, -0.0, 0.1, "", "ü\ud800"],
    {"a": 1, 2: (3.5, [None]), (1, "b"): {4}, None: frozenset({"x"})},
    {"bytes": b"\0\xff", "array": bytearray(b"ab")},
    [dt.date(2026, 2, 28), dt.time(1, 2, 3, 4), dt.timedelta(-1, 5, 7), dt.datetime(2026, 1, 1, 5)],
    [
        dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    ],
    [np.float64(0.1), np.int8(-3), np.bool_(True), np.str_("a"), np.datetime64("2026-01-01"), np.float32(0.1)],
]


@pytest.fixture
def code(tmp_path: Path) -> Code:
    """A release's code: one module of classes."""
    (tmp_path / "mine.py").write_text(MODULE)
    return Code(tmp_path)


def _module(code: Code) -> Any:
    with code.active():
        import mine  # type: ignore[import-not-found]  # noqa: PLC0415

        return mine


def _again(code: Code, fitted: Any) -> Any:
    packed = pack_fitted(code, fitted, "policy")
    assert pack_fitted(code, fitted, "policy") == packed, "the same state gives the same bytes"
    return open_fitted(code, packed.content, packed.types, "it")


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_plain_values_come_back_as_they_were(code: Code, value: Any):
    """Values, their types and their order, without any type on the list."""
    assert pack_fitted(code, value, "policy").types == ()
    assert repr(_again(code, value)) == repr(value)


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes()
)
_KEYS = st.text() | st.integers() | st.tuples(st.integers(), st.text())


@given(st.recursive(_LEAVES, lambda inside: st.lists(inside) | st.tuples(inside) | st.dictionaries(_KEYS, inside)))
def test_any_nesting_comes_back(value: Any):
    """Whatever plain values are put into one another, infinities and NaN among them."""
    code = Code(Path(__file__).parent)
    packed = pack_fitted(code, value, "policy")
    assert repr(open_fitted(code, packed.content, (), "it")) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.array([]),
        np.arange(6.0).reshape(2, 3).T,
        np.array([np.nan, np.inf, -0.0]),
        np.array(["a", "bcd"]),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array(["2026-01-01", "NaT"], dtype="datetime64[ns]"),
        np.array(7),
    ],
    ids=["empty", "turned", "special", "text", "structured", "times", "no axes"],
)
def test_arrays_come_back_bit_for_bit(code: Code, array: Any):
    """Numbers of any kind, layout included."""
    back = _again(code, array)
    assert (back.dtype, back.shape, back.flags.f_contiguous) == (array.dtype, array.shape, array.flags.f_contiguous)
    assert back.tobytes() == array.tobytes()


def test_an_array_of_objects_holds_what_may_be_held(code: Code):
    """Words and gaps as scikit-learn keeps categories, lists among them."""
    array = np.empty((2, 2), dtype=object)
    array[:] = [["a", None], [[1, 2], 0.5]]
    assert _again(code, array).tolist() == array.tolist()


def test_frames_come_back_as_they_were(code: Code):
    """Every type of column, and a series with its name."""
    frame = pl.DataFrame(
        {
            "n": [1, None],
            "x": [0.1, float("nan")],
            "day": [dt.date(2026, 1, 1), None],
            "at": pl.Series([dt.datetime(2026, 1, 1), None], dtype=pl.Datetime("ms", "Europe/Berlin")),
            "kind": pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])),
            "word": pl.Series(["a", "b"], dtype=pl.Categorical),
            "many": [[1.5], []],
            "both": [{"a": 1}, {"a": None}],
        }
    )
    back = _again(code, [frame, frame["kind"], frame.clear()])
    assert back[0].equals(frame)
    assert back[0].schema == frame.schema
    assert (back[1].name, back[1].dtype) == ("kind", frame["kind"].dtype)
    assert back[2].schema == frame.schema


def test_objects_of_the_projects_classes_come_back(code: Code):
    """By their attributes, slots or own state, never by calling what the file names; each type is on the list."""
    mine = _module(code)
    model = mine.Model()
    model.found = mine.Found(0.5, inside=mine.Plain(["a"]))
    model.stateful, model.kind, model.inner, model.name = mine.Stateful(), mine.Kind.A, mine.Outer.Inner(), mine.rounded
    packed = pack_fitted(code, model, "policy")
    assert set(packed.types) == {
        "mine.Model",
        "mine.Found",
        "mine.Plain",
        "mine.Stateful",
        "mine.Kind",
        "mine.Outer.Inner",
        "mine.rounded",
    }
    back = open_fitted(code, packed.content, packed.types, "it")
    assert back.found == model.found
    assert (back.stateful.kept, back.stateful.cache) == (1, None)
    assert back.kind is mine.Kind.A
    assert back.name is mine.rounded


@pytest.mark.parametrize("kind", ["boosting", "booster", "classifier", "quantile", "pipeline", "forest", "sparse"])
def test_models_predict_the_same_to_the_last_bit(code: Code, kind: str):
    """scikit-learn, LightGBM and SciPy, alone and in an object of the project's own; equal models give equal bytes."""
    holder = _module(code).Model()
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    holder.model, predict = _model(kind, x, y), _predictor(kind, x)
    back = _again(code, holder)
    assert predict(back.model).tobytes() == predict(holder.model).tobytes()
    holder.model = _model(kind, x, y)
    first = pack_fitted(code, holder, "policy")
    holder.model = _model(kind, x, y)
    assert pack_fitted(code, holder, "policy") == first


def _predictor(kind: str, x: Any) -> Any:
    methods = {"classifier": lambda model: model.predict_proba(x), "sparse": lambda model: model.toarray()}
    return methods.get(kind, lambda model: model.predict(x))


def _model(kind: str, x: Any, y: Any) -> Any:
    import lightgbm  # noqa: PLC0415  (heavy)
    from scipy.sparse import csr_matrix  # noqa: PLC0415
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor  # noqa: PLC0415
    from sklearn.linear_model import Ridge  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    few: dict[str, Any] = {"n_estimators": 5, "verbose": -1, "n_jobs": 1}
    if kind == "boosting":
        return lightgbm.LGBMRegressor(**few).fit(x, y)
    if kind == "booster":
        return lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(x, y), 5)
    if kind == "classifier":
        return lightgbm.LGBMClassifier(**few).fit(x, y > 0)
    if kind == "quantile":
        return HistGradientBoostingRegressor(loss="quantile", quantile=0.9, max_iter=5, random_state=1).fit(x, y)
    if kind == "pipeline":
        return make_pipeline(StandardScaler(), Ridge()).fit(x, y)
    return RandomForestRegressor(3, random_state=1).fit(x, y) if kind == "forest" else csr_matrix(x > 1)


@pytest.mark.parametrize("what", ["lambda", "file", "module", "stranger", "subclass", "frame of objects", "itself"])
def test_what_cannot_be_kept_is_refused_with_the_ways_out(code: Code, what: str):
    """It is said where it stands, what it is, and both ways out."""
    mine = _module(code)
    itself: list[Any] = []
    itself.append(itself)
    given: Any = {
        "lambda": lambda: None,
        "file": sys.stderr.buffer,
        "module": sys,
        "stranger": io.StringIO(),
        "subclass": mine.Lookup(a=1),
        "frame of objects": pl.DataFrame({"a": [object()]}),
        "itself": itself,
    }[what]
    holder = mine.Model()
    holder.inside = {"model": given}
    with pytest.raises(UserCodeError, match=r"fit\(\) of policy 'nosy': what it returned") as refused:
        pack_fitted(code, holder, "nosy")
    assert "keep plain values" in str(refused.value)
    assert "pickled = True" in str(refused.value)
    if what != "itself":
        assert ".inside['model']" in str(refused.value)


class Planted:
    """Leaves a mark when it is made."""

    marks: list[str] = []  # noqa: RUF012

    def __new__(cls) -> Planted:
        """Leaves the mark."""
        cls.marks.append("made")
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        self.marks.append("set")


def _bundle(state: Any, **parts: bytes) -> bytes:
    return pack_parts({"state.json": json.dumps(state).encode(), **parts})


@pytest.mark.parametrize(
    ("state", "types"),
    [
        ({"object": ["tests.ship.test_fitted", "Planted", None]}, ()),
        ({"object": ["tests.ship.test_fitted", "Planted", None]}, ("tests.ship.test_fitted.Planted",)),
        ({"name": ["os", "system"]}, ("os.system",)),
        ({"name": ["mine", "__builtins__"]}, ("mine.Model",)),
        ({"object": ["mine", "Found", {"dict": []}]}, ("mine.Model",)),
        ({"member": ["mine", "Kind", "A"]}, ()),
        ({"object": ["mine", "Absent", None]}, ("mine.Absent",)),
    ],
)
def test_nothing_off_the_list_is_made(code: Code, state: Any, types: tuple[str, ...]):
    """Neither what the manifest does not list, nor what it lists and may not."""
    Planted.marks.clear()
    with pytest.raises(InvalidInputError):
        open_fitted(code, _bundle(state), types, "it")
    assert Planted.marks == []


def test_a_model_of_other_types_than_those_on_the_list_is_not_made(code: Code):
    """skops is told the list, and makes nothing else."""
    packed = pack_fitted(code, _model("boosting", np.eye(40), np.arange(40.0)), "policy")
    assert "lightgbm.basic.Booster" in packed.types
    with pytest.raises(ShipworthyError, match=r"(?s)cannot be opened here.*lightgbm\.basic\.Booster"):
        open_fitted(code, packed.content, [name for name in packed.types if "Booster" not in name], "it")


def _npy(header: str) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}") + b"\0" * 80,
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}") + b"cos\nsystem\n(S'true'\ntR.",
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"),
        b"\x93NUMPY\x09\x00",
        b"",
    ],
    ids=["promises a terabyte", "holds a pickle", "a negative length", "another version", "nothing"],
)
def test_an_array_that_lies_is_refused(code: Code, content: bytes):
    """Its header is held against what follows, before room is made for it."""
    with pytest.raises(InvalidInputError):
        open_fitted(code, _bundle({"array": "0.npy"}, **{"0.npy": content}), (), "it")


def test_a_bundle_that_would_unfold_is_refused(code: Code):
    """Compressed, or with parts on top of one another: refused by what the directory says, before a part is read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state.json", b" " * 100_000_000)
    with pytest.raises(InvalidInputError, match="is compressed"):
        open_fitted(code, packed.getvalue(), (), "it")
    whole = pack_parts({"a.bin": b"\0" * 1000, "b.bin": b"\0" * 1000})
    directory = whole.rindex(b"PK\x01\x02")
    overlapping = bytearray(whole)
    overlapping[directory + 42 : directory + 46] = bytes(4)  # where the second part is said to begin
    for size_at in (20, 24):
        overlapping[directory + size_at : directory + size_at + 4] = (2000).to_bytes(4, "little")
    with pytest.raises(InvalidInputError, match=r"promises more than|no bundle"):
        read_parts(bytes(overlapping), "it")


@pytest.mark.parametrize("text", ["", "[", '{"nonsense": 1}', '{"a": 1, "b": 2}', '{"array": "absent"}', "[" * 5000])
def test_a_state_that_means_nothing_is_refused(code: Code, text: str):
    """Whatever stands there in the place of the state."""
    with pytest.raises(InvalidInputError, match="cannot be opened here"):
        open_fitted(code, pack_parts({"state.json": text.encode()}), (), "release x")


PICKLED = """
class Odd(Yesterday):
    def fit(self, past):
        class Local: pass
        return {"rule": print, "rows": past.height}

shop.policy(name="odd")(Odd)
shop.policy(name="declared")(type("Declared", (Odd,), {"pickled": True}))
"""


def test_a_pickle_has_to_be_declared(tmp_path: Path):
    """What cannot be kept as data is packed only where the policy says so, and the manifest says it too."""
    project = make_project(tmp_path / "shop", SHOP + PICKLED)
    with pytest.raises(UserCodeError, match=r"policy 'odd'.*\['rule'\] is a"):
        build_release(replay_of(project), "odd", None)
    release = open_release(project, build_release(replay_of(project), "declared", None))
    assert release.manifest["pickled"] == ["declared"]
    assert release.decider.fitted == {"rule": print, "rows": 120}
    assert "fitted.pkl" in release.manifest["files"]
