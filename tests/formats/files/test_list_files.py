"""Which files may be lists."""

from segstudio.formats.files.list_files import MOST_IN_A_FOLDER, possible_lists
from segstudio.formats.files.source import FolderSource, open_files


def test_a_folder_with_a_file_for_each_frame_has_no_lists(tmp_path):
    (tmp_path / "frames").mkdir()
    for number in range(MOST_IN_A_FOLDER + 1):
        (tmp_path / "frames" / f"{number}.json").write_text("{}")
    for name in ("list.json", "LIST2.JSON", "other.xml"):
        (tmp_path / name).write_text("{}")
    found = possible_lists(FolderSource(tmp_path), ".json")
    assert {str(path) for path in found} == {"list.json", "LIST2.JSON"}
    chosen = open_files(tmp_path / "frames" / "7.json")
    assert [str(p) for p in possible_lists(chosen, ".json")] == ["7.json"]
    assert possible_lists(chosen, ".xml") == []
