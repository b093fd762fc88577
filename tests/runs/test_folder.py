"""A folder appears whole or not at all."""

import pytest

from capsim.runs.folder import check_place, whole_file, whole_folder


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
