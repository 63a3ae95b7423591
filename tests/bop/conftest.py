"""A small data set for the tests of this folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.oracle.bop_tree import Tree, make_tree


@pytest.fixture(scope="session")
def shared_tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Made once; tests must not change it."""
    return make_tree(tmp_path_factory.mktemp("bop") / "tiny")


@pytest.fixture
def tree(shared_tree: Tree, tmp_path: Path) -> Tree:
    """A copy that a test may spoil."""
    shutil.copytree(shared_tree.root, tmp_path / "tiny")
    return replace(shared_tree, root=tmp_path / "tiny")
