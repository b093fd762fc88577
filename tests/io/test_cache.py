"""Results are read back as written or taken for absent."""

import errno

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsim.io import cache
from capsim.io.cache import ResultStore, StoreError, digest

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([], float), "c": np.array([True])}


def same(found, expected=ARRAYS):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_read_back(tmp_path):
    store = ResultStore(tmp_path / "store")
    assert store.read("key") is None
    store.write("key", ARRAYS)
    same(store.read("key"))
    store.write("key", {"a": np.zeros(1)})
    same(store.read("key"), {"a": np.zeros(1)})
    assert len(list((tmp_path / "store").iterdir())) == 1


@pytest.mark.parametrize("cut", [0, 1, 20, 40, -1])
def test_a_torn_result_is_absent(tmp_path, cut):
    store = ResultStore(tmp_path)
    store.write("key", ARRAYS)
    path = store.path("key")
    path.write_bytes(path.read_bytes()[:cut])
    assert store.read("key") is None


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_damaged_result_is_absent(tmp_path_factory, place, bit):
    store = ResultStore(tmp_path_factory.mktemp("store"))
    store.write("key", ARRAYS)
    data = bytearray(store.path("key").read_bytes())
    data[place % len(data)] ^= 1 << bit
    store.path("key").write_bytes(data)
    assert store.read("key") is None


def test_a_result_of_another_key_is_absent(tmp_path):
    store = ResultStore(tmp_path)
    store.write("one", ARRAYS)
    store.path("one").rename(store.path("other"))
    assert store.read("other") is None


def test_a_full_disk_is_told_and_harms_nothing(tmp_path, monkeypatch):
    store = ResultStore(tmp_path)
    store.write("one", ARRAYS)

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "whole_file", full)
    with pytest.raises(StoreError, match=r"the disk is full\. 1 finished"):
        store.write("two", ARRAYS)
    same(store.read("one"))


def test_a_digest_tells_content_apart():
    things = [
        1,
        1.0,
        "1",
        None,
        np.arange(3),
        np.arange(3.0),
        np.arange(3)[None],
        np.array(["a"], object),
        ("a", "b"),
        ("ab",),
        (("a",), "b"),
        {"a": 1},
        {"a": 2},
    ]
    assert len({digest(thing) for thing in things}) == len(things)
    with pytest.raises(TypeError, match="set"):
        digest({1})
