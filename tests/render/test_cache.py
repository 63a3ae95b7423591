from __future__ import annotations

from pathlib import Path

from diffdope.kernel_cache import drop_stale, fingerprint


def make_folder(root: Path, name: str) -> Path:
    folder = root / name
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "kernel.py").write_text("x = 1\n")
    return folder


def test_compiled_code_of_edited_kernels_is_dropped_everywhere(tmp_path: Path) -> None:
    folders = (make_folder(tmp_path, "a"), make_folder(tmp_path, "b"))
    drop_stale(folders)
    compiled = folders[0] / "__pycache__" / "kernel.f-1.py311.nbi"
    compiled.write_bytes(b"code")
    assert not drop_stale(folders)
    assert compiled.exists()
    (folders[1] / "kernel.py").write_text("x = 2\n")  # a callee in the other folder
    assert drop_stale(folders)
    assert not compiled.exists()
    assert not drop_stale(folders)


def test_the_fingerprint_knows_names_and_contents(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "a")
    before = fingerprint((folder,))
    (folder / "kernel.py").rename(folder / "other.py")
    assert fingerprint((folder,)) != before


def test_compiled_code_that_no_stamp_vouches_for_is_dropped(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "a")
    compiled = [folder / "__pycache__" / f"kernel.f-1.py311.{ending}" for ending in ("nbi", "1.nbc")]
    kept = folder / "__pycache__" / "kernel.cpython-311.pyc"  # Python's own, which Python keeps honest
    for file in (*compiled, kept):
        file.write_bytes(b"code")
    assert drop_stale((folder,))
    assert not any(file.exists() for file in compiled) and kept.exists()


def test_a_folder_without_a_cache_gets_a_stamp_and_one_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "__pycache__").write_text("a file where the cache would be")
    assert not drop_stale((blocked, fresh))
    assert (fresh / "__pycache__" / "kernels.sha256").read_text() == fingerprint((blocked, fresh))
    assert (blocked / "__pycache__").read_text() == "a file where the cache would be"
