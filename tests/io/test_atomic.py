"""A folder appears whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from capsim.io.atomic import PlaceError, check_place, whole_file, whole_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_appears_with_all_its_files(tmp_path):
    with whole_folder(tmp_path / "out", "mark") as folder:
        (folder / "mark").write_text("new")
        assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["mark"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_when_the_writing_fails(tmp_path, error):
    def fail():
        with whole_folder(tmp_path / "out", "mark") as folder:
            (folder / "half").write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_an_earlier_one_is_replaced_whole_and_survives_a_failure(tmp_path):
    out = tmp_path / "out"
    for text in ("first", "second"):
        with whole_folder(out, "mark") as folder:
            (folder / "mark").write_text(text)
            (folder / text).write_text("")
    assert names(out) == ["mark", "second"]

    def fail():
        with whole_folder(out, "mark"):
            raise ValueError("half done")

    with pytest.raises(ValueError, match="half"):
        fail()
    assert (out / "mark").read_text() == "second"
    assert names(tmp_path) == ["out"]


def test_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds something else"):
        check_place(tmp_path / "thesis", "mark")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="is not a folder"):
        check_place(tmp_path / "file", "mark")


def test_an_empty_folder_will_do(tmp_path):
    (tmp_path / "out").mkdir()
    with whole_folder(tmp_path / "out", "mark") as folder:
        (folder / "mark").write_text("")
    assert names(tmp_path / "out") == ["mark"]


def test_a_file_appears_whole_and_replaces(tmp_path):
    for content in (b"first", b"second"):
        whole_file(tmp_path / "deep" / "file.csv", content)
    assert names(tmp_path / "deep") == ["file.csv"]
    assert (tmp_path / "deep" / "file.csv").read_bytes() == b"second"


def test_a_file_that_cannot_take_its_place_leaves_nothing(tmp_path):
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"):
        whole_file(tmp_path / "taken", b"content")
    assert names(tmp_path) == ["taken"]


def test_a_place_below_a_file_or_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "out", tmp_path / "file" / "far" / "out"):
        with pytest.raises(PlaceError, match="file is not a folder"):
            check_place(place, "mark")
        with pytest.raises(PlaceError, match="file is not a folder"):
            whole_file(place, b"")
    with pytest.raises(PlaceError, match="is a folder; name a file"):
        whole_file(tmp_path, b"")
    assert names(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != tmp_path)
    with pytest.raises(PlaceError, match="cannot be written to"):
        check_place(tmp_path / "new" / "out", "mark")
    with pytest.raises(PlaceError, match="cannot be written to"):
        whole_file(tmp_path / "out", b"")


def test_a_full_disk_is_said_of_the_place_itself(tmp_path):
    def full():
        with whole_folder(tmp_path / "out", "mark") as folder:
            (folder / "mark").write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "mark"))

    with pytest.raises(PlaceError, match=r"out cannot be written: No space left on device$"):
        full()
    assert names(tmp_path) == []


def test_an_error_inside_a_nested_folder_is_said_of_the_outer_place(tmp_path):
    def full():
        with (
            whole_folder(tmp_path / "out", "mark") as outer,
            whole_folder(outer / "scenario", "") as inner,
        ):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(inner / "areas.csv"))

    with pytest.raises(PlaceError, match=f"{tmp_path / 'out'} cannot be written: No space left"):
        full()
    assert names(tmp_path) == []


def test_any_folder_is_replaced_where_no_mark_is_asked_for(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "other").write_text("")
    with whole_folder(tmp_path / "out", None) as folder:
        (folder / "new").write_text("")
    assert names(tmp_path / "out") == ["new"]
